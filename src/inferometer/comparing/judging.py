"""Judging: from the records of options to ratios, and to what speaks against them."""

from __future__ import annotations

import dataclasses
import itertools
import statistics
from collections.abc import Mapping, Sequence

from inferometer.comparing.circumstances import (
    asked_differences,
    differing,
    fact_rows,
    weaknesses,
)
from inferometer.comparing.comparison import (
    GroupResult,
    OptionResult,
    ScenarioResult,
)
from inferometer.comparing.facts import SHARES
from inferometer.comparing.findings import finding_of
from inferometer.comparing.measurement import Measurement
from inferometer.comparing.option_record import OptionRecord
from inferometer.comparing.pair import AccuracyPair, PairResult
from inferometer.comparing.ratio import (
    Basis,
    Ratio,
    paired_ratio,
    single_ratio,
    unpaired_ratio,
)
from inferometer.comparing.run_findings import run_findings, time_findings, work_findings
from inferometer.loadgen import Finding, Interval, Scenario, Severity
from inferometer.runs import paired_difference
from inferometer.tuning.gain import gain_of

__all__ = ["compared_scenarios", "judged_group"]


def judged_group(
    name: str,
    options: Sequence[OptionRecord],
    confidence: float,
    accuracy_significance: float,
    *,
    is_interleaved: bool,
) -> GroupResult:
    """Compare options with each other, in every scenario in which all were measured.

    confidence:
        Of each interval; higher than 95 % where many are told together.
    """
    measured = [one for one in options if not one.failure]
    labels = [one.label for one in measured]
    explained = asked_differences([one.asked for one in measured])
    findings = [
        finding_of("failed", f"{one.label}: {one.failure}") for one in options if one.failure
    ]
    findings += differing(labels, [one.facts for one in measured], explained)
    findings += weaknesses(labels, [one.seen for one in measured], is_interleaved=is_interleaved)
    scenarios: list[ScenarioResult] = []
    common = compared_scenarios(measured)
    if not any(one.measurements for one in options):
        findings.append(finding_of("few-runs", "nothing was run yet"))
    elif len(measured) > 1 and not common:
        findings.append(finding_of("scenario", _scenarios_words(measured)))
    if common and not _keep_from_comparing(findings):
        scenarios = [
            _scenario(one, measured, confidence, accuracy_significance, is_interleaved)
            for one in common
        ]
    if scenarios and not is_interleaved:
        findings += time_findings(scenarios)
    titles = dict.fromkeys(one.title for one in options if one.title)
    return GroupResult(
        name=name,
        title=" / ".join(titles) or name,
        options=tuple(options),
        scenarios=tuple(scenarios),
        facts=tuple(fact_rows([one.facts for one in measured])),
        seen=tuple(fact_rows([_rounded(one.seen) for one in measured])),
        findings=_gravest_first(findings),
    )


def compared_scenarios(options: Sequence[OptionRecord]) -> list[Scenario]:
    """Give the scenarios in which every one of at least two options was measured."""
    if len(options) < 2:
        return []
    return [one for one in Scenario if all(option.measured_in(one) for option in options)]


def _keep_from_comparing(findings: Sequence[Finding]) -> bool:
    """Whether something keeps those that were measured from being compared."""
    grave = {found.rule.id for found in findings if found.rule.severity is Severity.ERROR}
    return bool(grave - {"compare.failed"})


def _scenario(
    scenario: Scenario,
    options: Sequence[OptionRecord],
    confidence: float,
    accuracy_significance: float,
    is_interleaved: bool,
) -> ScenarioResult:
    runs = {one.label: one.measured_in(scenario) for one in options}
    first = runs[options[0].label][0]
    findings = list(work_findings(runs))
    pairs: list[PairResult] = []
    if not findings:
        pairs = [
            PairResult(
                one.label,
                other.label,
                _ratio(runs[one.label], runs[other.label], confidence, is_interleaved),
                _accuracy(one, other, accuracy_significance),
            )
            for one, other in itertools.combinations(options, 2)
        ]
        pairs = [_faster_first(pair) for pair in pairs]
    findings += run_findings(runs, is_interleaved=is_interleaved)
    if any(pair.ratio is not None and pair.ratio.basis is Basis.TOO_FEW for pair in pairs):
        counts = ", ".join(f"{len(found)} ({label})" for label, found in runs.items())
        findings.append(finding_of("few-runs", f"runs: {counts}"))
    return ScenarioResult(
        scenario=scenario,
        metric=first.metric,
        unit=first.unit,
        higher_is_better=first.higher_is_better,
        asked=first.asked,
        options=tuple(_option(label, found) for label, found in runs.items()),
        pairs=tuple(pairs),
        findings=_gravest_first(findings),
    )


def _option(label: str, runs: Sequence[Measurement]) -> OptionResult:
    """Give the middle of an option's runs, with the 95 % interval of this option alone."""
    middle = gain_of([(1.0, one.value) for one in runs])
    if middle is not None:
        interval: Interval | None = Interval(middle.low, middle.high)
        return OptionResult(label, middle.value, interval, tuple(runs))
    interval = runs[0].interval if len(runs) == 1 else None
    value = statistics.median(one.value for one in runs)
    return OptionResult(label, value, interval, tuple(runs))


def _ratio(
    first: Sequence[Measurement],
    second: Sequence[Measurement],
    confidence: float,
    is_interleaved: bool,
) -> Ratio | None:
    if is_interleaved:
        ones = {one.block: one.speed for one in first}
        others = {one.block: one.speed for one in second}
        blocks = sorted(set(ones) & set(others))
        return paired_ratio([ones[b] for b in blocks], [others[b] for b in blocks], confidence)
    if len(first) == len(second) == 1:
        intervals = [first[0].speed_interval, second[0].speed_interval]
        return single_ratio(first[0].speed, second[0].speed, intervals)
    return unpaired_ratio([one.speed for one in first], [one.speed for one in second], confidence)


def _accuracy(
    first: OptionRecord, second: OptionRecord, significance: float
) -> AccuracyPair | None:
    if first.accuracy is None or second.accuracy is None:
        return None
    # The difference is that of the first minus the second.
    difference = paired_difference(second.accuracy, first.accuracy)
    return AccuracyPair(first.accuracy, second.accuracy, difference, significance)


def _faster_first(pair: PairResult) -> PairResult:
    """Turn a pair round whose second is shown to be faster."""
    if pair.ratio is None or not pair.shows_difference or pair.ratio.value >= 1:
        return pair
    accuracy = pair.accuracy
    if accuracy is not None:
        difference = paired_difference(accuracy.first, accuracy.second)
        accuracy = dataclasses.replace(
            accuracy, first=accuracy.second, second=accuracy.first, difference=difference
        )
    return PairResult(pair.second, pair.first, pair.ratio.turned(), accuracy)


def _scenarios_words(options: Sequence[OptionRecord]) -> str:
    told = []
    for option in options:
        names = dict.fromkeys(one.scenario.value for one in option.measurements)
        told.append(f"{', '.join(names) or 'none'} ({option.label})")
    return "; ".join(told)


def _rounded(seen: Mapping[str, float]) -> dict[str, str]:
    """Write what was seen as it is shown: shares as percent."""
    return {
        name: f"{value:.1%}" if name in SHARES else f"{value:,.1f}".removesuffix(".0")
        for name, value in seen.items()
    }


def _gravest_first(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    order = [Severity.ERROR, Severity.WARNING, Severity.INFO]
    distinct = dict.fromkeys(findings)
    return tuple(sorted(distinct, key=lambda found: order.index(found.rule.severity)))
