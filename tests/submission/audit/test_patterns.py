"""What times within one series give away: exact, from made-up series."""

from __future__ import annotations

import numpy as np
import pytest

from inferometer.loadgen import Mode, SeriesRecord
from inferometer.submission.audit.patterns import lull_pairs, repeat_pairs, time_pairs


def series(
    issued: list[int], latencies: list[int], samples: list[int] | None = None
) -> SeriesRecord:
    starts = np.array(issued, np.int64)
    count = len(issued)
    return SeriesRecord(
        mode=Mode.PERFORMANCE,
        samples_per_query=1,
        scheduled_ns=starts,
        issued_ns=starts,
        completed_ns=starts + np.array(latencies, np.int64),
        sample_index=np.array(samples or range(count), np.int64),
        generated_query_count=count,
        generated_duration_ns=0,
        first_sample_id=0,
        wall_start_s=0.0,
        wall_stop_s=0.0,
        stop_ns=0,
        target_qps=1.0,
    )


def closed_loop(latencies: list[int], samples: list[int] | None = None) -> SeriesRecord:
    issued = np.concatenate([[0], np.cumsum(latencies)[:-1]]).tolist()
    return series(issued, latencies, samples)


def test_samples_asked_again_are_compared_within_blocks() -> None:
    samples = [index // 2 for index in range(240)]
    pairs = repeat_pairs(closed_loop([1000, 500] * 120, samples))
    assert pairs == [(1e6, 2e6)] * 12


def test_blocks_without_both_kinds_are_left_out() -> None:
    assert repeat_pairs(closed_loop([1000] * 240)) == []


def test_early_and_late_queries_are_compared_after_the_warm_up() -> None:
    latencies = [9000] * 20 + [1000] * 45 + [500] * 35
    assert time_pairs(closed_loop(latencies)) == [(1e6, 2e6)]
    assert time_pairs(closed_loop([1000] * 10)) == []


def test_lulls_are_those_of_an_idle_system() -> None:
    issued, latencies, now = [], [], 0
    for number in range(90):
        lull = 10_000 * (1 + number % 3)
        latency = 400 if number % 3 == 2 else 800
        now += lull
        issued.append(now)
        latencies.append(latency)
        now += latency
    ((short, long),) = lull_pairs(series(issued, latencies))
    assert (short, long) == (1e9 / 800, 1e9 / 400)


def test_queries_that_wait_have_no_lull() -> None:
    assert lull_pairs(series(list(range(90)), [1000] * 90)) == []


@pytest.mark.parametrize("judge", [repeat_pairs, time_pairs, lull_pairs])
def test_an_empty_series_says_nothing(judge: object) -> None:
    assert callable(judge)
    assert judge(series([], [])) == []
