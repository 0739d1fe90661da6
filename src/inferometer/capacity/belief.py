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
_NOISE_PRIOR = np.array([0.3, 0.7, 1.0, 1.0, 0.5, 0.2])
_SPREADS = np.array([1.0, 1.6, 3.0])
_SPREAD_PRIOR = np.array([0.4, 0.45, 0.15])
_MISFIT = 0.2
_FREEDOM = 5.0
_NOISE_DOUBT = 0.5
_NOISE_REACH = 0.4
_SERVED = 0.12
_PROBED = 0.25
_LEAST_CHANCE = 1e-9
_SHORTEST = 0.25
_LATE = 0.25
_FAR = math.log(30.0)
_NEAR = 0.3
_POINTS = 72
_TAIL = 1e-4
_PARTICLES = 600
_NONE = 6.0


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
        deviation = (self.noise * self.spread)[:, None]
        return _passing(above, self.floor[:, None], self.room[:, None], deviation)

    def pass_share(self, load: float) -> float:
        """Give how often a whole run at a load passes, over all that is plausible."""
        return float(self.pass_shares(np.array([load])).mean())

    def sure_pass_share(self, load: float, confidence: float) -> float:
        """Give the share that a whole run at a load passes at least, with a confidence."""
        shares = self.pass_shares(np.array([load]))[:, 0]
        return float(np.quantile(shares, 1.0 - confidence, method="lower"))

    def highest_loads(self, pass_share: float) -> Reals:
        """Give the highest load at which so many whole runs pass, by each plausible system.

        Where none does, it is a load far below any.
        """
        low, high = float(self.centre.min()) - _NONE, float(self.centre.max()) + 0.05
        logs = self.centre.copy()
        lowest, highest = np.full_like(logs, low), np.full_like(logs, high)
        for _ in range(30):
            logs = (lowest + highest) / 2
            shares = _passing(logs - self.centre, self.floor, self.room, self.noise * self.spread)
            passes = shares >= pass_share
            lowest, highest = np.where(passes, logs, lowest), np.where(passes, highest, logs)
        return np.exp(lowest)


def believe(observations: Sequence[Observation], saturation: float | None = None) -> Belief:
    """Weigh every capacity, shape and noise by the runs; at least one observation.

    The capacity is looked at on a grid that is wide, and dense near the runs that came near the
    bound; then twice on one that is dense where the likely ones are. The result is a pure
    function of the observations.
    """
    centres = _first_grid(observations)
    for _ in range(2):
        by_centre = _weights(centres, observations, saturation).sum(axis=(1, 2, 3))
        centres = _finer_grid(centres, by_centre)
    return _particles(centres, _weights(centres, observations, saturation))


def _first_grid(observations: Sequence[Observation]) -> Reals:
    logs = [math.log(one.load) for one in observations]
    wide = np.linspace(min(logs) - _FAR, max(logs) + _FAR, _POINTS // 2)
    near = sorted(observations, key=lambda one: abs(one.log_share))[:2]
    places = [math.log(one.load) for one in near]
    dense = np.linspace(min(places) - _NEAR, max(places) + _NEAR, _POINTS)
    return np.unique(np.concatenate([wide, dense]))


def _finer_grid(centres: Reals, weights: Reals) -> Reals:
    """Give a grid with half its points at equal steps of probability, and half evenly."""
    reach = np.cumsum(weights)
    levels = np.linspace(_TAIL, 1.0 - _TAIL, _POINTS // 2)
    by_mass = np.interp(levels, reach - weights / 2, centres)
    step = float(np.diff(centres).min())
    evenly = np.linspace(by_mass[0] - step, by_mass[-1] + step, _POINTS // 2)
    return np.unique(np.concatenate([by_mass, evenly]))


def _weights(
    centres: Reals, observations: Sequence[Observation], saturation: float | None
) -> Reals:
    """Give the probability of each grid point: [centres, shapes, noises, spreads], sum 1."""
    floor = np.array([shape.floor for shape in SHAPES])[None, :]
    room = np.array([shape.room for shape in SHAPES])[None, :]
    prior = np.log(_NOISE_PRIOR)[:, None] + np.log(_SPREAD_PRIOR)[None, :]
    plausible = np.log([shape.weight for shape in SHAPES])[:, None, None]
    total = np.zeros((len(centres), len(SHAPES), *prior.shape)) + prior + plausible
    total += np.log(np.gradient(centres))[:, None, None, None]
    known = [(one.served, _SERVED) for one in observations if one.served is not None]
    for load, doubt in known + ([(saturation, _PROBED)] if saturation else []):
        apart = math.log(load) - centres[:, None] - np.log(room)
        total += _student(apart**2 / doubt**2)[:, :, None, None]
    for one in observations:
        above = math.log(one.load) - centres[:, None]
        log_share, slope = log_share_and_slope(above, floor, room)
        total += _log_likelihood(one, log_share, slope)
        if one.was_stopped:
            deviation = _NOISES[:, None] * _SPREADS
            passes = _passing(
                above[:, :, None, None],
                floor[:, :, None, None],
                room[:, :, None, None],
                deviation,
            )
            total += np.log(1.0 - passes + _LEAST_CHANCE)
    total -= total.max()
    weights: Reals = np.exp(total)
    weights /= weights.sum()
    return weights


def _log_likelihood(one: Observation, log_share: Reals, slope: Reals) -> Reals:
    """Give how likely a run is: [centres, shapes, noises, spreads] or broadcastable."""
    seen = min(max(one.log_share, -6.0), HIGHEST)
    steepness = np.sqrt(1.0 + slope[:, :, None] ** 2)
    # Noise falls with the root of the length.
    within = _NOISES * steepness / math.sqrt(max(one.length, _SHORTEST))
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
    if one.noise and not one.was_stopped and abs(seen) < _NOISE_REACH:
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


def _passing(above: Reals, floor: Reals, room: Reals, deviation: Reals) -> Reals:
    """Give how often a whole run passes, by its load over the capacity; never rising with it.

    deviation:
        Noise of the latency and, as if it were one of the load, of the load.
    """
    log_share, _ = log_share_and_slope(above, floor, room)
    # Beyond the capacity the slope there counts: what passes is a run with less load by chance.
    _, slope = log_share_and_slope(np.minimum(above, 0.0), floor, room)
    return _normal_cdf(-log_share / (deviation * np.sqrt(1.0 + slope**2)))


def _normal_cdf(values: Reals) -> Reals:
    """Give the normal distribution function, to four digits."""
    # Abramowitz and Stegun 26.2.17
    size = np.abs(values)
    t = 1.0 / (1.0 + 0.2316419 * size)
    series = t * (
        0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429)))
    )
    upper = np.exp(-(np.minimum(size, 38.0) ** 2) / 2) / math.sqrt(2 * math.pi) * series
    found: Reals = np.where(values >= 0, 1.0 - upper, upper)
    return found
