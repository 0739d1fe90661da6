"""Adapter: runs a test of the published binding on our load generator."""

from __future__ import annotations

import dataclasses
import os
import sys
import threading
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import (
    Era,
    IncidentKind,
    Journal,
    Message,
    Recording,
    RunOptions,
    RunOutcome,
    SampleLibrary,
    Settings,
    SettingsError,
    SystemUnderTest,
    judge,
    name_of,
    run_test,
)
from inferometer.loadgen.ledger import Ledger
from inferometer.logs import AUDIT_MESSAGE, timestamp_lines, write_logs
from inferometer.mlperf_loadgen import runtime
from inferometer.mlperf_loadgen.config import from_config, from_config_v05, take_queued_messages
from inferometer.mlperf_loadgen.flight import Flight, fast_query_maker, query_maker
from inferometer.mlperf_loadgen.runtime import Construction
from inferometer.mlperf_loadgen.test_settings import copy_of
from inferometer.mlperf_loadgen.translate import log_settings_of, settings_of

__all__ = ["LIMIT_VARIABLE", "Runner", "run_published_test", "set_runner"]

LIMIT_VARIABLE = "INFEROMETER_OUTSTANDING_LIMIT_S"
"""Names how long, in seconds, nothing may complete before a test is given up; 0 waits for
ever, as the published LoadGen does."""

_DEFAULT_LIMIT_S = 3600.0
_AUDIT_ONLY_ALONE = 2
_SIGTERM_EXIT = 143


class Runner(Protocol):
    """Runs one test; what it leaves beyond the outcome is its own affair."""

    def __call__(
        self,
        sut: SystemUnderTest,
        library: SampleLibrary,
        settings: Settings,
        options: RunOptions,
    ) -> RunOutcome:
        """Run the test."""
        ...


def _run_with_journal(
    sut: SystemUnderTest, library: SampleLibrary, settings: Settings, options: RunOptions
) -> RunOutcome:
    journal = Journal.of_test(settings, name_of(sut), library)
    try:
        return run_test(sut, library, settings, dataclasses.replace(options, journal=journal))
    finally:
        journal.close()


_runner: Runner = _run_with_journal
_running = threading.Lock()


def set_runner(runner: Runner | None) -> None:
    """Let tests be run by ``runner``, which may keep what they leave; ``None`` resets it."""
    global _runner  # noqa: PLW0603 - the harness calls StartTest with nothing to carry it
    _runner = _run_with_journal if runner is None else runner


class _Sut:
    """A system under test made of the callbacks of the published binding.

    ``issue`` is the callback itself, so that a query costs no call of ours.
    """

    def __init__(self, construction: Construction):
        issue, self.flush, extra = construction.arguments
        self._is_fast = construction.kind == "fast"
        self.summary_name: str | None = None
        self.issue: Callable[[Any], None] = issue
        self.name = {"sut": "PySUT", "fast": "PyFastSUT"}.get(construction.kind, "")
        if self._is_fast:
            self.issue = lambda query: issue(*query)
        elif construction.kind == "qdl":
            self.name = str(extra())
            # A network system is asked once more, for the summary.
            self.report_latencies = lambda _: setattr(self, "summary_name", str(extra()))
        elif extra is not None:
            self.report_latencies = lambda latencies: extra(latencies.tolist())

    def query_maker(self, ledger: Ledger) -> Callable[[int], Any]:
        """Make the series the one that completions belong to; give its query maker."""
        base = runtime.take_ids(ledger.plan.sample_count)
        runtime.set_flight(Flight(ledger, base))
        return (fast_query_maker if self._is_fast else query_maker)(ledger, base)

    def issue_many(self, queries: list[Any]) -> None:
        """Merge queries that are due together into one call."""
        if self._is_fast:
            ids, indices = zip(*queries, strict=True)
            self.issue((list(chain.from_iterable(ids)), list(chain.from_iterable(indices))))
        else:
            self.issue(list(chain.from_iterable(queries)))


class _Library:
    """A sample library made of the callbacks of the published binding."""

    name = "PyQSL"

    def __init__(self, construction: Construction):
        total, performance, self._load, self._unload = construction.arguments
        self.total_sample_count: int = total
        self.performance_sample_count: int = performance

    def load(self, indices: NDArray[np.int64]) -> None:
        """Call the harness with a list of indices."""
        self._load(indices.tolist())

    def unload(self, indices: NDArray[np.int64]) -> None:
        """Call the harness with the same list."""
        self._unload(indices.tolist())


