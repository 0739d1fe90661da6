"""Comparisons: interleaved, repeated, and confirmed before anybody is accused."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from inferometer.loadgen import Scenario
from inferometer.submission.audit.bench import Bench
from inferometer.submission.audit.comparison import NothingMeasured, compare
from inferometer.submission.audit.effort import AuditEffort
from inferometer.submission.audit.observation import Observation
from inferometer.submission.audit.same_answer import same_answer_of
from inferometer.submission.audit.speed import speed_of, typical_latency_ns
from tests.submission.audit.honest import WORK_NS, Simulated

EFFORT = AuditEffort()


@pytest.fixture(scope="module")
def seen() -> Observation:
    bench = Bench(Simulated(noise=0.0))
    return bench.run(bench.settings(Scenario.SINGLE_STREAM))


def times_as_slow(seen: Observation, factor: float) -> Observation:
    (series,) = seen.series
    slower = dataclasses.replace(
        series, completed_ns=(series.issued_ns + (series.latency_ns * factor)).astype(np.int64)
    )
    recording = dataclasses.replace(seen.recording, series=(slower,))
    return dataclasses.replace(seen, recording=recording)


def arms(
    seen: Observation, factor: Callable[[int], float], order: list[str]
) -> tuple[Callable[[int], Observation], Callable[[int], Observation]]:
    def favoured(number: int) -> Observation:
        order.append(f"B{number}")
        return seen

    def plain(number: int) -> Observation:
        order.append(f"A{number}")
        return times_as_slow(seen, factor(number))

    return favoured, plain


def test_pairs_are_interleaved_and_a_suspicion_is_confirmed(seen: Observation) -> None:
    order: list[str] = []
    found = compare(*arms(seen, lambda _: 1.5, order), EFFORT)
    assert order[:8] == ["A0", "B0", "B1", "A1", "A2", "B2", "B3", "A3"]
    assert len(order) == 2 * 2 * EFFORT.pairs
    assert found.is_suspicious
    assert found.gain.value == pytest.approx(1.5, rel=1e-3)


def test_what_is_not_seen_again_accuses_nobody(seen: Observation) -> None:
    order: list[str] = []
    found = compare(
        *arms(seen, lambda number: 1.5 if number < EFFORT.pairs else 1.0, order), EFFORT
    )
    assert found.gain.low > 1 + found.margin
    assert not found.is_suspicious


def test_a_small_difference_costs_no_second_look(seen: Observation) -> None:
    order: list[str] = []
    assert not compare(*arms(seen, lambda _: 1.05, order), EFFORT).is_suspicious
    assert len(order) == 2 * EFFORT.pairs


def test_short_queries_have_a_wider_margin() -> None:
    assert EFFORT.margin_for(EFFORT.short_ns - 1) > EFFORT.margin_for(EFFORT.short_ns)


def test_nothing_answered_is_told(seen: Observation) -> None:
    nothing = dataclasses.replace(
        seen, recording=dataclasses.replace(seen.recording, series=(), result_series=None)
    )
    with pytest.raises(NothingMeasured):
        compare(lambda _: nothing, lambda _: nothing, EFFORT)
    assert speed_of(nothing) is None


def test_speed_hardly_minds_a_few_stalls(seen: Observation) -> None:
    usual = typical_latency_ns(seen)
    assert usual == pytest.approx(WORK_NS, rel=1e-6)
    (series,) = seen.series
    completed = series.completed_ns.copy()
    completed[:5] += 10**9
    stalled = dataclasses.replace(series, completed_ns=completed)
    other = dataclasses.replace(
        seen, recording=dataclasses.replace(seen.recording, series=(stalled,))
    )
    assert typical_latency_ns(other) == pytest.approx(usual, rel=1e-6)


def test_detections_may_differ_in_last_digits_and_index() -> None:
    same = same_answer_of("object detection")
    one = np.array([[3, 0.1, 0.1, 0.5, 0.5, 0.90, 1], [3, 0.2, 0.2, 0.6, 0.6, 0.80, 2]], "<f4")
    other = one[::-1] + np.array([4, 1e-3, 0, 0, 0, -1e-3, 0], "<f4")
    assert same(one.tobytes(), other.tobytes())
    assert not same(one.tobytes(), one[:1].tobytes())
    assert not same(one.tobytes(), (one + np.array([0, 0, 0, 0.1, 0, 0, 0], "<f4")).tobytes())
    assert same(b"", b"")
    assert not same_answer_of("image classification")(one.tobytes(), other.tobytes())
