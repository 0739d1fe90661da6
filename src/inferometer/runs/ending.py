"""Endings: how the process that measured ended before its work was done, and what is left."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inferometer.backends import BackendFault
from inferometer.loadgen import Finding, InferometerError, Rule
from inferometer.runs.folder import (
    CRASH,
    RUNNING,
    SESSION,
    RunFolderError,
    load_header,
    write_json,
)
from inferometer.runs.recorder import recover_test
from inferometer.runs.request import RunRequest
from inferometer.runs.result import Session, TestResult
from inferometer.runs.resuming import Continuation
from inferometer.runs.rules import CRASHED, HUNG_AT_LOAD
from inferometer.runs.system import describe_system

__all__ = [
    "Ending",
    "complete_session",
    "cut_off_session",
    "faulted_session",
    "recover_running",
]

_FRAME = re.compile(r'^ +File "(?P<file>.+)", line (?P<line>\d+) in (?P<function>.+)$', re.M)
_MIB = 2**20


@dataclass(frozen=True)
class Ending:
    """How a process ended.

    exit_code:
        As `subprocess` gives it: the negative number of the signal that killed it.
    phase:
        What it was doing, in words such as ``during Offline performance``.
    stacks, output:
        The Python stacks of its threads when it died, and the last of what it printed.
    rule, silent_s:
        Why it was ended, and after how long a time without a sign of life; ``None`` if it
        died by itself.
    """

    exit_code: int
    phase: str
    stacks: str
    output: str
    peak_bytes: int
    rule: Rule | None = None
    silent_s: float = 0.0

    @property
    def finding(self) -> Finding:
        """What is to be said of it."""
        how = self.how if self.rule is None else f"no sign of life for {self.silent_s:.0f} s"
        return Finding(self.rule or CRASHED, f"{how} {self.phase}{self._where}")

    @property
    def how(self) -> str:
        """By what it ended: a signal, or an exit code."""
        if self.exit_code >= 0:
            return f"exit code {self.exit_code}"
        name = _signal_name(-self.exit_code)
        if self.exit_code == -signal.SIGKILL and self.rule is None:
            name += f", as when memory runs out (it had up to {self.peak_bytes // _MIB:,} MiB),"
        return name

    @property
    def _where(self) -> str:
        """Name the Python function that ran last, or else the last line printed."""
        blocks = [block for block in re.split(r"\n\s*\n", self.stacks) if "hread 0x" in block]
        if self.rule is None:
            blocks = [block for block in blocks if "Current thread" in block]
        # The main thread, which loads and waits, comes last.
        frame = _FRAME.search(blocks[-1]) if blocks else None
        if frame:
            file = "/".join(Path(frame["file"]).parts[-2:])
            return f", in {frame['function']} ({file}:{frame['line']})"
        lines = self.output.strip().splitlines()
        return f", last line: {lines[-1].strip()[:200]}" if lines else ""

    def write(self, folder: Path) -> None:
        """Write everything that is known into the run folder, if it can be written."""
        text = (
            f"{self.finding.rule.title}: {self.finding.seen}\n"
            f"exit: {self.how}\nmost memory: {self.peak_bytes / _MIB:,.0f} MiB\n"
            f"\nPython stacks, the last call first:\n{self.stacks.strip() or 'none'}\n"
            f"\nThe last of what it printed:\n{self.output.strip() or 'nothing'}\n"
        )
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / CRASH).write_text(text, "utf-8")


def _first_line(fault: BackendFault) -> str:
    """Give what happened, without the stacks that are in `CRASH`."""
    return str(fault).splitlines()[0].partition("; the last that it printed")[0]


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def recover_running(output: Path, process: int) -> TestResult | None:
    """Bring back the test that a process left running below a folder, if there is one."""
    for path in output.rglob(RUNNING):
        try:
            if json.loads(path.read_text("utf-8"))["process_id"] == process:
                return recover_test(path.parent)
        except (OSError, ValueError, KeyError, TypeError, InferometerError):
            continue
    return None


def complete_session(session: Session, tests: Sequence[TestResult], ending: Ending) -> Session:
    """Give the session of a run that did all it should; a process that then died is noted."""
    session = dataclasses.replace(session, tests=tuple(tests))
    if ending.exit_code == 0:
        return session
    note = f"all was measured, then the process that ran the model ended by {ending.how}"
    session = dataclasses.replace(session, notes=(*session.notes, note))
    _write(session)
    return session


def cut_off_session(
    request: RunRequest, tests: Sequence[TestResult], ending: Ending, *, is_loaded: bool
) -> Session:
    """Give the session of a run that was cut off, written anew with what ended it.

    One whose model was never loaded has nothing but a name and the finding, unless there was
    something to go on with.
    """
    session = load_header(request.output) if is_loaded else _before_loading(request)
    session = dataclasses.replace(session, tests=tuple(tests), findings=(ending.finding,))
    ending.write(request.output)
    _write(session)
    return session


def faulted_session(
    request: RunRequest, tests: Sequence[TestResult], fault: BackendFault, phase: str
) -> Session:
    """Give the session of a run whose isolated model was lost before any test began.

    ``tests`` are those of the session that it was to go on with.
    """
    rule = HUNG_AT_LOAD if fault.kind == "hung-at-load" else CRASHED
    finding = Finding(rule, f"{_first_line(fault)} {phase}")
    session = dataclasses.replace(_before_loading(request), tests=tuple(tests), findings=(finding,))
    with contextlib.suppress(OSError):
        request.output.mkdir(parents=True, exist_ok=True)
        (request.output / CRASH).write_text(f"{fault}\n\n{fault.printed}\n", "utf-8")
    _write(session)
    return session


def _write(session: Session) -> None:
    """Write what the tests have in common; a disk that is full doesn't cost the results."""
    with contextlib.suppress(OSError):
        write_json(session.folder / SESSION, session.to_mapping())


def _before_loading(request: RunRequest) -> Session:
    """Give the session of a run that never came to load its model; it can be gone on with."""
    if request.resumes:
        with contextlib.suppress(RunFolderError):
            return load_header(request.output)
    with contextlib.suppress(OSError):
        Continuation.of(request).write(request.output)
    return Session(
        folder=request.output,
        workload={"name": request.workload, "title": request.workload},
        backend={"name": request.backend},
        label=request.label,
        system=describe_system(),
        command=request.command,
        round="" if request.round is None else request.round.name,
        division=request.division,
        area=request.area,
        started_at=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    )
