"""Output: progress on a terminal, plain lines elsewhere, nothing with --json."""

from __future__ import annotations

import time

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from inferometer.loadgen import SeriesProgress
from inferometer.report.wording import accuracy_text, metric_text
from inferometer.runs import TestResult

__all__ = ["PlainListener", "ProgressListener", "SilentListener", "listener_for"]


class SilentListener:
    """Says nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""

    def begin(self, name: str, expected_s: float) -> None:
        """Say nothing."""

    def progress(self, progress: SeriesProgress) -> None:
        """Say nothing."""

    def end(self, result: TestResult) -> None:
        """Say nothing."""


class PlainListener(SilentListener):
    """Prints one line a test, for logs of a CI system."""

    def __init__(self, console: Console):
        self._console = console
        self._name = ""

    def note(self, text: str) -> None:
        """Print a remark."""
        self._console.print(escape(text), style="dim", highlight=False)

    def begin(self, name: str, expected_s: float) -> None:  # noqa: ARG002
        """Remember which test runs."""
        self._name = name

    def end(self, result: TestResult) -> None:
        """Print what came out."""
        text = f"{escape(self._name)}: {escape(outcome_text(result))}"
        self._console.print(text, highlight=False)


class ProgressListener(PlainListener):
    """Shows a bar with the time left while a test runs."""

    def __init__(self, console: Console):
        super().__init__(console)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[queries]}"),
            TextColumn("{task.fields[left]}"),
            console=console,
            transient=True,
            auto_refresh=False,
        )
        self._task: TaskID | None = None
        self._begun = 0.0
        self._expected_s = 1.0

    def begin(self, name: str, expected_s: float) -> None:
        """Show the bar of a new test."""
        super().begin(name, expected_s)
        self._begun, self._expected_s = time.monotonic(), max(expected_s, 0.1)
        self._bar.start()
        self._task = self._bar.add_task(name, total=1.0, queries="", left="")
        self._bar.refresh()

    def progress(self, progress: SeriesProgress) -> None:
        """Move the bar: by what the test is known to need, or else by what was expected."""
        if self._task is None:
            return
        elapsed_s = time.monotonic() - self._begun
        left_s = progress.left_s
        if left_s is None:
            left_s = max(0.0, self._expected_s - elapsed_s)
        share = elapsed_s / max(elapsed_s + left_s, 1e-9)
        self._bar.update(
            self._task, completed=share, queries=_queries_text(progress), left=_left_text(left_s)
        )
        self._bar.refresh()

    def end(self, result: TestResult) -> None:
        """Take the bar away and print what came out."""
        if self._task is not None:
            self._bar.remove_task(self._task)
            self._task = None
        self._bar.stop()
        super().end(result)


def _queries_text(progress: SeriesProgress) -> str:
    """Say how many queries there are, and how many it takes."""
    issued, needed = progress.issued_queries, progress.needed_queries
    of = f" of about {max(needed, issued):,}" if needed else ""
    return f"{issued:,}{of} queries"


def _left_text(seconds: float) -> str:
    minutes, left = divmod(round(seconds), 60)
    return f"{minutes}:{left:02} left"


def listener_for(console: Console, *, quiet: bool) -> SilentListener:
    """Choose a listener: silent, with a bar on a terminal, or plain lines."""
    if quiet:
        return SilentListener()
    return ProgressListener(console) if console.is_terminal else PlainListener(console)


def outcome_text(result: TestResult) -> str:
    """Say in a few words what a test came to."""
    if result.accuracy is not None:
        return accuracy_text(result.accuracy)
    if result.verdict is not None:
        validity = "VALID" if result.verdict.is_valid else "INVALID"
        text = f"{metric_text(result.verdict.metric)} {result.verdict.metric.name}, {validity}"
        return "; ".join(filter(None, [text, result.verdict.ended_because]))
    return "no result"
