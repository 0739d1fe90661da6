"""Incidents: what happened during a series besides queries and completions."""

from __future__ import annotations

import enum
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Incident", "IncidentKind", "IncidentLog"]

_KEPT_OF_A_KIND = 1000


class IncidentKind(enum.Enum):
    """Everything a series can report. The log files and the findings give them words."""

    ENDED_NATURALLY = "ended_naturally"
    RAN_OUT_OF_QUERIES = "ran_out_of_queries"
    TOO_MANY_OUTSTANDING = "too_many_outstanding"
    MAX_QUERY_COUNT = "max_query_count"
    MAX_DURATION = "max_duration"
    STOPPED_BY_RULE = "stopped_by_rule"
    INTERRUPTED = "interrupted"
    OUTSTANDING_LIMIT = "outstanding_limit"
    SUT_FAILED = "sut_failed"
    REPLICA_LOST = "replica_lost"
    RESPONSES_NOT_KEPT = "responses_not_kept"
    COMPLETED_TWICE = "completed_twice"
    COMPLETED_AFTER_END = "completed_after_end"
    OLD_SAMPLE = "old_sample"
    EMPTY_RESPONSE = "empty_response"
    WRONG_RESPONSE = "wrong_response"
    INCOMPLETE_SAMPLES = "incomplete_samples"
    FIRST_TOKEN_MISSING = "first_token_missing"
    FIRST_TOKEN_TWICE = "first_token_twice"
    FIRST_TOKEN_AFTER_COMPLETION = "first_token_after_completion"
    TOKEN_COUNT_MISSING = "token_count_missing"
    TOKEN_COUNT_NEGATIVE = "token_count_negative"
    TOKEN_COUNT_ONE = "token_count_one"


@dataclass(frozen=True)
class Incident:
    """One thing that happened, ``at_ns`` after the start of the series.

    ``values`` are the numbers and texts that belong to it.
    """

    kind: IncidentKind
    at_ns: int
    values: Mapping[str, int | float | str] = field(default_factory=dict)


class IncidentLog:
    """Collects incidents from any thread, in bounded memory.

    All are counted; of each kind the first 1,000 are kept.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: list[Incident] = []
        self._counts: Counter[IncidentKind] = Counter()

    def add(self, incident: Incident, times: int = 1) -> None:
        """Take in an incident that happened ``times`` times."""
        with self._lock:
            room = _KEPT_OF_A_KIND - self._counts[incident.kind]
            self._counts[incident.kind] += times
            self._kept.extend([incident] * max(0, min(times, room)))

    def kept(self) -> tuple[Incident, ...]:
        """Give the incidents kept, in the order they came."""
        with self._lock:
            return tuple(self._kept)

    def counts(self) -> dict[IncidentKind, int]:
        """Give how often each kind happened."""
        with self._lock:
            return dict(self._counts)
