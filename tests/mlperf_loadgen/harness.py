"""A small harness over the published API, for whichever module implements it.

``lg`` is always that module: Inferometer's, of either era, or the published wheel.
"""

from __future__ import annotations

import array
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inferometer.mlperf_loadgen.api import CURRENT, V05, api_module

OURS: Any = api_module(CURRENT)
OURS_V05: Any = api_module(V05)

SCENARIOS = ("SingleStream", "MultiStream", "Server", "Offline")
MODES = ("PerformanceOnly", "AccuracyOnly")
KINDS = ("summary.txt", "detail.txt", "accuracy.json", "trace.json")

NO_WHEEL = (
    "skipped, not passed: the published package isn't installed; "
    "`pip install mlcommons-loadgen` (pinned in requirements/bench.txt) enables the comparison"
)

_MARK = ":::MLLOG "
_SAMPLE = re.compile(
    r'"name":"Sample","cat":"default","ph":"b","pid":\d+,"id":(\d+),"ts":(\d+)\.(\d{3}),'
    r'"args":\{"sample_seq":(\d+),"query_seq":(\d+),"sample_idx":(\d+)'
)

Issue = Callable[[list[Any]], None]


@dataclass(frozen=True)
class TracedSample:
    """A sample as the trace shows it; ``due_ns`` counts from the trace's own origin."""

    sample_seq: int
    query_seq: int
    sample_idx: int
    due_ns: int


@dataclass
class Seen:
    """What a test did: the calls it made, in order, and the log files it left."""

    folder: Path
    events: list[tuple[str, list[int]]] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)

    def calls(self, kind: str) -> list[list[int]]:
        """The arguments of all calls of a kind: load, issue, flush or unload."""
        return [given for name, given in self.events if name == kind]

    def text(self, kind: str) -> str:
        return (self.folder / f"mlperf_log_{kind}").read_text(encoding="utf-8")

    @property
    def records(self) -> list[tuple[str, Any]]:
        """Keys and values of the detail log, in order."""
        lines = self.text("detail.txt").splitlines()
        entries = [json.loads(line.removeprefix(_MARK)) for line in lines]
        return [(entry["key"], entry["value"]) for entry in entries]

    def values(self, key: str) -> list[Any]:
        return [value for name, value in self.records if name == key]

    @property
    def answers(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = json.loads(self.text("accuracy.json"))
        return entries

    @property
    def traced(self) -> list[TracedSample]:
        """Every sample of the trace by its number; the published trace is not valid JSON."""
        found = [
            TracedSample(int(seq), int(query), int(index), int(whole) * 1000 + int(part))
            for _, whole, part, seq, query, index in _SAMPLE.findall(self.text("trace.json"))
        ]
        return sorted(found, key=lambda sample: sample.sample_seq)


# These depend on how fast the machine was, or on who wrote the log.
_OF_THE_RUN = (
    "loadgen_",
    "test_datetime",
    "get_sut_name",
    "logger_",
    "power_",
    "early_",
    "result_",
    "num_errors",
)
# The published package notices a full log buffer, and clocks that round differently.
_NOTICES = ("Logging allocation detected", "PerfClock and system_clock differ")


def decided(seen: Seen) -> list[tuple[str, Any]]:
    """The records of the detail log that the settings alone decide."""
    return only_decided(seen.records)


def only_decided(records: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    return [
        (key, value)
        for key, value in records
        if not key.startswith(_OF_THE_RUN) and not str(value).startswith(_NOTICES)
    ]


def settings_for(lg: Any, scenario: str, mode: str, **changes: Any) -> Any:
    """Settings of a test that is over at once: 100 queries unless told otherwise."""
    asked = lg.TestSettings()
    asked.scenario = getattr(lg.TestScenario, scenario)
    asked.mode = getattr(lg.TestMode, mode)
    asked.min_duration_ms = 0
    asked.server_target_qps = 20_000.0
    for name, value in changes.items():
        setattr(asked, name, value)
    return asked


def logs_in(lg: Any, folder: Path, **changes: Any) -> Any:
    """Log settings for a folder; ``changes`` are fields of either settings object."""
    logs = lg.LogSettings()
    logs.log_output.outdir = str(folder)
    for name, value in changes.items():
        setattr(logs if hasattr(logs, name) else logs.log_output, name, value)
    return logs


def answer(lg: Any, samples: list[Any]) -> None:
    """Answer each sample with the four bytes of its index."""
    data = array.array("I", [sample.index for sample in samples])
    address, _ = data.buffer_info()
    size = data.itemsize
    lg.QuerySamplesComplete(
        [
            lg.QuerySampleResponse(sample.id, address + row * size, size)
            for row, sample in enumerate(samples)
        ]
    )


def run(
    lg: Any,
    folder: Path,
    asked: Any,
    *,
    total: int = 50,
    performance: int = 20,
    issue: Issue | None = None,
    flush: Callable[[], Any] = lambda: None,
    logs: Any = None,
    audit: str | None = None,
) -> Seen:
    """Run a test whose system answers at once unless ``issue`` does otherwise."""
    seen = Seen(folder)
    events, ids = seen.events, seen.ids

    def note_issue(samples: list[Any]) -> None:
        events.append(("issue", [sample.index for sample in samples]))
        ids.extend(sample.id for sample in samples)
        if issue is None:
            answer(lg, samples)
        else:
            issue(samples)

    def note_flush() -> None:
        events.append(("flush", []))
        flush()

    sut = lg.ConstructSUT(note_issue, note_flush)
    library = library_of(lg, total, performance, events)
    try:
        logs = logs or logs_in(lg, folder, enable_trace=False)
        where = str(folder / "audit.config") if audit is None else audit
        lg.StartTestWithLogSettings(sut, library, asked, logs, where)
    finally:
        lg.DestroyQSL(library)
        lg.DestroySUT(sut)
    return seen


def library_of(
    lg: Any, total: int, performance: int, events: list[tuple[str, list[int]]] | None = None
) -> Any:
    """Construct a library that only notes what is loaded and unloaded."""
    noted: list[tuple[str, list[int]]] = [] if events is None else events
    return lg.ConstructQSL(
        total,
        performance,
        lambda indices: noted.append(("load", list(indices))),
        lambda indices: noted.append(("unload", list(indices))),
    )
