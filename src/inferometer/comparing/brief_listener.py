"""Brief listener: runs that repeat say each of their remarks once."""

from __future__ import annotations

from inferometer.loadgen import SeriesProgress
from inferometer.runs import Listener, TestResult

__all__ = ["BriefListener"]


class BriefListener:
    """A listener of runs that repeat: it passes each remark on once, and nothing else."""

    def __init__(self, listener: Listener):
        self._listener = listener
        self._told: set[str] = set()

    def note(self, text: str) -> None:
        """Pass on what wasn't said before."""
        if text not in self._told:
            self._told.add(text)
            self._listener.note(text)

    def begin(self, name: str, expected_s: float) -> None:
        """Say nothing: the blocks are what is followed."""

    def progress(self, progress: SeriesProgress) -> None:
        """Say nothing."""

    def end(self, result: TestResult) -> None:
        """Say nothing: a single run means little before all are there."""
