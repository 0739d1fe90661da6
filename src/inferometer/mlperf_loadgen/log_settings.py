"""Log settings as the published binding has them."""

from __future__ import annotations

from typing import Any

from inferometer.mlperf_loadgen.fields import BOOL, U64, Field, text_field, word_field
from inferometer.mlperf_loadgen.words import LoggingMode

__all__ = ["LogOutputSettings", "LogSettings"]


class LogOutputSettings:
    """Where the log files go and what they are called."""

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    outdir = text_field(".")
    prefix = text_field("mlperf_log_")
    suffix = text_field("")
    prefix_with_datetime = Field(BOOL, False)
    copy_detail_to_stdout = Field(BOOL, False)
    copy_summary_to_stdout = Field(BOOL, False)


class LogSettings:
    """What is logged. ``log_mode`` and its poll interval have no effect."""

    __slots__ = ("_log_output", "_values")

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._log_output = LogOutputSettings()

    @property
    def log_output(self) -> LogOutputSettings:
        """Where the log files go: the object itself; setting it copies what it holds."""
        return self._log_output

    @log_output.setter
    def log_output(self, given: LogOutputSettings) -> None:
        if not isinstance(given, LogOutputSettings):
            raise TypeError(f"log_output takes a LogOutputSettings, not {given!r}")
        self._log_output._values = dict(given._values)

    log_mode = word_field(LoggingMode.AsyncPoll)
    log_mode_async_poll_interval_ms = Field(U64, 1000)
    enable_trace = Field(BOOL, True)
