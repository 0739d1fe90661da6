"""Capacity: the most that a described system can take, or the least system for a rate."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from inferometer.simulating.prediction import DEFAULT_QUERIES, Prediction, predict
from inferometer.simulating.system import Routing, SimulatedSystem, SimulationError
from inferometer.simulating.tally import Estimate

__all__ = ["Bound", "Capacity", "capacity_of", "replicas_for"]

Note = Callable[[str], None]

_EXPLORING = 0.2
_BRACKET = 0.04
_READINGS = 8
_HIGHEST = 0.995
_NEARLY_IDLE = 1e-3
_MOST_REPLICAS = 1_000_000
_STUDENT_QUANTILE = 2.447  # 0.975 quantile with _READINGS - 2 degrees of freedom


@dataclass(frozen=True)
class Bound:
    """The bound, ns, that a percentile of the latency has to keep."""

    limit_ns: float
    percentile: float = 0.99

    def excess(self, made: Prediction) -> float:
        """Give the logarithm of the percentile over the bound; infinite if it can't be kept."""
        if not made.is_stable or made.lost >= 1.0 - self.percentile:
            return math.inf
        found = made.percentile(self.percentile / (1.0 - made.lost)).value
        return math.log(found / self.limit_ns)

    def is_kept(self, made: Prediction) -> bool:
        """Tell whether a prediction keeps it, taking its percentile as it is."""
        return self.excess(made) <= 0.0


@dataclass(frozen=True)
class Capacity:
    """The highest rate that keeps a bound, queries a second, and what the system does there.

    Its interval is what simulating leaves open. ``is_saturation`` where the bound is kept at
    every rate that the system can answer at all.
    """

    qps: Estimate
    prediction: Prediction
    is_saturation: bool = False


def capacity_of(
    system: SimulatedSystem,
    bound: Bound,
    queries: int = DEFAULT_QUERIES,
    seed: int = 0,
    note: Note = lambda _: None,
) -> Capacity | None:
    """Give the highest rate that keeps the bound; ``None`` if even a nearly idle system doesn't.

    A few short simulations put it between two rates, then some at rates around them give the
    percentile as a straight line, which meets the bound at the capacity.
    """
    top = system.saturation_qps * _HIGHEST
    made = predict(system, top, queries, seed)
    if bound.is_kept(made):
        return Capacity(Estimate(top, top, top), made, is_saturation=True)
    short = max(20_000, int(queries * _EXPLORING))
    if not bound.is_kept(predict(system, top * _NEARLY_IDLE, short, seed)):
        return None
    low, high, at = top * _NEARLY_IDLE, top, 0
    while high - low > _BRACKET * high:
        at += 1
        middle = (low + high) / 2
        is_kept = bound.is_kept(predict(system, middle, short, seed + at))
        note(f"{middle:,.4g} queries a second {'keep' if is_kept else 'break'} the bound")
        low, high = (middle, high) if is_kept else (low, middle)
    qps = _crossing(system, bound, (low, high), queries, seed + at, note)
    return Capacity(qps, predict(system, qps.value, queries, seed))


def _crossing(
    system: SimulatedSystem,
    bound: Bound,
    ends: tuple[float, float],
    queries: int,
    seed: int,
    note: Note,
) -> Estimate:
    """Fit a line to the percentile at rates around the capacity; give where it meets the bound."""
    room = (ends[1] - ends[0]) / 2
    most = system.saturation_qps * _HIGHEST
    rates = np.linspace(max(ends[0] - room, ends[0] / 2), min(ends[1] + room, most), _READINGS)
    found = []
    for number, rate in enumerate(rates):
        made = predict(system, float(rate), queries, seed + 1 + number)
        found.append(bound.excess(made))
        note(f"reading {number + 1} of {_READINGS}")
    excess = np.array(found)
    if not np.isfinite(excess).all():
        return Estimate(ends[0], ends[0], ends[1])
    middle = rates.mean()
    slope, height = np.polyfit(rates - middle, excess, 1)
    if slope <= 0:
        return Estimate((ends[0] + ends[1]) / 2, *ends)
    at = middle - height / slope
    scatter = excess - (height + slope * (rates - middle))
    noise = math.sqrt(float((scatter**2).sum()) / (_READINGS - 2))
    spread = float(((rates - middle) ** 2).sum())
    half = _STUDENT_QUANTILE * noise / slope
    half *= math.sqrt(1 / _READINGS + (at - middle) ** 2 / spread)
    value = float(min(max(at, rates[0]), rates[-1]))
    return Estimate(value, max(0.0, value - half), min(value + half, system.saturation_qps))


def replicas_for(
    system: SimulatedSystem,
    qps: float,
    bound: Bound,
    queries: int = DEFAULT_QUERIES,
    seed: int = 0,
    note: Note = lambda _: None,
) -> Prediction:
    """Give what the system does with the fewest replicas that keep the bound at a rate.

    Raises `SimulationError` if no number of replicas does.
    """
    one = system.with_replicas(1)
    if system.routing is Routing.RANDOM and system.failures is None:
        # Each replica is a system of its own, so the most that one can take decides.
        alone = capacity_of(one, bound, queries, seed, note)
        if alone is None:
            raise _too_slow(bound)
        replicas = math.ceil(qps / alone.qps.value)
        return predict(system.with_replicas(replicas), qps, queries, seed)

    def at(replicas: int) -> Prediction:
        made = predict(system.with_replicas(replicas), qps, queries, seed)
        note(f"{replicas:,} replicas {'keep' if bound.is_kept(made) else 'break'} the bound")
        return made

    low = max(0, math.ceil(qps / one.saturation_qps) - 1)
    step = 1
    found = at(low + step)
    while not bound.is_kept(found):
        step *= 2
        if low + step > max(_MOST_REPLICAS, 100 * low):
            raise _too_slow(bound)
        found = at(low + step)
    enough, low = low + step, low + step // 2
    while enough - low > 1:
        middle = (low + enough) // 2
        made = at(middle)
        if bound.is_kept(made):
            enough, found = middle, made
        else:
            low = middle
    return found


def _too_slow(bound: Bound) -> SimulationError:
    return SimulationError(
        f"no number of replicas keeps {bound.limit_ns / 1e6:g} ms at the "
        f"{100 * bound.percentile:g}th percentile: a query alone takes longer; raise --bound-ms, "
        "or describe a faster system"
    )
