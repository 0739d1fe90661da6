"""Scores: the performance that a test's log files state, as the published audits compare it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inferometer.loadgen import InferometerError, Scenario
from inferometer.logs import DETAIL_LOG, SUMMARY_LOG, SummaryLog, read_detail, read_summary
from inferometer.submission.places import scenario_of

__all__ = ["Score", "ScoreError", "read_score"]

_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?")
_PERCENTILE = re.compile(r"\d+(\.\d+)?th percentile latency \(ns\)")
_V05_NAMES = {
    Scenario.MULTI_STREAM: "Samples per query",
    Scenario.SERVER: "Scheduled samples per second",
    Scenario.OFFLINE: "Samples per second",
}
_CURRENT_KEYS = {
    Scenario.SINGLE_STREAM: "early_stopping_latency_ss",
    Scenario.MULTI_STREAM: "early_stopping_latency_ms",
    Scenario.SERVER: "result_completed_samples_per_sec",
    Scenario.OFFLINE: "result_samples_per_second",
}
_OLDER_KEYS = {
    Scenario.SINGLE_STREAM: "result_90.00_percentile_latency_ns",
    Scenario.MULTI_STREAM: "result_99.00_percentile_per_query_latency_ns",
    Scenario.SERVER: "result_scheduled_samples_per_sec",
}


class ScoreError(InferometerError):
    """A test's log files state no performance."""


@dataclass(frozen=True)
class Score:
    """The performance that a test states.

    value, text:
        The number, in ns or in samples, and how the log writes it.
    is_latency:
        Whether less is better.
    is_valid:
        What the log says of itself.
    bound_ns:
        The latency bound of Server, where the log tells.
    flags:
        What it says of ``performance_issue_unique`` and ``performance_issue_same``.
    """

    scenario: Scenario
    value: float
    text: str
    is_latency: bool
    is_valid: bool
    bound_ns: int | None = None
    error_count: int = 0
    flags: Mapping[str, bool] | None = None

    @property
    def latency_ns(self) -> float | None:
        """The latency, where that is what is compared."""
        return self.value if self.is_latency else None

    def times_as_good_as(self, other: Score) -> float:
        """Give how many times as good this performance is."""
        if min(self.value, other.value) <= 0:
            return float("nan")
        return other.value / self.value if self.is_latency else self.value / other.value


def read_score(folder: Path) -> Score:
    """Read the performance from the log files in a folder, of either dialect.

    Current logs state it in the detail log, older ones in the summary. Raises `ScoreError` or
    `LogError` naming the file and what is missing.
    """
    summary = read_summary(folder / SUMMARY_LOG)
    if (folder / DETAIL_LOG).is_file():
        detail = read_detail(folder / DETAIL_LOG)
        if not detail.is_v05 and detail.first("result_validity") is not None:
            return _of_current(folder / DETAIL_LOG, detail.first, len(detail.errors))
    return _of_summary(folder / SUMMARY_LOG, summary)


def _of_current(path: Path, first: Callable[[str], Any], errors: int) -> Score:
    scenario = scenario_of(str(first("effective_scenario")))
    if scenario is None:
        raise ScoreError(f"{path}: no scenario is stated (effective_scenario)")
    keys = [_CURRENT_KEYS[scenario], _OLDER_KEYS.get(scenario, "")]
    value = next((first(key) for key in keys if first(key) not in (None, 0, 0.0)), None)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ScoreError(f"{path}: no performance is stated ({keys[0]})")
    bound = first("effective_target_latency_ns") if scenario is Scenario.SERVER else None
    return Score(
        scenario=scenario,
        value=float(value),
        text=f"{value}",
        is_latency=scenario in (Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM),
        is_valid=first("result_validity") == "VALID",
        bound_ns=bound if isinstance(bound, int) else None,
        error_count=errors,
        flags={
            name: bool(first(f"effective_{name}"))
            for name in ("performance_issue_unique", "performance_issue_same")
        },
    )


def _of_summary(path: Path, summary: SummaryLog) -> Score:
    values = summary.values
    scenario = scenario_of(values.get("Scenario", ""))
    if scenario is None:
        raise ScoreError(f"{path}: no scenario is stated; it isn't a summary log, or cut off")
    name = _V05_NAMES.get(scenario) or next(filter(_PERCENTILE.fullmatch, values), "")
    found = _NUMBER.match(values.get(name, ""))
    if found is None:
        raise ScoreError(f"{path}: no performance is stated ({name or 'percentile latency (ns)'})")
    return Score(
        scenario=scenario,
        value=float(found[0]),
        text=found[0],
        is_latency=scenario is Scenario.SINGLE_STREAM,
        is_valid=summary.is_valid is True,
        error_count=summary.error_count or 0,
        flags={
            name: values[name].split()[0].lower() in ("true", "1")
            for name in ("performance_issue_unique", "performance_issue_same")
            if values.get(name)
        },
    )