def run_published_test(
    era: Era, sut: int, library: int, settings: Any, logs: Any, audit_path: str
) -> None:
    """Run the test that `StartTest` asks for; write its log files.

    Raises what a callback raised; TimeoutError if the system stopped answering;
    KeyboardInterrupt or SystemExit after a signal; OSError if the logs can't be written.
    The logs hold what was recorded until then.
    """
    if not _running.acquire(blocking=False):
        raise RuntimeError("a test is running already; one process runs one test at a time")
    try:
        system = _Sut(runtime.look_up(sut, "sut", "fast", "qdl"))
        samples = _Library(runtime.look_up(library, "qsl"))
        folder = _writable_folder(logs.log_output.outdir)
        asked, messages, requested = _asked(era, settings, audit_path)
        options = RunOptions(messages=messages, tolerate_problems=True, on_calling_thread=True)
        outcome = _runner(system, samples, asked, options)
        runtime.set_flight(None)
        _write(folder, _annotated(outcome.recording, system, requested), outcome, logs)
        _raise_what_ended_it(outcome)
    finally:
        runtime.set_flight(None)
        _running.release()


def _asked(
    era: Era, settings: Any, audit_path: str
) -> tuple[Settings, list[Message], dict[str, Any]]:
    """Give what is asked for once the audit file has been applied.

    Also gives what has to be said, and the values that were replaced by possible ones.
    """
    messages = take_queued_messages()
    if os.access(audit_path, os.R_OK):
        settings = copy_of(settings)
        if era.is_v05:
            from_config_v05(settings, audit_path, "*", settings.scenario.name)
        else:
            from_config(settings, audit_path, "*", settings.scenario.name, _AUDIT_ONLY_ALONE)
        messages += [Message("audit", AUDIT_MESSAGE), *take_queued_messages()]
    asked, said, requested = settings_of(settings, era, _outstanding_limit_s())
    return asked, messages + said, requested


def _outstanding_limit_s() -> float:
    text = os.environ.get(LIMIT_VARIABLE)
    try:
        return _DEFAULT_LIMIT_S if text is None else float(text)
    except ValueError:
        raise SettingsError(f"{LIMIT_VARIABLE} is {text!r}; it takes a number of seconds") from None


def _writable_folder(outdir: str) -> Path:
    """Give the folder of the logs; raise OSError before the test if it can't be written."""
    folder = Path(outdir)
    if not folder.is_dir():
        raise FileNotFoundError(f"outdir {outdir!r} is not a folder; make it first")
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"outdir {outdir!r} can't be written; choose another")
    return folder


def _annotated(recording: Recording, system: _Sut, requested: dict[str, Any]) -> Recording:
    """Note for the logs what the settings of a recording can't say."""
    notes = {**recording.notes, "requested": requested}
    if system.summary_name is not None:
        notes["summary_sut_name"] = system.summary_name
    return dataclasses.replace(recording, notes=notes)


def _write(folder: Path, recording: Recording, outcome: RunOutcome, logs: Any) -> None:
    try:
        write_logs(folder, recording, judge(recording), outcome.responses, log_settings_of(logs))
    except OSError as error:
        saved = recording.save(folder / "recording.npz")
        raise OSError(
            f"{folder}: the log files could not be written ({error.strerror or error}); what "
            f"was recorded lies at {saved}"
        ) from error
    for line in timestamp_lines(recording):
        sys.stdout.write(f"{line}\n")


def _raise_what_ended_it(outcome: RunOutcome) -> None:
    if outcome.error is not None:
        raise outcome.error
    for series in outcome.recording.series:
        for incident in series.incidents:
            if incident.kind is IncidentKind.OUTSTANDING_LIMIT:
                raise TimeoutError(
                    f"{incident.values['outstanding']} queries were outstanding and nothing "
                    f"completed for {incident.values['limit_s']:g} s; the log files hold what "
                    f"was recorded ({LIMIT_VARIABLE} sets the limit)"
                )
            if incident.kind is IncidentKind.INTERRUPTED:
                if incident.values.get("signal") == "SIGTERM":
                    raise SystemExit(_SIGTERM_EXIT)
                raise KeyboardInterrupt
