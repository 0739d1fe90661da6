"""Result of a gate for one test: whether it passed, what was seen, and what was asked."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inferometer.loadgen import Finding, Interval
from inferometer.runs.gates.condition import Condition
from inferometer.runs.gates.rules import FAILED, NO_MATCH, NOT_MEASURED

__all__ = ["GateOutcome", "GateResult", "in_words"]


class GateOutcome(enum.Enum):
    """How a gate ends; all but the first make it fail."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_MEASURED = "not measured"
    NO_MATCH = "no match"


_RULES = {
    GateOutcome.FAILED: FAILED,
    GateOutcome.NOT_MEASURED: NOT_MEASURED,
    GateOutcome.NO_MATCH: NO_MATCH,
}


@dataclass(frozen=True)
class GateResult:
    """A condition held against one test.

    workload, backend, test:
        What it was held against; the test is such as ``Server performance``. Empty where it
        matches none.
    seen:
        The figure with its interval, and the limit if it comes from a baseline, as text.
    value, interval:
        The figure, in ns, 1/s, a count, or the unit of the accuracy's metric.
    """

    condition: Condition
    outcome: GateOutcome
    seen: str
    workload: str = ""
    backend: str = ""
    test: str = ""
    value: float | None = None
    interval: Interval | None = None

    @property
    def has_passed(self) -> bool:
        """Whether the gate lets this test through."""
        return self.outcome is GateOutcome.PASSED

    @property
    def where(self) -> str:
        """Workload, backend and test, as one text."""
        return " ".join(part for part in (self.workload, self.backend, self.test) if part)

    @property
    def finding(self) -> Finding | None:
        """What speaks against the test; ``None`` if the gate has passed."""
        if self.has_passed:
            return None
        return Finding(_RULES[self.outcome], f"{self.seen}; fails if {self.condition}")

    def to_mapping(self) -> dict[str, Any]:
        """Give names and plain values, ready for JSON."""
        ends = self.interval or Interval(None, None)
        return {
            "condition": str(self.condition),
            "outcome": self.outcome.value,
            "passed": self.has_passed,
            "workload": self.workload,
            "backend": self.backend,
            "test": self.test,
            "seen": self.seen,
            "value": self.value,
            "low": ends.low,
            "high": ends.high,
        }


_TIMES = (("s", 1e9), ("ms", 1e6), ("µs", 1e3), ("ns", 1.0))
_SUFFIXES: Mapping[str, tuple[float, str]] = {"1/s": (1.0, "/s"), "%": (0.01, " %")}


def in_words(value: float, interval: Interval | None, unit: str) -> str:
    """Write a figure with its interval in one unit, to four digits."""
    size, suffix = _SUFFIXES.get(unit, (1.0, f" {unit.strip()}".rstrip()))
    if unit == "ns":
        name, size = next((pair for pair in _TIMES if abs(value) >= pair[1]), _TIMES[-1])
        suffix = f" {name}"
    text = f"{_digits(value / size)}{suffix}"
    if interval is None or interval.low == interval.high == value:
        return text
    ends = ("…" if end is None else _digits(end / size) for end in (interval.low, interval.high))
    return f"{text} [{' – '.join(ends)}]"


def _digits(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 1e4 else f"{value:.4g}"
