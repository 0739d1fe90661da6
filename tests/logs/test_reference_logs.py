"""Everything in the reference logs, reproduced: order, sets, schedules and all four files.

Each reference folder was written by the published LoadGen. The same settings run here on
the virtual clock against a system of about the same speed; then numbers, ids, times and
versions are blanked in both, and the rest has to be equal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inferometer.loadgen import (
    Era,
    Message,
    Query,
    RunOptions,
    RunOutcome,
    Settings,
    VirtualClock,
    judge,
    run_test,
)
from inferometer.logs import LogSettings, apply_audit_file, write_logs
from tests.support import SHARED_DATA, Library, shared_data

REFERENCE = SHARED_DATA / "loadgen-logs"
_ERAS = {
    "v0.5": Era.V05_OCTOBER,
    "v4.0": Era.V2,
    "v5.0.25": Era.V2,
    "v6.0.17": Era.CURRENT,
}
_RENAMED = {"ttft_latency": "ttft_latency_ns", "tpot_latency": "tpot_latency_ns"}
FOLDERS = sorted(f"{p.parent.parent.name}/{p.parent.name}" for p in REFERENCE.glob("*/*/cfg.json"))


@dataclass
class Case:
    """A reference folder with the run that repeats it."""

    folder: Path
    config: dict[str, Any]
    settings: Settings
    calls: list[tuple[Any, ...]]
    outcome: RunOutcome

    @property
    def reference_calls(self) -> list[tuple[Any, ...]]:
        """The callbacks of the reference, without their times."""
        listed = json.loads((self.folder / "calls.json").read_text())["calls"]
        kept = [call for call in listed if call[0] != "latencies"]
        return [("flush",) if call[0] == "flush" else (call[0], call[1]) for call in kept]


class TickingClock(VirtualClock):
    """Virtual time in which, as in real time, no two readings are alike."""

    def now_ns(self) -> int:
        self.advance(1)
        return super().now_ns()


class ReferenceSystem:
    """Answers as the reference harness did, in virtual time, taking notes of all calls.

    Where the reference looked for the peak, it meets the bound up to the load that was
    found there and answers just too late beyond it.
    """

    name = "PySUT"

    def __init__(
        self, clock: VirtualClock, config: dict[str, Any], settings: Settings, peak: float | None
    ):
        self.calls: list[tuple[Any, ...]] = []
        self._clock, self._config, self._settings, self._peak = clock, config, settings, peak
        self._delay_ns = int(config.get("delay_s", 1e-5) * 1e9)
        self._free_ns = 0
        self._first_duration_ns = 0

    def issue(self, query: Query) -> None:
        self.calls.append(("issue", query.indices.tolist()))
        if self._config.get("first_token"):
            self._clock.call_later(1000, lambda: query.first_token(self._answers(query)))
        if self._peak is not None:
            self._clock.call_later(self._peak_time_ns(query), lambda: self._complete(query))
            return
        begun_ns = max(self._free_ns, self._clock.now_ns())
        self._free_ns = begun_ns + self._delay_ns + 6000 * len(query)
        self._clock.call_at(self._free_ns, lambda: self._complete(query))

    def _peak_time_ns(self, query: Query) -> int:
        assert self._peak is not None
        if len(query) > 1:
            return 1_000_000 if len(query) <= self._peak else 50_000_000
        # The rate shows in the schedule, which is the same one every time, stretched.
        duration_ns = query._ledger.plan.duration_ns
        self._first_duration_ns = self._first_duration_ns or duration_ns
        rate = self._settings.server_target_qps * self._first_duration_ns / duration_ns
        # One late answer in twenty breaks a bound at p99 without a queue of them.
        is_late = rate > self._peak * 1.000001 and query.id % 20 == 0
        return self._settings.server_target_latency_ns * 21 // 20 if is_late else 1000

    def _complete(self, query: Query) -> None:
        query.complete(self._answers(query), token_counts=self._config.get("n_tokens"))

    @staticmethod
    def _answers(query: Query) -> Any:
        return np.asarray(query.indices, "<i4").reshape(len(query), 1)

    def flush(self) -> None:
        self.calls.append(("flush",))


def _text_of(folder: Path) -> str:
    return (folder / "mlperf_log_detail.txt").read_text()


def load_case(name: str) -> Case:
    folder = shared_data("loadgen-logs", name)
    config = json.loads((folder / "cfg.json").read_text())
    values = {_RENAMED.get(key, key): value for key, value in config["settings"].items()}
    settings = Settings.from_mapping({**values, "era": _ERAS[folder.parent.name]})
    messages: list[Message] = []
    if "cwd" in config:
        audit = folder.parent.parent / "audit_configs" / f"{folder.name.split('_', 1)[1]}.config"
        settings, said = apply_audit_file(settings, audit)
        messages = [Message("audit", text) for text in said]
    found = re.search(r"Found peak performance field: ([\d.]+)", _text_of(folder))
    clock = TickingClock()
    sut = ReferenceSystem(clock, config, settings, float(found[1].rstrip(".")) if found else None)
    library = Library(*config["qsl"])
    library.name, library.calls = "PyQSL", sut.calls
    outcome = run_test(sut, library, settings, RunOptions(clock=clock, messages=messages))
    return Case(folder, config, settings, sut.calls, outcome)


@pytest.fixture(scope="module")
def cases() -> dict[str, Case]:
    return {}


@pytest.fixture
def case(request: pytest.FixtureRequest, cases: dict[str, Case]) -> Case:
    name = request.param
    if name not in cases:
        cases[name] = load_case(name)
    return cases[name]


def every_folder(
    wanted: Callable[[Path], bool] = lambda folder: True,
) -> pytest.MarkDecorator:
    """Every reference folder that is wanted; without the data one that says so by skipping."""
    names = [n for n in FOLDERS if wanted(REFERENCE / n)] or ["v6.0.17/Server_PerformanceOnly"]
    return pytest.mark.parametrize("case", names, indirect=True, ids=names)


def has_calls(folder: Path) -> bool:
    return (folder / "calls.json").exists()


def is_written_dialect(folder: Path) -> bool:
    return folder.parent.name in ("v0.5", "v6.0.17")


def has_trace(folder: Path) -> bool:
    trace = folder / "mlperf_log_trace.json"
    return trace.exists() and trace.stat().st_size > 0


def has_server_trace(folder: Path) -> bool:
    traces = folder.glob("mlperf_log_trace.json*")
    return "Server" in folder.name and any(trace.stat().st_size for trace in traces)


@every_folder(has_calls)
def test_calls_are_those_of_the_published_loadgen(case: Case) -> None:
    """Loaded sets, issue order and flushes; where time ended the reference, a beginning."""
    reference = case.reference_calls
    assert case.calls == reference


@every_folder(has_server_trace)
def test_server_schedules_are_equal_to_the_nanosecond(case: Case) -> None:
    traces = [p for p in case.folder.glob("mlperf_log_trace.json*") if p.stat().st_size]
    due: dict[int, int] = {}
    for trace in traces:
        pattern = r'"name":"Sample".*?"ph":"b".*?"id":(\d+),"ts":(\d+)\.(\d{3}),'
        for found in re.finditer(pattern, trace.read_text()):
            due[int(found[1])] = int(found[2]) * 1000 + int(found[3])
    compared = 0
    for series in case.outcome.recording.series:
        first = series.first_sample_id
        ids = [n for n in range(first, first + series.sample_count) if n in due]
        if ids and first in due:
            reference = [due[n] - due[first] for n in ids]
            assert series.scheduled_ns[[n - first for n in ids]].tolist() == reference
            compared += len(ids)
    assert compared


def blank_numbers(text: str) -> str:
    return re.sub(r"-?\d+(\.\d+)?(e[+-]?\d+)?", "#", text)


def blank_versions(text: str) -> str:
    """Drop what names the build, and the notes of the C++ logger about itself."""
    text = re.sub(r'"file": "[^"]*"', '"file": F', text)
    dropped = (
        r'"loadgen_|^[0-9a-f#]+ /|build_date|git_|version|^NA$|[Ll]og(ging)? allocation detected'
        r"|^\s*$"
    )
    return "\n".join(line for line in text.split("\n") if not re.search(dropped, line))


@every_folder(is_written_dialect)
@pytest.mark.parametrize("kind", ["summary.txt", "detail.txt", "accuracy.json"])
def test_log_files_are_equal_but_for_numbers_ids_times_and_versions(
    case: Case, kind: str, tmp_path: Path
) -> None:
    recording = case.outcome.recording
    write_logs(tmp_path, recording, judge(recording), case.outcome.responses, LogSettings())
    mine, yours = (
        blank_numbers((place / f"mlperf_log_{kind}").read_text())
        for place in (tmp_path, case.folder)
    )
    if kind == "detail.txt":
        mine, yours = blank_versions(mine), blank_versions(yours)
    if kind == "summary.txt":
        # The C++ logger warns about its own buffers, which there are none of here.
        yours = yours.replace(
            "# warnings encountered. See detailed log.", "No warnings encountered during test."
        )
    if kind == "accuracy.json":
        mine, yours = (re.sub(r'"[0-9A-F#]+"', '"D"', text) for text in (mine, yours))
    assert mine == yours


@every_folder()
def test_accuracy_logs_hold_the_same_answers(case: Case, tmp_path: Path) -> None:
    recording = case.outcome.recording
    write_logs(tmp_path, recording, judge(recording), case.outcome.responses, LogSettings())
    mine, yours = (
        {(e["seq_id"], e["qsl_idx"], e["data"]) for e in json.loads(path.read_text())}
        for path in (
            tmp_path / "mlperf_log_accuracy.json",
            case.folder / "mlperf_log_accuracy.json",
        )
    )
    assert mine == yours


@every_folder(has_trace)
def test_trace_events_have_the_published_form(case: Case, tmp_path: Path) -> None:
    recording = case.outcome.recording
    write_logs(
        tmp_path,
        recording,
        judge(recording),
        case.outcome.responses,
        LogSettings(enable_trace=True),
    )
    trace = (tmp_path / "mlperf_log_trace.json").read_text()
    json.loads(trace)
    reference = case.folder / "mlperf_log_trace.json"
    names = ("Sample", "Latency")
    mine, yours = (
        {
            blank_numbers(line)
            for line in text.split("\n")
            if line.startswith(tuple(f'{{"name":"{name}"' for name in names))
        }
        for text in (trace, reference.read_text())
    )
    assert mine == yours
