"""Effort: how long a run takes, and the rule that ends a quick one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inferometer.loadgen import (
    Ledger,
    Scenario,
    Settings,
    StopRule,
    percentile,
    percentile_interval,
    total_needed,
)

__all__ = [
    "Effort",
    "Pace",
    "PrecisionRule",
    "expected_performance",
    "quick_settings",
    "server_rate",
]

_GROWTH = 1.5
_SLOW_BUDGETS = 4
_GENERATED_BUDGETS = 6
_MOST_GENERATED = 4_000_000
_FEWEST_LOOKED_AT = 200
_SLOW_ONES_ALLOWED = 10
_SERVER_LOAD = 0.25
_ROOM_WANTED = 20.0
_LEAST_ROOM = 0.25
_OFFLINE_SHARE = 0.6
_OFFLINE_RESERVE = 1.5


@dataclass(frozen=True)
class Effort:
    """What a quick run spends.

    budget_s:
        Longest that a performance run lasts.
    least_s:
        Shortest that it lasts.
    precision:
        A run ends once half the confidence interval of its metric is below this share of
        the metric.
    """

    budget_s: float = 5.0
    least_s: float = 1.0
    precision: float = 0.02


@dataclass(frozen=True)
class Pace:
    """What is known of a system's speed before it is measured; it only sizes runs.

    query_latency_s:
        Time that it takes for a query of the scenario's size.
    samples_per_s:
        Samples that it answers in a second when it has all of them at once.
    """

    query_latency_s: float
    samples_per_s: float


class PrecisionRule:
    """Ends a closed-loop run once the percentile is precise, or the budget is used up.

    It looks at geometrically spaced times, so that looking costs little and repeated
    looks don't favour lucky moments much; the interval still is that of a fixed number of
    queries, so the stated confidence is a little optimistic. A system that is too slow for
    the least number of queries gets four times the budget.
    """

    def __init__(self, fraction: float, effort: Effort, least_queries: int):
        self._fraction = fraction
        self._effort = effort
        self._least = max(least_queries, _FEWEST_LOOKED_AT)
        seconds = (effort.least_s, effort.budget_s, effort.budget_s * _SLOW_BUDGETS)
        self._times_ns = [int(time_s * 1e9) for time_s in seconds]

    def next_look(self, issued: int, elapsed_ns: int) -> tuple[int, int]:
        """Look again at half as many queries more, and at each limit of time."""
        later = [time_ns for time_ns in self._times_ns if time_ns > elapsed_ns]
        count = max(self._least, int(issued * _GROWTH) + 1)
        return count, later[0] if later else elapsed_ns + 1

    def wants_to_stop(self, ledger: Ledger, issued: int, elapsed_ns: int) -> str | None:
        """Give the reason to stop, or ``None`` to go on."""
        least_ns, budget_ns, slow_ns = self._times_ns
        if elapsed_ns >= slow_ns or (elapsed_ns >= budget_ns and issued >= self._least):
            return f"the time budget of {self._effort.budget_s:g} s is used up"
        if issued < self._least or elapsed_ns < least_ns:
            return None
        ordered = np.sort(ledger.query_latencies_ns(issued))
        if len(ordered) < self._least:
            return None
        value = percentile(ordered, self._fraction)
        half = percentile_interval(ordered, self._fraction).relative_half_width(value)
        if half <= self._effort.precision:
            return f"p{self._fraction * 100:g} is known to within {half:.1%}"
        return None


def quick_settings(
    scenario: Scenario, base: Settings, pace: Pace, effort: Effort
) -> tuple[Settings, StopRule | None]:
    """Size a quick performance run; give its settings and the rule that ends it.

    The closed loops get enough pre-generated queries for the whole budget and end by the
    rule. Server lasts for the budget, or longer where early stopping needs more queries;
    unless asked for, its rate is a quarter of what the system answered offline. Offline gets
    as many samples as fill a good half of the budget.
    """
    least_ms = int(effort.least_s * 1000)
    match scenario:
        case Scenario.SERVER:
            return _quick_server(base, effort), None
        case Scenario.OFFLINE:
            seconds = max(effort.budget_s * _OFFLINE_SHARE, effort.least_s * _OFFLINE_RESERVE)
            wanted = int(pace.samples_per_s * seconds)
            count = max(wanted, base.performance_sample_count_override, 1)
            return base.replace(min_duration_ms=least_ms, min_query_count=count), None
        case Scenario.SINGLE_STREAM:
            fraction, field = base.single_stream_target_latency_percentile, "single_stream"
        case _:
            fraction, field = base.multi_stream_target_latency_percentile, "multi_stream"
    least = total_needed(1, fraction)
    span_s = 2 * effort.least_s
    expected_s = pace.query_latency_s * span_s / (_GENERATED_BUDGETS * effort.budget_s)
    expected_s = max(expected_s, span_s / _MOST_GENERATED)
    settings = base.replace(
        min_duration_ms=least_ms,
        min_query_count=least,
        **{f"{field}_expected_latency_ns": max(1.0, expected_s * 1e9)},
    )
    return settings, PrecisionRule(fraction, effort, least)


def _quick_server(base: Settings, effort: Effort) -> Settings:
    enough = total_needed(_SLOW_ONES_ALLOWED, base.server_target_latency_percentile)
    affordable = int(base.server_target_qps * effort.budget_s * _SLOW_BUDGETS)
    duration_ms = int(max(effort.budget_s, effort.least_s) * 1000)
    return base.replace(
        min_duration_ms=duration_ms, min_query_count=max(1, min(enough, affordable))
    )


def expected_performance(settings: Settings, pace: Pace) -> dict[str, float]:
    """Give the settings that only say what performance to expect, as a user.conf does.

    Rounds leave these to the submitter. They are chosen so that enough is generated for
    the minimum duration.
    """
    match settings.scenario:
        case Scenario.SERVER:
            return {"server_target_qps": server_rate(pace, settings.server_target_latency_ns)}
        case Scenario.OFFLINE:
            return {"offline_expected_qps": max(1.0, pace.samples_per_s * _OFFLINE_RESERVE)}
        case Scenario.SINGLE_STREAM:
            return {"single_stream_expected_latency_ns": max(1.0, pace.query_latency_s * 0.5e9)}
        case _:
            return {}


def server_rate(pace: Pace, bound_ns: float) -> float:
    """Choose a Server rate where none was asked for: a quarter of the offline rate, rounded.

    Where the latency bound leaves less room than twenty times what a query takes alone,
    the rate is lower in proportion, though never less than a sixteenth.
    """
    room = bound_ns / 1e9 / max(pace.query_latency_s, 1e-9) / _ROOM_WANTED
    rate = pace.samples_per_s * _SERVER_LOAD * min(1.0, max(room, _LEAST_ROOM))
    digits = 10.0 ** (len(str(int(max(rate, 1.0)))) - 2)
    return max(1.0, round(rate / digits) * digits)
