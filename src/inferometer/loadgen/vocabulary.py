"""The words of a test: scenario, mode, era, and the flavour of random integers."""

from __future__ import annotations

import enum

__all__ = ["Era", "IntegerFlavour", "Mode", "Scenario"]


class Scenario(enum.Enum):
    """How queries arrive. The values are the names that the log files use."""

    SINGLE_STREAM = "SingleStream"
    MULTI_STREAM = "MultiStream"
    MULTI_STREAM_FREE = "MultiStreamFree"
    SERVER = "Server"
    OFFLINE = "Offline"

    @property
    def is_multi_stream(self) -> bool:
        """Whether a query holds several consecutive samples of the loaded set."""
        return self in (Scenario.MULTI_STREAM, Scenario.MULTI_STREAM_FREE)


class Mode(enum.Enum):
    """What a test is for. The values are the names that the log files use."""

    SUBMISSION = "SubmissionRun"
    ACCURACY = "AccuracyOnly"
    PERFORMANCE = "PerformanceOnly"
    FIND_PEAK = "FindPeakPerformance"


class Era(enum.Enum):
    """Which published LoadGen is followed where the releases differ."""

    V05_OCTOBER = "v0.5-2019-10"
    """Branch r0.5 as of October 2019: a closed-loop run ends once its duration *exceeds*
    the minimum, so Offline with a minimum duration logs a spurious "Ran out" error."""
    V05 = "v0.5"
    """Branch r0.5 with the correction of 6 November 2019."""
    V2 = "v2.0"
    """Releases 2.0 to 6.0.5: the performance set is drawn from the whole library."""
    CURRENT = "v6.0.6"
    """Releases 6.0.6 and later: the performance set is drawn from its first indices."""

    @property
    def is_v05(self) -> bool:
        """Whether this is a v0.5 release (interval-based MultiStream, text detail log)."""
        return self in (Era.V05_OCTOBER, Era.V05)


class IntegerFlavour(enum.Enum):
    """How a 32-bit draw becomes an integer below a bound; the official compiler decides.

    ``LEMIRE`` is what wheels built by GCC 11 and later do, ``SCALING`` what binaries
    built by GCC 10 and earlier did, that is, everything of the v0.5 round.
    """

    LEMIRE = "lemire"
    SCALING = "scaling"
