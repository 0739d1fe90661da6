"""Answers: whether a system says the same, whoever asks and however often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from inferometer.loadgen import Mode, Scenario, proportion_interval
from inferometer.submission.audit.bench import Bench
from inferometer.submission.audit.observation import Observation
from inferometer.submission.audit.result import AuditResult, failed, not_checkable, passed

__all__ = [
    "coverage",
    "empty_answers",
    "exchanged_samples",
    "payload",
    "skipped_samples",
    "steady_answers",
]

_QUICK = 0.5
_FEWEST_QUICK = 4
_SAME_SHARE = 0.9
_USUAL_SHARE = 0.5
_STALE_SHARE = 0.02
_EMPTY_SHARE = 0.05


def payload(bench: Bench, scenario: Scenario) -> AuditResult:
    """Compare every byte of performance mode's answers with those of accuracy mode.

    The published TEST01 looks at the first element only. A small share may differ, as ties
    between classes and rounding in other batches make them.
    """
    reference = bench.baseline(scenario).first_answers()
    answers = bench.run(bench.settings(scenario)).answers
    pairs = [(reference[one.index], one.data) for one in answers if one.index in reference]
    if not pairs:
        return failed("audit.payload", scenario, "no sample was answered in both modes")
    differing = sum(not bench.subject.same_answer(*pair) for pair in pairs)
    return _of_share(
        "audit.payload",
        scenario,
        differing,
        len(pairs),
        bench.effort.mismatch_share,
        "answers of performance mode differ from those of accuracy mode",
    )


def steady_answers(bench: Bench, scenario: Scenario) -> AuditResult:
    """Compare the answers to a sample that is asked several times in one test."""
    settings = bench.settings(scenario)
    if scenario is Scenario.OFFLINE:
        # Every sample comes once before any comes again.
        settings = settings.replace(min_query_count=2 * settings.min_query_count)
    seen = bench.run(settings)
    first: dict[int, bytes] = {}
    again = differing = 0
    for answer in seen.answers:
        if answer.index in first:
            again += 1
            differing += not bench.subject.same_answer(first[answer.index], answer.data)
        else:
            first[answer.index] = answer.data
    if not again:
        return not_checkable("audit.steady-answers", scenario, "no sample was asked twice")
    return _of_share(
        "audit.steady-answers",
        scenario,
        differing,
        again,
        bench.effort.mismatch_share,
        "answers differ from the first one to the same sample",
    )


def exchanged_samples(bench: Bench, scenario: Scenario) -> AuditResult:
    """Let samples change places after they were loaded; answers have to follow the content.

    Catches whatever is known of an index before the clock starts: answers computed while
    samples are loaded, or brought along.
    """
    audit = "audit.exchanged-samples"
    same = bench.subject.same_answer
    reference = bench.baseline(scenario).first_answers()
    seen = bench.exchanged(bench.settings(scenario), seed=bench.subject.seeds.qsl % 2**32)
    stale = telling = 0
    for answer in seen.answers:
        own = reference.get(answer.index)
        now = reference.get(seen.stands_for.get(answer.index, -1))
        if own is None or now is None or same(own, now):
            continue
        telling += 1
        stale += same(answer.data, own)
    if not telling:
        return not_checkable(audit, scenario, "too few samples have answers that differ")
    words = "answers belong to what lay at the index before the test began"
    return _of_share(audit, scenario, stale, telling, _STALE_SHARE, words)


def empty_answers(bench: Bench, scenario: Scenario) -> AuditResult:
    """Look for answers without any content, and for a system that always says the same.

    Some tasks have samples with nothing to say, such as photos without objects. Only more
    empty answers in performance mode than in accuracy mode, or hardly any other, count.
    """
    audit = "audit.empty-answers"
    reference = bench.baseline(scenario)
    seen = bench.run(bench.settings(scenario))
    if not seen.answers:
        return failed(audit, scenario, "no answer was given")
    accuracy, performance = (_empty_share(one) for one in (reference, seen))
    distinct = len({one.data for one in seen.answers})
    text = (
        f"{performance:.1%} of the answers are empty, {accuracy:.1%} in accuracy mode; "
        f"{distinct} distinct answers"
    )
    samples = len({one.index for one in seen.answers})
    empty = performance > accuracy + _EMPTY_SHARE or performance > 1 - _EMPTY_SHARE
    constant = distinct == 1 and samples > 1
    make = failed if empty or constant else passed
    return make(audit, scenario, text, empty_share=performance, distinct=distinct)


def skipped_samples(bench: Bench, scenario: Scenario = Scenario.SINGLE_STREAM) -> AuditResult:
    """Look for samples that are always answered in no time, and nearly all alike.

    An answer that takes less than half as long as others was not computed like them. Where
    work depends on length, short samples are quick too, but their answers differ.
    """
    audit = "audit.skipped-samples"
    seen = bench.run(bench.settings(scenario))
    slowest: dict[int, int] = {}
    for series in seen.series:
        rows = zip(series.sample_index.tolist(), series.query_latency_ns.tolist(), strict=False)
        for index, latency_ns in rows:
            slowest[index] = max(slowest.get(index, 0), latency_ns)
    answers = seen.first_answers()
    if len(slowest) < 2 * _FEWEST_QUICK or not answers:
        return not_checkable(audit, scenario, "too few samples were answered")
    limit_ns = _QUICK * float(np.median(list(slowest.values())))
    quick = [index for index, latency_ns in slowest.items() if latency_ns < limit_ns]
    others = [index for index in slowest if index not in set(quick)]
    share, usual = (_commonest_share(answers, group) for group in (quick, others))
    text = (
        f"{len(quick)} of {len(slowest)} samples take less than half as long as the others; "
        f"their commonest answer makes up {share:.0%}, among the others {usual:.0%}"
    )
    alike = len(quick) >= _FEWEST_QUICK and share >= _SAME_SHARE and usual < _USUAL_SHARE
    make = failed if alike else passed
    return make(audit, scenario, text, quick=len(quick), samples=len(slowest))


def coverage(bench: Bench, scenario: Scenario) -> AuditResult:
    """Check that every sample asked for was answered once, in both modes."""
    audit = "audit.dropped-samples"
    missing = []
    for mode in (Mode.ACCURACY, Mode.PERFORMANCE):
        accuracy = mode is Mode.ACCURACY
        seen = bench.baseline(scenario) if accuracy else bench.run(bench.settings(scenario))
        asked = sum(one.sample_count for one in seen.series)
        answered = len({one.sample_id for one in seen.answers})
        if answered < asked or seen.error is not None:
            missing.append(f"{mode.value}: {asked - answered} of {asked} samples have no answer")
    if missing:
        return failed(audit, scenario, "; ".join(missing))
    return passed(audit, scenario, "every sample was answered in both modes")


def _of_share(
    audit: str, scenario: Scenario, count: int, total: int, allowed: float, words: str
) -> AuditResult:
    """Fail if the share is above what is allowed, with all of its 95 % interval."""
    low = proportion_interval(count, total).low or 0.0
    seen = f"{count} of {total} {words}"
    make = failed if low > allowed else passed
    return make(audit, scenario, seen, count=count, total=total, allowed=allowed)


def _empty_share(seen: Observation) -> float:
    return sum(not one.data for one in seen.answers) / max(1, len(seen.answers))


def _commonest_share(answers: dict[int, bytes], indices: Iterable[int]) -> float:
    found = Counter(answers[index] for index in indices if index in answers)
    total = sum(found.values())
    return max(found.values()) / total if total else 0.0
