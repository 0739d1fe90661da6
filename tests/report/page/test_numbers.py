"""The numbers behind the charts: each is recomputed from the recording in the plain way."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from benchmarks.report import long_recording
from hypothesis import given, settings
from hypothesis import strategies as st

from inferometer.loadgen import PhaseTimes, Scenario, SeriesRecord, percentile
from inferometer.report.page.batch_sizes import BatchSizes
from inferometer.report.page.ladder import Ladder
from inferometer.report.page.pyramid import level_of, pyramid
from inferometer.report.page.queue_depth import QueueDepth
from inferometer.report.page.raw_rows import latency_by_query, raw_rows
from inferometer.report.page.slowest import slowest_of
from inferometer.report.page.stage_windows import StageWindows
from inferometer.report.page.time_bins import TimeBins
from tests.report.page.test_packing import unpacked

latencies = st.lists(st.integers(0, 10**12), min_size=1, max_size=300)


@pytest.fixture(scope="module")
def server() -> SeriesRecord:
    series = long_recording(Scenario.SERVER, 3000).performance
    assert series is not None
    return series


@given(latencies, st.integers(1, 40))
@settings(deadline=None)
def test_each_number_of_a_level_is_that_of_its_window(values: list[int], per: int) -> None:
    at = np.arange(len(values), dtype=np.int64) * 10
    level = level_of(at, np.array(values, np.int64), per)
    for number, start in enumerate(range(0, len(values), per)):
        window = np.sort(np.array(values[start : start + per], np.int64))
        assert level.first_ns[number] == at[start]
        assert level.least[number] == window[0]
        assert level.median[number] == percentile(window, 0.5)
        assert level.high[number] == percentile(window, 0.99)
        assert level.most[number] == window[-1]
    assert len(level.most) == -(-len(values) // per)


def test_a_pyramid_gets_finer_within_its_budget() -> None:
    values = np.arange(100_000, dtype=np.int64)
    levels = pyramid(values, values, 6000)
    assert [level.per for level in levels] == [715, 178, 44]
    assert len(levels[0].most) == 140
    assert [len(level.most) <= 6000 for level in levels] == [True] * 3


@given(latencies, st.sampled_from([30, 8192]))
@settings(deadline=None, max_examples=60)
def test_rungs_count_exactly(values: list[int], most: int) -> None:
    ladder = Ladder.of(np.array(values, np.int64), most)
    assert ladder.is_complete == (len(set(values)) <= most)
    assert (np.diff(ladder.rungs) > 0).all()
    for rung, at_or_below in zip(ladder.rungs, ladder.at_or_below, strict=True):
        assert at_or_below == sum(value <= rung for value in values)
    assert ladder.at_or_below[-1] == ladder.count == len(values)


def test_rungs_of_a_long_run_are_few_and_hold_the_slowest() -> None:
    values = np.random.default_rng(1).lognormal(12, 1, 50_000).astype(np.int64)
    ladder = Ladder.of(values, 3000)
    assert not ladder.is_complete
    assert len(ladder.rungs) < 4000 + 1
    assert set(np.sort(values)[-1000:]) <= set(ladder.rungs.tolist())


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 400)), min_size=1, max_size=60))
@settings(deadline=None, max_examples=60)
def test_queue_depth_is_what_counting_by_hand_gives(queries: list[tuple[int, int]]) -> None:
    issued = np.array(sorted(start for start, _ in queries), np.int64)
    done = issued + np.array([duration for _, duration in queries], np.int64)
    bins = TimeBins(100, 15)
    depth = QueueDepth.of(issued, done, bins)
    by_hand = [int((issued <= t).sum() - (done <= t).sum()) for t in range(1500)]
    for number in range(bins.count):
        stretch = by_hand[number * 100 : number * 100 + 100]
        assert depth.at_start[number] == stretch[0]
        assert depth.least[number] == min(stretch)
        assert depth.most[number] == max(stretch)


@given(st.integers(1, 10**12), st.integers(0, 10**6))
@settings(deadline=None, max_examples=60)
def test_time_bins_cover_the_run(last_ns: int, events: int) -> None:
    bins = TimeBins.over(last_ns, events)
    assert (bins.count - 1) * bins.width_ns <= last_ns < bins.count * bins.width_ns
    assert bins.count <= 4096
    counts = bins.counts(np.array([0, last_ns], np.int64))
    assert counts.sum() == 2
    edges = bins.groups(64)
    assert (edges[0], edges[-1]) == (0, bins.count)
    assert len(edges) <= 65


def test_batches_are_told_apart_by_their_stamps(server: SeriesRecord) -> None:
    found = BatchSizes.of(server)
    assert found is not None
    assert server.began_ns is not None
    sizes = np.unique(server.began_ns, return_counts=True)[1]
    assert dict(zip(found.sizes.tolist(), found.batches.tolist(), strict=True)) == {
        size: int((sizes == size).sum()) for size in set(sizes.tolist())
    }
    assert (found.sizes * found.batches).sum() == server.sample_count
    assert 1 < found.mean < 8
    assert BatchSizes.of(dataclasses.replace(server, began_ns=None)) is None


@pytest.mark.parametrize("with_wait", [True, False])
def test_stages_add_up_to_the_time_from_issue_to_answer(
    server: SeriesRecord, with_wait: bool
) -> None:
    times = PhaseTimes.of(server)
    assert times is not None
    windows = StageWindows.of(times, with_wait=with_wait, most=100)
    assert windows.per == 30
    assert list(windows.sums_ns) == ["wait", "preprocess", "infer", "postprocess"][not with_wait :]
    whole = sum(int(sums.sum()) for sums in windows.sums_ns.values())
    begun = server.issued_ns if with_wait else times.began_ns
    assert whole == int((server.completed_ns - begun).sum())
    assert int(windows.sums_ns["infer"][0]) == int(times.infer[:30].sum())


def test_rows_are_the_recording(server: SeriesRecord) -> None:
    rows = raw_rows(server)
    columns = {one["name"]: one for one in rows["columns"]}
    assert (rows["noun"], rows["count"]) == ("query", 3000)
    scheduled = unpacked(columns["scheduled_ns"]["values"])
    assert scheduled == server.scheduled_ns.tolist()
    for name, recorded in (("issued_ns", server.issued_ns), ("completed_ns", server.completed_ns)):
        assert columns[name]["plus"] == "scheduled_ns"
        offsets = unpacked(columns[name]["values"])
        assert [a + b for a, b in zip(scheduled, offsets, strict=True)] == recorded.tolist()
    for name in ("sample_index", "began_ns", "preprocess_ns", "infer_ns"):
        assert unpacked(columns[name]["values"]) == getattr(server, name).tolist()


def test_what_was_never_answered_has_no_latency(server: SeriesRecord) -> None:
    completed = server.completed_ns.copy()
    completed[5] = -1
    series = dataclasses.replace(server, completed_ns=completed)
    assert latency_by_query(series)[5] == -1
    assert (np.delete(latency_by_query(series), 5) == series.query_latency_ns).all()


def test_the_slowest_queries_come_first_with_their_stages(server: SeriesRecord) -> None:
    slowest = slowest_of(server)
    latency = np.sort(server.query_latency_ns)[::-1]
    assert [slow.latency_ns for slow in slowest] == latency[:10].tolist()
    for slow in slowest:
        assert sum(slow.stages_ns.values()) + slow.lateness_ns == slow.latency_ns
        assert slow.sample_index == server.sample_index[slow.number]
