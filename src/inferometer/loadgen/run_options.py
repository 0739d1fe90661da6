"""Run options: how a test is run, how far it has come, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inferometer.loadgen.clock import Clock
from inferometer.loadgen.journal import Journal
from inferometer.loadgen.process_state import TimingOptions
from inferometer.loadgen.recording import Message, Recording
from inferometer.loadgen.responses import ResponseReader
from inferometer.loadgen.stop_checks import StopRule
from inferometer.loadgen.vocabulary import Mode

__all__ = ["RunOptions", "RunOutcome", "SeriesProgress"]


@dataclass(frozen=True)
class SeriesProgress:
    """How far the running series has come.

    needed_queries:
        How many queries it takes altogether, by what is known now; ``None`` if nothing is.
    left_s:
        The time that is left, in s, by the same; ``None`` if nothing is known.
    """

    mode: Mode
    number: int
    issued_queries: int
    planned_queries: int
    planned_duration_s: float
    elapsed_s: float
    needed_queries: int | None = None
    left_s: float | None = None


@dataclass(frozen=True)
class RunOutcome:
    """What a test leaves: its recording, the responses kept, and what went wrong.

    ``error`` is the exception that ended the test, if one did; the recording holds
    everything up to it.
    """

    recording: Recording
    responses: ResponseReader
    error: BaseException | None


@dataclass(frozen=True)
class RunOptions:
    """How a test is run; none of it changes what is asked of the system.

    clock:
        A `VirtualClock` runs the test on the calling thread without waiting; the default
        is the monotonic clock, with the issue loop on a thread of its own.
    timing:
        How the generator keeps time; the default depends on the scenario.
    rule:
        Ends a performance series once enough is known.
    response_path:
        Where the responses go; the default is a temporary file.
    journal:
        Where the arrays live while the test runs; the default is plain memory. The caller
        closes it once the recording is saved.
    progress:
        Called about four times a second, on the calling thread.
    messages:
        What was said about the settings before, for the log files.
    notes:
        What else belongs to the run; kept in the recording.
    notes_at_end:
        Called once the test is over, for what is to be noted only then.
    tolerate_problems:
        Run with contradictory settings as the published LoadGen does.
    on_calling_thread:
        Issue on the calling thread, as the published LoadGen does. A callback that never
        returns is then only ended by a signal, and ``progress`` isn't called.
    """

    clock: Clock | None = None
    timing: TimingOptions | None = None
    rule: StopRule | None = None
    response_path: Path | None = None
    journal: Journal | None = None
    progress: Callable[[SeriesProgress], None] | None = None
    messages: Sequence[Message] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)
    notes_at_end: Callable[[], Mapping[str, Any]] = dict
    tolerate_problems: bool = False
    on_calling_thread: bool = False
