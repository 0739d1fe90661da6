"""Effort: how long a run takes, and the rule that ends a quick one."""

from __future__ import annotations

from dataclasses import dataclass

from inferometer.loadgen import (
    BoundDecision,
    BoundRule,
    Looks,
    PrecisionRule,
    Scenario,
    Settings,
    StopRule,
    total_needed,
)

__all__ = [
    "Effort",
    "Pace",
    "expected_performance",
    "quick_settings",
    "server_rate",
]

_DECISION_GROWTH = 1.2
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
        A run ends once half the confidence interval of its metric is at most this share of
        the metric.
    decides:
        A run ends once its latency bound is decided instead, where it has one.
    error_rate:
        Highest probability of a wrong answer about the bound, on each side.
    bound_ns:
        A bound for the percentile of SingleStream and MultiStream, whose settings have none;
        in Server it takes the place of the one in the settings.
    """

    budget_s: float = 5.0
    least_s: float = 1.0
    precision: float = 0.02
    decides: bool = False
    error_rate: float = 0.01
    bound_ns: int | None = None


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


def quick_settings(
    scenario: Scenario, base: Settings, pace: Pace, effort: Effort
) -> tuple[Settings, StopRule | None]:
    """Size a quick performance run; give its settings and the rule that ends it.

    The closed loops get enough pre-generated queries for the whole budget and end by the
    rule. Server lasts for the budget, or longer where early stopping needs more queries, or
    until its bound is decided;
    unless asked for, its rate is a quarter of what the system answered offline. Offline gets
    as many samples as fill a good half of the budget.
    """
    least_ms = int(effort.least_s * 1000)
    match scenario:
        case Scenario.SERVER:
            return _quick_server(base, effort)
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
    return settings, _closed_loop_rule(base, fraction, effort, least)


def _closed_loop_rule(base: Settings, fraction: float, effort: Effort, least: int) -> StopRule:
    least = max(least, _FEWEST_LOOKED_AT)
    if effort.decides and effort.bound_ns is not None and not base.era.is_v05:
        return _bound_rule(fraction, effort.bound_ns, effort, least)
    looks = Looks(least, effort.least_s, effort.budget_s)
    return PrecisionRule(fraction, effort.precision, looks)


def _bound_rule(fraction: float, bound_ns: int, effort: Effort, least: int) -> BoundRule:
    looks = Looks(least, effort.least_s, effort.budget_s, _DECISION_GROWTH)
    return BoundRule(BoundDecision(fraction, effort.error_rate), bound_ns, looks)


def _quick_server(base: Settings, effort: Effort) -> tuple[Settings, StopRule | None]:
    if effort.bound_ns is not None:
        base = base.replace(server_target_latency_ns=effort.bound_ns)
    fraction = base.server_target_latency_percentile
    affordable = max(1, int(base.server_target_qps * effort.budget_s * _SLOW_BUDGETS))
    if effort.decides and not base.use_token_latencies:
        least = min(total_needed(1, fraction), affordable)
        sized = base.replace(min_duration_ms=int(effort.least_s * 1000), min_query_count=least)
        return sized, _bound_rule(fraction, base.server_target_latency_ns, effort, least)
    enough = total_needed(_SLOW_ONES_ALLOWED, fraction)
    duration_ms = int(max(effort.budget_s, effort.least_s) * 1000)
    sized = base.replace(min_duration_ms=duration_ms, min_query_count=min(enough, affordable))
    return sized, None


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
