"""Stop checks: when a performance series ends before its plan is used up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from inferometer.loadgen.effective import EffectiveSettings
from inferometer.loadgen.incident import IncidentKind
from inferometer.loadgen.ledger import Ledger
from inferometer.loadgen.stop_outlook import StopOutlook
from inferometer.loadgen.vocabulary import Era, Scenario

__all__ = ["StopChecks", "StopRule", "TellingRule"]

NEVER = 1 << 62


class StopRule(Protocol):
    """Ends a performance series once enough is known; asked now and then, not each time."""

    def next_look(self, issued: int, elapsed_ns: int) -> tuple[int, int]:
        """Give the query count and the elapsed ns at which, whichever first, to ask again."""
        ...

    def wants_to_stop(self, ledger: Ledger, issued: int, elapsed_ns: int) -> str | None:
        """Give the reason to stop now, or ``None``."""
        ...


@runtime_checkable
class TellingRule(StopRule, Protocol):
    """A rule that also says what it expects, and for how long it wants queries."""

    def outlook(self) -> StopOutlook:
        """Say how many queries it takes, as far as that is known."""
        ...

    def describe(self) -> Mapping[str, float | str]:
        """Give what the recording keeps of the rule, in its notes."""
        ...

    @property
    def longest_s(self) -> float:
        """For how long queries have to be there; 0 for as long as the settings say."""
        ...


class StopChecks:
    """The published stop checks, plus an optional rule of our own.

    The issue loop asks `check` only once a query's number or issue time reaches
    ``count_mark`` or ``time_mark_ns``, so that a query costs two comparisons.

    Source: MLPerf LoadGen; order and texts of the reasons are those of its issue thread.
    """

    def __init__(
        self, effective: EffectiveSettings, era: Era, ledger: Ledger, rule: StopRule | None
    ):
        self._ledger = ledger
        self._rule = rule
        # A rule takes the place of the natural end: it decides how much is enough.
        self._ends_naturally = effective.scenario is not Scenario.SERVER and rule is None
        self._min_count = effective.min_query_count
        self._max_count = effective.max_query_count
        self._max_ns = effective.max_duration_ms * 1_000_000
        # The first v0.5 release waited for more than the *minimum* duration, which
        # differs from the target duration for Offline.
        self._october = era is Era.V05_OCTOBER
        shortest_ms = effective.min_duration_ms if self._october else effective.target_duration_ms
        self._shortest_ns = shortest_ms * 1_000_000
        self._rule_look: tuple[int, int] = (NEVER, NEVER)
        self.count_mark = 0
        self.time_mark_ns = 0
        self.has_ended = False
        """Whether one of the checks has ended the series."""

    def begin(self, start_ns: int) -> None:
        """Set the marks for a series that starts now."""
        self._start_ns = start_ns
        if self._rule is not None:
            self._rule_look = self._rule.next_look(0, 0)
        self._set_marks(0, 0)

    def check(self, issued: int, issue_ns: int) -> bool:
        """Tell whether to stop after ``issued`` queries, the last at ``issue_ns``."""
        elapsed_ns = issue_ns - self._start_ns
        reason = self._published_reason(issued, elapsed_ns)
        if reason is not None:
            self.end(reason, issued=issued, elapsed_ns=elapsed_ns)
            return True
        if self._rule is not None and self._is_rule_due(issued, elapsed_ns):
            why = self._rule.wants_to_stop(self._ledger, issued, elapsed_ns)
            if why is not None:
                self.end(
                    IncidentKind.STOPPED_BY_RULE, issued=issued, elapsed_ns=elapsed_ns, reason=why
                )
                return True
            self._rule_look = self._rule.next_look(issued, elapsed_ns)
        self._set_marks(issued, elapsed_ns)
        return False

    def end(self, kind: IncidentKind, **values: int | str) -> None:
        """End the issuing; what is outstanding is still waited for."""
        self.has_ended = True
        self._ledger.note(kind, **values)

    def _published_reason(self, issued: int, elapsed_ns: int) -> IncidentKind | None:
        if self._ends_naturally and issued >= self._min_count:
            long_enough = (
                elapsed_ns > self._shortest_ns if self._october else elapsed_ns >= self._shortest_ns
            )
            if long_enough:
                return IncidentKind.ENDED_NATURALLY
        if self._max_count and issued >= self._max_count:
            return IncidentKind.MAX_QUERY_COUNT
        if self._max_ns and elapsed_ns > self._max_ns:
            return IncidentKind.MAX_DURATION
        return None

    def _is_rule_due(self, issued: int, elapsed_ns: int) -> bool:
        return issued >= self._rule_look[0] or elapsed_ns >= self._rule_look[1]

    def _set_marks(self, issued: int, elapsed_ns: int) -> None:
        """Find the next count and time at which any check could say something new."""
        counts = [self._rule_look[0]]
        times = [self._rule_look[1]]
        if self._ends_naturally:
            counts.append(self._min_count)
            times.append(self._shortest_ns + (1 if self._october else 0))
        if self._max_count:
            counts.append(self._max_count)
        if self._max_ns:
            times.append(self._max_ns + 1)
        # The loop compares with the number of the query just issued, from 0.
        self.count_mark = min((c for c in counts if c > issued), default=NEVER) - 1
        self.time_mark_ns = self._start_ns + min(
            (t for t in times if t > elapsed_ns), default=NEVER
        )
