"""Wording of comparisons: cells and headings that terminal, page and Markdown share."""

from __future__ import annotations

from inferometer.comparing import Comparison, OptionResult, PairResult, ScenarioResult
from inferometer.comparing.option_record import OptionRecord
from inferometer.comparing.sentences import interval_words, times_words
from inferometer.report.wording import duration_text, interval_text, rate_text
from inferometer.workloads import in_unit

__all__ = [
    "accuracy_cell",
    "accuracy_interval",
    "baseline_of",
    "held_text",
    "how_text",
    "option_interval",
    "pair_cell",
    "scenario_title",
    "value_text",
]


def value_text(value: float | None, unit: str) -> str:
    """Write a measured value with its unit."""
    if value is None:
        return "–"
    if unit == "ns":
        return duration_text(value)
    return rate_text(value) if unit == "1/s" else f"{value:g}"


def scenario_title(scenario: ScenarioResult) -> str:
    """Name a scenario with its metric, and what was asked of everyone."""
    metric = scenario.metric
    if metric == "samples/s":
        metric = "samples a second"
    asked = ", ".join(
        f"{value} {name}" if name == "samples a query" else f"{name} {value}"
        for name, value in scenario.asked.items()
    )
    which = "more is better" if scenario.higher_is_better else "less is better"
    return f"{scenario.scenario.value}: {metric}" + (f" ({asked})" if asked else f" ({which})")


def how_text(comparison: Comparison) -> str:
    """Say in one sentence how it was measured."""
    if not comparison.is_interleaved:
        return "Recorded runs, measured at different times and perhaps on different machines."
    length = f", {comparison.seconds:g} s each" if comparison.seconds else ""
    state = "" if comparison.is_complete else " (fewer than were planned)"
    return (
        f"{comparison.blocks} blocks{state}; in each, every option ran once in a fresh process"
        f"{length}, in a random order (seed {comparison.seed})."
    )


def held_text(comparison: Comparison) -> str:
    """Say what the intervals hold together."""
    if comparison.comparisons < 2:
        return "The interval is one at 95 %."
    return (
        f"{comparison.comparisons} comparisons: their intervals hold all together at 95 %, each "
        f"alone at {comparison.confidence:.2%}, so that a difference is claimed by mistake in at "
        "most one of twenty such pages."
    )


def baseline_of(scenario: ScenarioResult, label: str) -> PairResult | None:
    """Give the comparison of an option with the first one; ``None`` for the first itself."""
    first = scenario.options[0].label
    for pair in scenario.pairs:
        if {pair.first, pair.second} == {first, label} and first != label:
            return pair
    return None


def pair_cell(scenario: ScenarioResult, option: OptionResult) -> tuple[str, str]:
    """Give how many times as fast as the first an option is, and the interval of that."""
    pair = baseline_of(scenario, option.label)
    if pair is None or pair.ratio is None:
        return ("1 (the first)" if option is scenario.options[0] else "–"), ""
    ratio = pair.ratio if pair.first == option.label else pair.ratio.turned()
    return times_words(ratio.value), interval_words(ratio).removeprefix("95% interval ")


def option_interval(option: OptionResult, unit: str) -> str:
    """Write the interval of an option's own middle."""
    return interval_text(option.interval, unit)


def accuracy_cell(option: OptionRecord) -> str:
    """Write the accuracy of an option."""
    if option.accuracy is None:
        return "not measured"
    value = in_unit(option.accuracy.value, option.accuracy.unit)
    metric = option.accuracy.metric
    return value if metric == "top-1" else f"{metric} {value}"


def accuracy_interval(option: OptionRecord) -> str:
    """Write the interval of an option's accuracy."""
    if option.accuracy is None:
        return ""
    low, high = option.accuracy.interval.low, option.accuracy.interval.high
    if low is None or high is None:
        return ""
    return f"{in_unit(low, option.accuracy.unit)} – {in_unit(high, option.accuracy.unit)}"
