"""Condition: what makes a gate fail, as a value that prints as the text that it is read from."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from inferometer.loadgen import InferometerError, Scenario
from inferometer.runs.gates.figure import FigureName

__all__ = ["Amount", "Certainty", "Comparator", "Condition", "GateError", "Limit"]


class GateError(InferometerError, ValueError):
    """A condition can't be read, or asks for something that there is not."""


class Certainty(enum.Enum):
    """What has to be beyond the limit for a gate to fail."""

    POINT = ""
    """The measured value."""
    SURELY = "surely"
    """The whole confidence interval."""
    POSSIBLY = "possibly"
    """Any part of the confidence interval."""


class Comparator(enum.Enum):
    """How a figure is held against a limit."""

    ABOVE = ">"
    AT_LEAST = ">="
    BELOW = "<"
    AT_MOST = "<="

    @property
    def is_upward(self) -> bool:
        """Whether large figures make the gate fail."""
        return self in (Comparator.ABOVE, Comparator.AT_LEAST)

    def holds(self, excess: float) -> bool:
        """Tell whether it holds for a figure that is so much above the limit."""
        match self:
            case Comparator.ABOVE:
                return excess > 0
            case Comparator.AT_LEAST:
                return excess >= 0
            case Comparator.BELOW:
                return excess < 0
            case Comparator.AT_MOST:
                return excess <= 0


@dataclass(frozen=True)
class Amount:
    """A number with the unit that it was written in; ``""`` for none."""

    value: float
    unit: str

    def __str__(self) -> str:
        space = " " if self.unit and self.unit not in ("%", "/s") else ""
        return f"{_number(self.value)}{space}{self.unit}"


@dataclass(frozen=True)
class Limit:
    """A fixed amount; or ``factor`` times the baseline, plus an amount if there is one."""

    amount: Amount | None
    factor: float | None = None

    @property
    def is_relative(self) -> bool:
        """Whether it takes a baseline."""
        return self.factor is not None

    def __str__(self) -> str:
        if self.factor is None:
            return str(self.amount)
        if self.amount is None:
            return "baseline" if self.factor == 1.0 else f"baseline * {_number(self.factor)}"
        sign = "-" if self.amount.value < 0 else "+"
        return f"baseline {sign} {Amount(abs(self.amount.value), self.amount.unit)}"


@dataclass(frozen=True)
class Condition:
    """A gate fails if this holds for a test that it is about.

    names:
        Workload and backend that it is limited to, in any order; none for all.
    """

    figure: FigureName
    comparator: Comparator
    limit: Limit
    certainty: Certainty = Certainty.POINT
    scenario: Scenario | None = None
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        words = [self.certainty.value, *map(quoted, self.names)]
        words.append(self.scenario.value if self.scenario else "")
        words += [str(self.figure), self.comparator.value, str(self.limit)]
        return " ".join(word for word in words if word)


def _number(value: float) -> str:
    """Write a number as short as it can be read back from."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def quoted(name: str) -> str:
    """Write a name as a condition takes it: in quotes where it isn't one plain word."""
    is_plain = name and not any(one.isspace() or one in '<>=!*+"' for one in name)
    words = {scenario.value.lower() for scenario in Scenario} | {"surely", "possibly"}
    return name if is_plain and name.lower() not in words else f'"{name}"'
