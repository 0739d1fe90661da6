"""Outlook: how long a session by the book will take, said at the start and as it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from inferometer.runs.chooser import Chooser
from inferometer.runs.effort import Pace
from inferometer.runs.plan import PlannedTest
from inferometer.runs.request import RunRequest
from inferometer.runs.result import TestResult
from inferometer.runs.rules import BELOW_ROUND_TARGET, BELOW_TARGET, COVERAGE

__all__ = ["Outlook", "duration_text", "expectation_lines"]

_NOT_ACCURATE = {rule.id for rule in (BELOW_TARGET, BELOW_ROUND_TARGET, COVERAGE)}


class Outlook:
    """Says how long tests take, from how fast the system was when it was warmed up.

    Nothing is said of quick runs: they end by themselves.

    note, tell:
        Take a remark: one that is kept with the session, and one that only is told.
    """

    def __init__(
        self,
        request: RunRequest,
        chooser: Chooser,
        note: Callable[[str], None],
        tell: Callable[[str], None],
    ):
        self._request = request
        self._chooser = chooser
        self._note, self._tell = note, tell

    def say_at_start(self, planned: Sequence[PlannedTest], pace: Pace) -> None:
        """Say how long all tests take together, then each kind of them."""
        if self._request.round is None:
            return
        expected = [(test, self._expected_s(test, pace)) for test in planned]
        total_s = sum(seconds for _, seconds in expected)
        name = self._request.round.name
        self._note(f"by the book of round {name}: {_tests(planned)}, {duration_text(total_s)}")
        for line in expectation_lines(expected):
            self._tell(line)

    def say_what_is_left(
        self, result: TestResult, planned: Sequence[PlannedTest], pace: Pace
    ) -> None:
        """Say after a test how long the others take, and if they can't count any more."""
        if self._request.round is None or not planned:
            return
        left_s = sum(self._expected_s(test, pace) for test in planned)
        text = f"left: {_tests(planned)}, {duration_text(left_s)}"
        if any(found.rule.id in _NOT_ACCURATE for found in result.findings):
            text += f"; without its accuracy {result.scenario.value} can't count"
        self._tell(text)

    def _expected_s(self, test: PlannedTest, pace: Pace) -> float:
        settings, _ = self._chooser.choose(test.scenario, test.mode, pace)
        return self._chooser.expected_s(settings, pace)


def expectation_lines(tests: Iterable[tuple[PlannedTest, float]]) -> list[str]:
    """Write how long tests will take, in seconds each, one line for those of a kind."""
    kinds: dict[str, list[float]] = {}
    for test, seconds in tests:
        kinds.setdefault(test.kind, []).append(seconds)
    lines = []
    for kind, each in kinds.items():
        times = f"{len(each)} times " if len(each) > 1 else ""
        lines.append(f"  {kind}: {times}{duration_text(max(each))}")
    return lines


def duration_text(seconds: float) -> str:
    """Write a duration as people say it."""
    if seconds < 90:
        return f"about {seconds:.0f} s"
    if seconds < 5400:
        return f"about {seconds / 60:.0f} min"
    return f"about {seconds / 3600:.1f} h"


def _tests(planned: Sequence[PlannedTest]) -> str:
    return f"{len(planned)} test{'s' if len(planned) > 1 else ''}"
