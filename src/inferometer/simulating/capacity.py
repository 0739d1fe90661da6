"""Capacity: the most that a described system can take, or the least system for a rate."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from inferometer.capacity import Goal, Observation, Outcome, Search
from inferometer.simulating.predicting import DEFAULT_QUERIES, predict
from inferometer.simulating.prediction import Prediction
from inferometer.simulating.system import Routing, SimulatedSystem, SimulationError
from inferometer.simulating.tally import Estimate

__all__ = ["Bound", "Capacity", "capacity_of", "replicas_for"]

Note = Callable[[str], None]

_START = 0.6
_PRECISION = 0.01
_HIGHEST = 0.995
_NEARLY_IDLE = 1e-3
_MOST_REPLICAS = 1_000_000
_DEVIATIONS = 2.0


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

    Each end of its interval holds at 95 %: it is what simulating leaves open.
    ``is_saturation`` where the bound is kept at every rate that the system can answer at all.
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

    It is searched for as on a real system, with a simulation in place of each run.
    """
    top = system.saturation_qps * _HIGHEST
    goal = Goal(
        start=top * _START,
        least=top * _NEARLY_IDLE,
        most=top,
        pass_share=0.5,
        precision=_PRECISION,
        saturation=system.saturation_qps,
    )

    def measure(load: float) -> Observation:
        made = predict(system, load, queries, seed + len(search.observations))
        note(f"{load:,.4g} queries a second {'keep' if bound.is_kept(made) else 'break'} the bound")
        return _observation(made, bound)

    search = Search(goal, measure)
    outcome = search.run()
    if outcome is Outcome.NEVER:
        return None
    is_saturation = outcome is Outcome.UNBOUNDED
    found = search.estimate
    qps = (
        Estimate(top, top, top) if is_saturation else Estimate(found.middle, found.low, found.high)
    )
    return Capacity(qps, predict(system, qps.value, queries, seed), is_saturation)


def _observation(made: Prediction, bound: Bound) -> Observation:
    """Give a prediction as the search sees a whole run that came to the same."""
    excess = bound.excess(made)
    if not math.isfinite(excess):
        return Observation(made.qps, math.inf, None, has_met=False, queries=made.queries)
    found = made.percentile(bound.percentile / (1.0 - made.lost))
    noise = (found.high - found.low) / 2 / _DEVIATIONS / found.value
    return Observation(
        load=made.qps,
        share=math.exp(excess),
        noise=noise if 0 < noise < math.inf else None,
        has_met=excess <= 0.0,
        seconds=made.queries / made.qps,
        queries=made.queries,
    )


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
