"""Timeline: recorded tests as trace events that Perfetto and Chrome open.

Every test is a process of its own: its samples with the phases of each, its batches in as
many lanes as ran at once, and how many samples were outstanding.
"""

from __future__ import annotations

import gzip
import heapq
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inferometer.loadgen import SeriesRecord, atomic_file
from inferometer.runs import Session, TestResult

__all__ = ["DEFAULT_LIMIT", "timeline_events", "write_timeline"]

DEFAULT_LIMIT = 20_000
"""How many samples of each series a timeline shows at most; each takes about a kilobyte."""

_Event = dict[str, Any]
_encoded = json.JSONEncoder(separators=(",", ":")).encode
_PHASES = ("wait", "preprocess", "infer", "postprocess")


def write_timeline(path: Path, sessions: Sequence[Session], limit: int = DEFAULT_LIMIT) -> None:
    """Write the timeline of some sessions, whole or not at all; packed if it ends in ``.gz``."""
    with atomic_file(path) as file:
        if path.suffix.lower() == ".gz":
            with gzip.GzipFile(
                filename="", mode="wb", fileobj=file, compresslevel=5, mtime=0
            ) as packed:
                _write(io.BufferedWriter(packed, 1 << 20), sessions, limit)
        else:
            _write(file, sessions, limit)


def _write(file: Any, sessions: Sequence[Session], limit: int) -> None:
    """Write event after event, a line each, so that memory stays small."""
    file.write(b'{"displayTimeUnit":"ns","traceEvents":[\n')
    for number, event in enumerate(timeline_events(sessions, limit)):
        file.write(b",\n" if number else b"")
        file.write(_encoded(event).encode("ascii"))
    file.write(b'\n],"otherData":{"version":"Inferometer"}}\n')
    file.flush()


def timeline_events(sessions: Sequence[Session], limit: int = DEFAULT_LIMIT) -> Iterator[_Event]:
    """Give the events; times are µs after the first series began, with ns as fractions."""
    starts = [
        series.wall_start_s
        for session in sessions
        for test in session.tests
        for series in test.recording.series
    ]
    first_s = min(starts, default=0.0)
    process = 0
    for session in sessions:
        for test in session.tests:
            process += 1
            yield _named("process_name", process, 0, f"{session.workload['name']}: {test.title}")
            yield {
                "name": "process_sort_index",
                "ph": "M",
                "pid": process,
                "tid": 0,
                "args": {"sort_index": process},
            }
            yield from _test_events(test, process, first_s, limit)


def _named(kind: str, process: int, thread: int, name: str) -> _Event:
    return {"name": kind, "ph": "M", "pid": process, "tid": thread, "args": {"name": name}}


def _test_events(test: TestResult, process: int, first_s: float, limit: int) -> Iterator[_Event]:
    lanes = 0
    for number, series in enumerate(test.recording.series):
        origin_ns = max(0, round((series.wall_start_s - first_s) * 1e9))
        shown = min(series.sample_count, limit)
        told = f"{shown} of {series.sample_count} samples"
        yield {
            "name": f"series {number}, {series.mode.value}: {told}",
            "ph": "X",
            "pid": process,
            "tid": 0,
            "ts": _us(origin_ns),
            "dur": _us(max(0, series.stop_ns)),
            "args": {"target_qps": series.target_qps, "samples": series.sample_count},
        }
        for sample in range(shown):
            yield from _sample_events(series, sample, (process, number, origin_ns))
        yield from _outstanding(series, shown, process, origin_ns)
        for lane, event in _batches(series, shown, origin_ns):
            lanes = max(lanes, lane)
            yield {**event, "pid": process, "tid": lane}
    yield _named("thread_name", process, 0, "series")
    for lane in range(1, lanes + 1):
        yield _named("thread_name", process, lane, f"batches, lane {lane}")


