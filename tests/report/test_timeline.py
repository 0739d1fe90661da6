"""Timelines for Perfetto: nested, in lanes that don't overlap, bounded, and whole JSON."""

from __future__ import annotations

import dataclasses
import gzip
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inferometer.loadgen import Scenario, judge
from inferometer.report.timeline import timeline_events, write_timeline
from inferometer.runs import Session
from tests.report.sessions import HOSTILE, latency_test, made_session
from tests.report.test_html import result_of, session_of
from tests.support import short_settings, simulate

Event = dict[str, Any]


def with_phases() -> Session:
    """Give a session of 32 queries served by two at once, in batches of two."""
    asked = short_settings(Scenario.SERVER, server_target_qps=2000.0, min_query_count=32)
    test = result_of(simulate(asked, 900_000, servers=2))
    (series,) = test.recording.series
    count = series.sample_count
    pairs = np.arange(count) // 2
    last_issued = series.issued_ns.reshape(-1, 2).max(axis=1)
    free = [0, 0]
    began = np.empty(count // 2, np.int64)
    for number, at in enumerate(last_issued):
        worker = int(np.argmin(free))
        began[number] = max(int(at), free[worker])
        free[worker] = int(began[number]) + 900_000
    series = dataclasses.replace(
        series,
        began_ns=began[pairs],
        preprocess_ns=np.full(count, 100_000, np.int64),
        infer_ns=np.full(count, 700_000, np.int64),
        completed_ns=began[pairs] + 900_000,
    )
    recording = dataclasses.replace(test.recording, series=(series,))
    test = dataclasses.replace(test, recording=recording, verdict=judge(recording))
    return session_of(test)


def check_nesting(events: list[Event]) -> None:
    """Check that what is begun is ended, last begun first, and never before it began."""
    open_spans: dict[tuple[int, str], list[Event]] = defaultdict(list)
    for event in events:
        if event["ph"] not in "be":
            continue
        stack = open_spans[event["pid"], event["id"]]
        if event["ph"] == "b":
            assert not stack or stack[-1]["ts"] <= event["ts"]
            stack.append(event)
        else:
            begun = stack.pop()
            assert begun["name"] == event["name"]
            assert begun["ts"] <= event["ts"]
    assert not any(open_spans.values())


def test_samples_with_their_phases() -> None:
    events = list(timeline_events([with_phases()]))
    check_nesting(events)
    begun = [event for event in events if event["ph"] == "b"]
    names = [event["name"] for event in begun]
    assert names.count("sample") == 32
    assert [names.count(name) for name in ("preprocess", "infer", "postprocess")] == [32] * 3
    (sample, *_) = [event for event in begun if event["name"] == "sample"]
    assert sample["args"].keys() == {
        "query", "sample", "sample_index", "lateness_ns", "latency_ns"
    }  # fmt: skip


def test_batches_lie_in_as_many_lanes_as_ran_at_once() -> None:
    events = list(timeline_events([with_phases()]))
    batches = [e for e in events if e["ph"] == "X" and e["name"].startswith("batch")]
    assert sum(event["args"]["samples"] for event in batches) == 32
    assert {event["tid"] for event in batches} == {1, 2}
    for lane in (1, 2):
        there = sorted((e["ts"], e["dur"]) for e in batches if e["tid"] == lane)
        ends = [ts + dur for ts, dur in there]
        assert all(end <= start + 1e-6 for end, (start, _) in zip(ends, there[1:], strict=False))
    named = [e["args"]["name"] for e in events if e["name"] == "thread_name"]
    assert named == ["series", "batches, lane 1", "batches, lane 2"]


def test_the_outstanding_count_ends_at_nothing() -> None:
    events = list(timeline_events([session_of(latency_test(Scenario.SERVER))]))
    counts = [e["args"]["samples"] for e in events if e["ph"] == "C"]
    times = [e["ts"] for e in events if e["ph"] == "C"]
    assert counts[-1] == 0
    assert max(counts) > 1
    assert min(counts) == 0
    assert times == sorted(set(times))


def test_the_limit_bounds_the_samples_and_is_told() -> None:
    events = list(timeline_events([made_session()], limit=10))
    # The accuracy test has two series, one for each loaded set.
    assert sum(event["ph"] == "b" for event in events) == 40
    told = [e["name"] for e in events if e["ph"] == "X"]
    assert "series 0, PerformanceOnly: 10 of 1000 samples" in told


def test_an_unanswered_sample_is_a_moment() -> None:
    session = session_of(latency_test(Scenario.SERVER))
    (series,) = session.tests[0].recording.series
    completed = series.completed_ns.copy()
    completed[2] = -1
    recording = dataclasses.replace(
        session.tests[0].recording, series=(dataclasses.replace(series, completed_ns=completed),)
    )
    test = dataclasses.replace(session.tests[0], recording=recording)
    events = list(timeline_events([session_of(test)], limit=5))
    assert [e["id"] for e in events if e["ph"] == "n"] == ["0.2"]
    assert [e["args"]["samples"] for e in events if e["ph"] == "C"][-1] == 1
    check_nesting(events)


@pytest.mark.parametrize("name", ["timeline.json", "timeline.json.gz"])
def test_files_are_whole_json(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    sessions = [made_session(name=HOSTILE), made_session()]
    write_timeline(path, sessions, limit=5)
    content = path.read_bytes()
    values = json.loads(gzip.decompress(content) if name.endswith("gz") else content)
    assert values["traceEvents"] == list(timeline_events(sessions, limit=5))
    assert {event["pid"] for event in values["traceEvents"]} == set(range(1, 7))
    for event in values["traceEvents"]:
        assert event["ph"] in "MXbenC"
        assert event["ph"] == "M" or event["ts"] >= 0


def test_nothing_gives_an_empty_timeline(tmp_path: Path) -> None:
    write_timeline(tmp_path / "t.json", [session_of()])
    assert json.loads((tmp_path / "t.json").read_text())["traceEvents"] == []
