"""Belief: what the runs so far say of the capacity, and of how often a rerun would pass."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inferometer.capacity.curve import HIGHEST, SHAPES, log_share_and_slope
from inferometer.capacity.observation import Observation

__all__ = ["Belief", "believe"]

Reals = NDArray[np.float64]

_NOISES = np.array([0.003, 0.006, 0.012, 0.025, 0.05, 0.1])
_NOISE_PRIOR = np.array([0.6, 1.0, 1.0, 0.8, 0.4, 0.2])
_SPREADS = np.array([1.0, 1.6, 3.0])
_SPREAD_PRIOR = np.array([0.55, 0.4, 0.05])
_MISFIT = 0.2
_FREEDOM = 5.0
_NOISE_DOUBT = 0.5
_NOISE_REACH = 0.4
_SERVED = 0.12
_PROBED = 0.25
_SHORTEST = 0.25
_LATE = 0.25
_FAR = math.log(30.0)
_POINTS = 72
_TAIL = 1e-4
_PARTICLES = 600


@dataclass(frozen=True)
class Belief:
    """Systems that are plausible after the runs, all as likely: float64 [particles] each.

    centre:
        Logarithm of the load at which the latency that decides reaches its bound.
    floor, room:
        The shape of the curve, see `Shape`.
    noise, spread:
        Noise within a whole run, and how many times larger it is from run to run.
    """

    centre: Reals
    floor: Reals
    room: Reals
    noise: Reals
    spread: Reals

    def pass_shares(self, loads: Reals) -> Reals:
        """Give how often a whole run at each load would pass: float64 [particles, loads]."""
        above = np.log(loads)[None, :] - self.centre[:, None]
        log_share, slope = log_share_and_slope(above, self.floor[:, None], self.room[:, None])
        deviation = (self.noise * self.spread)[:, None] * np.sqrt(1.0 + slope**2)
        return _normal_cdf(-log_share / deviation)

    def pass_share(self, load: float) -> float:
        """Give how often a whole run at a load passes, over all that is plausible."""
        return float(self.pass_shares(np.array([load])).mean())

    def sure_pass_share(self, load: float, confidence: float) -> float:
        """Give the share that a whole run at a load passes at least, with a confidence."""
        shares = self.pass_shares(np.array([load]))[:, 0]
        return float(np.quantile(shares, 1.0 - confidence, method="lower"))

    def highest_loads(self, pass_share: float) -> Reals:
        """Give the highest load at which so many whole runs pass, by each plausible system."""
        low, high = float(self.centre.min()) - 1.5, float(self.centre.max()) + 0.05
        logs = self.centre.copy()
        lowest, highest = np.full_like(logs, low), np.full_like(logs, high)
        for _ in range(26):
            logs = (lowest + highest) / 2
            log_share, slope = log_share_and_slope(logs - self.centre, self.floor, self.room)
            deviation = self.noise * self.spread * np.sqrt(1.0 + slope**2)
            passes = _normal_cdf(-log_share / deviation) >= pass_share
            lowest, highest = np.where(passes, logs, lowest), np.where(passes, highest, logs)
        return np.exp(lowest)


def believe(observations: Sequence[Observation], saturation: float | None = None) -> Belief:
    """Weigh every capacity, shape and noise by the runs; at least one observation.

    The capacity is looked at on a wide grid first, then on a fine one where the likely ones
    are. The result is a pure function of the observations.
    """
    logs = [math.log(one.load) for one in observations]
    centres = np.linspace(min(logs) - _FAR, max(logs) + _FAR, _POINTS)
    for _ in range(3):
        weights = _weights(centres, observations, saturation)
        by_centre = weights.sum(axis=(1, 2, 3))
        reach = np.cumsum(by_centre)
        first = max(0, int(np.searchsorted(reach, _TAIL)) - 1)
        last = min(_POINTS - 1, int(np.searchsorted(reach, 1.0 - _TAIL)) + 1)
        centres = np.linspace(centres[first], centres[last], _POINTS)
    return _particles(centres, _weights(centres, observations, saturation))


def _weights(
    centres: Reals, observations: Sequence[Observation], saturation: float | None
) -> Reals:
    """Give the probability of each grid point: [centres, shapes, noises, spreads], sum 1."""
    floor = np.array([shape.floor for shape in SHAPES])[None, :]
    room = np.array([shape.room for shape in SHAPES])[None, :]
    prior = np.log(_NOISE_PRIOR)[:, None] + np.log(_SPREAD_PRIOR)[None, :]
    plausible = np.log([shape.weight for shape in SHAPES])[:, None, None]
    total = np.zeros((len(centres), len(SHAPES), *prior.shape)) + prior + plausible
    known = [(one.served, _SERVED) for one in observations if one.served is not None]
    for load, doubt in known + ([(saturation, _PROBED)] if saturation else []):
        apart = math.log(load) - centres[:, None] - np.log(room)
        total += _student(apart**2 / doubt**2)[:, :, None, None]
    for one in observations:
        above = math.log(one.load) - centres[:, None]
        log_share, slope = log_share_and_slope(above, floor, room)
        total += _log_likelihood(one, log_share, slope)
    total -= total.max()
    weights = np.exp(total)
    weights /= weights.sum()
    return weights


def _log_likelihood(one: Observation, log_share: Reals, slope: Reals) -> Reals:
    """Give how likely a run is: [centres, shapes, noises, spreads] or broadcastable."""
    seen = min(max(one.log_share, -6.0), HIGHEST)
    steepness = np.sqrt(1.0 + slope[:, :, None] ** 2)
    whole = _NOISES[None, None, :] * steepness
    # Noise falls with the root of the length.
    within = whole / math.sqrt(max(one.length, _SHORTEST))
    # Far from the bound the family of curves need not fit: only what is near is taken closely.
    misfit = _MISFIT * abs(seen)
    variance = (within[..., None] * _SPREADS) ** 2 + misfit**2
    apart = seen - log_share[:, :, None, None]
    if one.was_stopped and one.length < _LATE:
        # Ended as its queue grew: the latency would have become larger.
        apart = np.maximum(apart, 0.0)
        found = _student(apart**2 / variance)
    else:
        found = _student(apart**2 / variance)
        found = found - np.log(variance) / 2
    if one.was_stopped:
        passes = _normal_cdf(-log_share[:, :, None, None] / (whole[..., None] * _SPREADS))
        found = found + np.log(1.0 - passes + 1e-9)
    elif one.noise and abs(seen) < _NOISE_REACH:
        ratio = np.log(within / one.noise) / _NOISE_DOUBT
        found = found - (ratio**2 / 2)[..., None]
    return found


def _student(squares: Reals) -> Reals:
    """Give Student's density, as a logarithm, by squared deviations: outliers cost little."""
    found: Reals = -(_FREEDOM + 1) / 2 * np.log1p(squares / _FREEDOM)
    return found


def _particles(centres: Reals, weights: Reals) -> Belief:
    """Draw equally likely systems from the grid, evenly through its mass."""
    flat = np.cumsum(weights.ravel())
    places = (np.arange(_PARTICLES) + 0.5) / _PARTICLES * flat[-1]
    chosen = np.searchsorted(flat, places)
    at, shape, noise, spread = np.unravel_index(chosen, weights.shape)
    floors = np.array([one.floor for one in SHAPES])
    rooms = np.array([one.room for one in SHAPES])
    return Belief(centres[at], floors[shape], rooms[shape], _NOISES[noise], _SPREADS[spread])


def _normal_cdf(values: Reals) -> Reals:
    """Give the normal distribution function, to four digits."""
    # Abramowitz and Stegun 26.2.17
    size = np.abs(values)
    t = 1.0 / (1.0 + 0.2316419 * size)
    series = t * (
        0.319381530
        + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429)))
    )
    upper = np.exp(-np.minimum(size, 38.0) ** 2 / 2) / math.sqrt(2 * math.pi) * series
    found: Reals = np.where(values >= 0, 1.0 - upper, upper)
    return found