def _sample_events(
    series: SeriesRecord, sample: int, place: tuple[int, int, int]
) -> Iterator[_Event]:
    """Give a sample from scheduled to answered, with its phases nested in it."""
    process, number, origin_ns = place
    query = sample // series.samples_per_query
    due, issued = int(series.scheduled_ns[query]), int(series.issued_ns[query])
    done = int(series.completed_ns[sample])
    common = {"cat": "sample", "pid": process, "id": f"{number}.{sample}"}
    about = {
        "query": query,
        "sample": sample,
        "sample_index": int(series.sample_index[sample]),
        "lateness_ns": issued - due,
    }
    if done < 0:
        yield {
            **common,
            "name": "never answered",
            "ph": "n",
            "ts": _us(origin_ns + due),
            "args": about,
        }
        return
    about["latency_ns"] = done - due
    yield {**common, "name": "sample", "ph": "b", "ts": _us(origin_ns + due), "args": about}
    for name, start, stop in _phases(series, sample, issued, done):
        yield {**common, "name": name, "ph": "b", "ts": _us(origin_ns + start)}
        yield {**common, "name": name, "ph": "e", "ts": _us(origin_ns + stop)}
    yield {**common, "name": "sample", "ph": "e", "ts": _us(origin_ns + done)}


def _phases(
    series: SeriesRecord, sample: int, issued: int, done: int
) -> Iterator[tuple[str, int, int]]:
    """Give name, start and stop of the phases of a sample; none if its system didn't tell."""
    batch = _batch_of(series, sample)
    if batch is None:
        return
    began, preprocess, infer = batch
    stamps = [issued, began, began + preprocess, began + preprocess + infer, done]
    for name, start, stop in zip(_PHASES, stamps, stamps[1:], strict=False):
        if issued <= start <= stop <= done:
            yield name, start, stop


def _batch_of(series: SeriesRecord, sample: int) -> tuple[int, int, int] | None:
    """Give when work on a sample's batch began, and how long inputs and model took."""
    began, preprocess, infer = series.began_ns, series.preprocess_ns, series.infer_ns
    if began is None or preprocess is None or infer is None or began[sample] < 0:
        return None
    return int(began[sample]), int(preprocess[sample]), int(infer[sample])


def _batches(series: SeriesRecord, shown: int, origin_ns: int) -> Iterator[tuple[int, _Event]]:
    """Give each batch in the first lane that is free, from 1; lanes stand for workers."""
    found: dict[tuple[int, int, int], tuple[int, int]] = {}
    for sample in range(shown):
        batch = _batch_of(series, sample)
        if batch is not None:
            size, last = found.get(batch, (0, 0))
            found[batch] = size + 1, max(last, int(series.completed_ns[sample]))
    free: list[int] = []
    busy: list[tuple[int, int]] = []
    for (began, preprocess, infer), (size, last) in sorted(found.items()):
        while busy and busy[0][0] <= began:
            heapq.heappush(free, heapq.heappop(busy)[1])
        lane = heapq.heappop(free) if free else len(busy) + 1
        stop = max(last, began + preprocess + infer)
        heapq.heappush(busy, (stop, lane))
        yield lane, _batch_event(origin_ns + began, stop - began, size, (preprocess, infer))


def _batch_event(start_ns: int, lasted_ns: int, size: int, parts: tuple[int, int]) -> _Event:
    arguments: Mapping[str, int] = {
        "samples": size,
        "preprocess_ns": parts[0],
        "infer_ns": parts[1],
    }
    return {
        "name": f"batch of {size}",
        "ph": "X",
        "ts": _us(start_ns),
        "dur": _us(lasted_ns),
        "args": arguments,
    }


def _outstanding(
    series: SeriesRecord, shown: int, process: int, origin_ns: int
) -> Iterator[_Event]:
    """Give how many of the shown samples were issued and not yet answered, at each change."""
    query = np.arange(shown) // series.samples_per_query
    done = series.completed_ns[:shown]
    stamps = np.concatenate([series.issued_ns[query], done[done >= 0]])
    changes = np.concatenate([np.ones(shown, np.int64), np.full(int((done >= 0).sum()), -1)])
    order = np.lexsort((changes, stamps))
    stamps, counts = stamps[order], np.cumsum(changes[order])
    # Of changes at one time only the last counts.
    is_last = np.append(stamps[1:] != stamps[:-1], True)[: len(stamps)]
    for at, count in zip(stamps[is_last].tolist(), counts[is_last].tolist(), strict=True):
        yield {
            "name": "outstanding samples",
            "ph": "C",
            "pid": process,
            "ts": _us(origin_ns + at),
            "args": {"samples": count},
        }


def _us(at_ns: int) -> float:
    return at_ns / 1000
