"""Events: a cluster on its own, without the load generator, one event after the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inferometer.loadgen import VirtualClock
from inferometer.simulating.cluster import Cluster
from inferometer.simulating.distribution import Reals
from inferometer.simulating.system import SimulatedSystem

__all__ = ["Happened", "replay_events", "run_events"]

_DRAIN_NS = 1_000_000_000
_PATIENCE_S = 3600


@dataclass(frozen=True)
class Happened:
    """What a cluster did.

    latency_ns:
        float64 [queries], in the order of arrival; NaN where there was never an answer.
    span_ns:
        From the first arrival to the last.
    """

    latency_ns: Reals
    span_ns: float
    calls: int
    samples: int
    busy_ns: float
    lost: int
    retried: int


def run_events(system: SimulatedSystem, rate_qps: float, queries: int, seed: int = 0) -> Happened:
    """Let so many queries of one sample come at random times, and answer them all."""
    arrivals, inside = np.random.SeedSequence(seed).spawn(2)
    gaps = np.random.default_rng(arrivals).standard_exponential(queries) * (1e9 / rate_qps)
    return replay_events(system, np.cumsum(gaps), int(inside.generate_state(1)[0]))


def replay_events(system: SimulatedSystem, due_ns: Reals, seed: int = 0) -> Happened:
    """Let queries of one sample come at given times, and answer them all."""
    clock = VirtualClock()
    due = np.rint(due_ns).astype(np.int64) + clock.now_ns()
    cluster = Cluster(system, clock, seed)
    latency: Reals = np.full(len(due), np.nan)
    answers = _Answers(latency, len(due))
    for number, at in enumerate(due.tolist()):
        clock.sleep_until(at, _never)
        cluster.issue(_Bare(answers, clock, number, at))
    busy_ns = cluster.busy_ns
    cluster.flush()
    for _ in range(_PATIENCE_S):
        if answers.left <= cluster.lost:
            break
        clock.sleep_until(clock.now_ns() + _DRAIN_NS, _never)
    return Happened(
        latency_ns=latency,
        span_ns=float(due[-1] - due[0]),
        calls=cluster.calls,
        samples=cluster.samples,
        busy_ns=busy_ns,
        lost=cluster.lost,
        retried=cluster.retried,
    )


def _never() -> bool:
    return False


class _Answers:
    """Latencies that come in, and how many are missing."""

    def __init__(self, latency_ns: Reals, left: int):
        self.latency, self.left = latency_ns, left


class _Bare:
    """A query of one sample of which only the latency is of interest."""

    __slots__ = ("_answers", "_clock", "_due_ns", "_number")

    def __init__(self, answers: _Answers, clock: VirtualClock, number: int, due_ns: int):
        self._answers, self._clock, self._number, self._due_ns = answers, clock, number, due_ns

    def __len__(self) -> int:
        return 1

    def note_phases(self, *_: object) -> None:
        """Keep nothing of it."""

    def complete(self, *_: object) -> None:
        """Take the answer."""
        self._answers.latency[self._number] = float(self._clock.now_ns() - self._due_ns)
        self._answers.left -= 1
