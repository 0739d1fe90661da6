"""The enums of the published binding: named like its own, and equal to no plain number."""

from __future__ import annotations

import enum

__all__ = ["LoggingMode", "TestMode", "TestScenario", "TestScenarioV05"]


class _Word(enum.Enum):
    """An enum with the conversions that the published binding has, and no order."""

    __test__ = False

    @classmethod
    def _missing_(cls, value: object) -> None:
        if not isinstance(value, int):
            raise TypeError(f"{cls.__name__} takes a whole number, not {value!r}")

    def __int__(self) -> int:
        return int(self.value)

    def __index__(self) -> int:
        return int(self.value)


class TestScenario(_Word):
    """How queries arrive."""

    SingleStream = 0
    MultiStream = 1
    Server = 2
    Offline = 3


class TestScenarioV05(_Word):
    """How queries arrive, in v0.5."""

    SingleStream = 0
    MultiStream = 1
    MultiStreamFree = 2
    Server = 3
    Offline = 4


# As in the published binding, both are called by the one name.
TestScenarioV05.__name__ = TestScenarioV05.__qualname__ = "TestScenario"


class TestMode(_Word):
    """What a test is for."""

    SubmissionRun = 0
    AccuracyOnly = 1
    PerformanceOnly = 2
    FindPeakPerformance = 3


class LoggingMode(_Word):
    """How logs were once written; it has no effect."""

    AsyncPoll = 0
    EndOfTestOnly = 1
    Synchronous = 2
