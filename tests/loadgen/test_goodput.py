"""Goodput: which requests met both bounds, from which time on."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from inferometer.loadgen import Goodput, Mode, Scenario, Settings
from inferometer.loadgen.effective import derive
from inferometer.loadgen.goodput import goodput_of
from inferometer.loadgen.recording import SeriesRecord

MS = 1_000_000


def series_of(first: list[int], completed: list[int], tokens: list[int]) -> SeriesRecord:
    """Give four queries, scheduled at 0, 10, 20 and 30 ms; times in ms, -1 for never."""
    count = len(first)
    scheduled = np.arange(count, dtype=np.int64) * 10 * MS
    stamps = (np.array(times, np.int64) * MS for times in (first, completed))
    first_ns, completed_ns = (np.where(one < 0, -1, one) for one in stamps)
    return SeriesRecord(
        mode=Mode.PERFORMANCE,
        samples_per_query=1,
        scheduled_ns=scheduled,
        issued_ns=scheduled,
        completed_ns=completed_ns,
        sample_index=np.zeros(count, np.int32),
        generated_query_count=count,
        generated_duration_ns=0,
        first_sample_id=0,
        wall_start_s=0.0,
        wall_stop_s=0.0,
        stop_ns=0,
        target_qps=1.0,
        first_token_ns=first_ns,
        token_count=np.array(tokens, np.int64),
    )


def settings_of(scenario: Scenario) -> Settings:
    return Settings(
        scenario=scenario, use_token_latencies=True, ttft_latency_ns=5 * MS, tpot_latency_ns=2 * MS
    )


SERVER = derive(settings_of(Scenario.SERVER), 10, 10)
OFFLINE = derive(settings_of(Scenario.OFFLINE), 10, 10)


def test_both_bounds_have_to_be_met() -> None:
    # On both bounds; first token late; tokens slow; never answered.
    series = series_of([5, 16, 21, 33], [9, 18, 27, -1], [3, 3, 3, 0])
    goodput = goodput_of(series, SERVER)
    assert goodput is not None
    assert (goodput.good, goodput.total, goodput.share) == (1, 4, 0.25)
    assert goodput.interval.low == pytest.approx(0.0456, abs=1e-4)
    assert goodput.interval.high == pytest.approx(0.6994, abs=1e-4)
    assert goodput.per_s == pytest.approx(1 / 0.027)
    assert goodput.tokens_per_s == pytest.approx(3 / 0.027)
    assert goodput.first_token is not None
    assert (goodput.first_token.min_ns, goodput.first_token.max_ns) == (1 * MS, 6 * MS)
    assert goodput.per_token is not None
    assert goodput.per_token.max_ns == 3 * MS
    assert goodput.whole is not None
    assert goodput.whole.max_ns == 9 * MS
    assert not goodput.from_sending


def test_without_tokens_nothing_is_good() -> None:
    goodput = goodput_of(series_of([1, 11], [2, 12], [0, 2]), SERVER)
    assert goodput is not None
    assert (goodput.good, goodput.total) == (1, 2)


def test_offline_counts_from_sending() -> None:
    series = series_of([104, 206], [106, 208], [2, 2])
    series = dataclasses.replace(
        series,
        scheduled_ns=np.zeros(2, np.int64),
        began_ns=np.array([100, 200], np.int64) * MS,
    )
    goodput = goodput_of(series, OFFLINE)
    assert goodput is not None
    assert goodput.from_sending
    assert (goodput.good, goodput.total) == (1, 2)
    assert goodput.whole is not None
    assert goodput.whole.max_ns == 8 * MS


def test_nothing_where_no_first_token_was_told() -> None:
    assert goodput_of(series_of([-1], [5], [4]), OFFLINE) is None
    plain = dataclasses.replace(series_of([1], [5], [4]), first_token_ns=None, token_count=None)
    assert goodput_of(plain, SERVER) is None


def test_misses_that_cluster_leave_the_share_less_certain() -> None:
    wide = dataclasses.replace(SERVER, tpot_latency_ns=10**15)

    def goodput_with(misses: list[bool]) -> Goodput:
        first = [10 * number + (900 if misses[number] else 1) for number in range(2000)]
        found = goodput_of(series_of(first, [10**6] * 2000, [2] * 2000), wide)
        assert found is not None
        assert found.share == 0.75
        return found

    chance = np.random.default_rng(1).permutation(2000) < 500
    alone = goodput_with(chance.tolist())
    together = goodput_with([(number // 50) % 4 == 0 for number in range(2000)])
    assert alone.interval.low == pytest.approx(0.7306, abs=5e-3)
    assert together.interval.low is None or together.interval.low < 0.715
