"""Conditions: what was before a call, worked out by hand, and in both engines to the ns."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inferometer.simulating import BatchTime, Cold, Constant, Gamma, ServiceTime, Slack, Stalls
from inferometer.simulating.conditions import Coldness, RecentUse
from inferometer.simulating.distribution import Reals
from inferometer.simulating.events import replay_events
from inferometer.simulating.lane_arrivals import Arrivals
from inferometer.simulating.lanes import replay_lanes
from inferometer.simulating.system import Batching, SimulatedSystem
from tests.simulating.systems import MS, system_of

COLD = Cold(0.5 * MS, 4.0 * MS, 1.0 * MS)


class Latencies:
    """Latencies by group, as they come."""

    def __init__(self) -> None:
        self.parts: list[tuple[Reals, np.ndarray]] = []

    def add(self, latency_ns: Reals, group: np.ndarray) -> None:
        self.parts.append((latency_ns, group))

    def of(self, group: int) -> list[float]:
        return sorted(
            value for latency, groups in self.parts for value in latency[groups == group].tolist()
        )


def in_both(system: SimulatedSystem, due: list[float]) -> tuple[list[float], list[float]]:
    kept = Latencies()
    random = np.random.default_rng(1)
    came = np.array(due)
    replay_lanes(system, [Arrivals(came, came)], random, kept)
    return kept.of(0), sorted(replay_events(system, np.array(due)).latency_ns.tolist())


def test_a_worker_cools_while_idle_and_warms_while_busy() -> None:
    worker = Coldness(COLD, 0.0)
    assert worker.begin(3 * MS) == 1.0
    worker.end(4 * MS)
    warm = math.exp(-1.0)
    assert worker.begin(4 * MS) == pytest.approx(warm)
    worker.end(5 * MS)
    again = 1.0 - (1.0 - warm * math.exp(-1.0)) * math.exp(-0.5)
    assert worker.begin(7 * MS) == pytest.approx(again)


def test_what_was_lately_counts_most() -> None:
    use = RecentUse(0.5, workers=2)
    assert use.idle == 1.0
    use.pass_time(1e9, 2)
    assert use.idle == pytest.approx(0.0)
    use.pass_time(0.5e9, 0)
    begun = 1.0 - math.exp(-3.0)
    share = (1.0 - math.exp(-2.0)) * math.exp(-1.0) / begun
    assert use.idle == pytest.approx(1.0 - share)


def test_a_cold_call_takes_longer_by_hand() -> None:
    system = system_of()
    system = dataclasses.replace(system, service=dataclasses.replace(system.service, cold=COLD))
    lanes, events = in_both(system, [0.0, 0.5 * MS])
    # The first is wholly cold: 1.5 ms; the second begins as it ends.
    second = 1.0 + 1.0 + 0.5 * math.exp(-1.5)
    assert lanes == pytest.approx([1.5 * MS, second * MS])
    assert events == pytest.approx(lanes, abs=2)


GAPS = st.lists(st.integers(1, 4_000).map(lambda us: us * 1000.0), min_size=1, max_size=30)


@given(GAPS, st.integers(1, 3), st.sampled_from([1, 4]))
@settings(max_examples=40, deadline=None)
def test_lanes_and_events_agree_to_the_ns(gaps: list[float], workers: int, most: int) -> None:
    rows = tuple(BatchTime(n, (1 + 0.5 * n) * MS, Constant(1.0)) for n in (1, 4))
    service = ServiceTime(rows, contention=0.3, wake_ns=0.1 * MS, cold=COLD, slack=Slack(0.3, 0.02))
    service = dataclasses.replace(service, gather_ns=0.15 * MS)
    system = SimulatedSystem(service, batching=Batching(workers, most))
    lanes, events = in_both(system, np.cumsum(gaps).tolist())
    assert np.abs(np.array(lanes) - np.array(events)).max() < 2_000


def test_a_lane_is_slower_by_its_factor() -> None:
    kept = Latencies()
    runs = [(np.array([0.0, 10 * MS]), 1.0), (np.array([5 * MS]), 1.5)]
    arrivals = [Arrivals(due, due, factor) for due, factor in runs]
    replay_lanes(system_of(), arrivals, np.random.default_rng(1), kept)
    assert kept.of(0) == [MS, MS]
    assert kept.of(1) == [1.5 * MS]


def test_woken_calls_have_their_own_shape_in_both() -> None:
    row = BatchTime(1, 1.0 * MS, Constant(1.0), Gamma(1.0, 0.5))
    system = SimulatedSystem(ServiceTime((row,)))
    due = (np.arange(400) // 2 * 50 + np.arange(400) % 2 * 0.01) * MS
    for found in in_both(system, due.tolist()):
        # Every second call finds its worker busy and takes 1 ms after the first.
        assert len(set(np.round(found, 0))) > 300
        assert np.mean(found) == pytest.approx(1.5 * MS, rel=0.1)


def test_stalls_take_as_long_whatever_the_call_is_in_both() -> None:
    rows = tuple(BatchTime(n, n * MS, Constant(1.0)) for n in (1, 4))
    service = ServiceTime(rows, gather_ns=1e3, stalls=Stalls(50.0, Constant(7 * MS)))
    system = SimulatedSystem(service, batching=Batching(1, 4))
    # Calls of one and of four samples, far apart.
    sizes = np.tile([1, 4], 500)
    due = np.repeat(np.arange(1000) * 100 * MS, sizes)
    for found in in_both(system, due.tolist()):
        stalled = [round(value / MS) % 7 for value in found if value > 6.5 * MS]
        assert set(stalled) <= {1, 4}
        seen = [
            sum(value > 6.5 * MS for value in found if round(value / MS) % 7 == n) for n in (1, 4)
        ]
        # In 500 calls of 1 and of 4 ms; those of four samples are seen four times.
        assert seen[0] == pytest.approx(25, abs=16)
        assert seen[1] / 4 == pytest.approx(100, abs=35)
    assert service.best_rate(1, 4) == pytest.approx(1000 / 1.35)
