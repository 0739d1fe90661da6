"""Published tests: TEST01, TEST03, TEST04 and TEST05 made, judged and written down."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from inferometer.loadgen import InferometerError, Mode, Response, Scenario, Settings
from inferometer.logs import read_accuracy_log
from inferometer.rounds import Audit
from inferometer.runs import Session, TestResult
from inferometer.submission.audit.altered_data import AlteredLibrary, alteration_of
from inferometer.submission.audit.logged_answers import compare_logs
from inferometer.submission.audit.performance_check import (
    PerformanceCheck,
    check_performance,
    check_repetition,
)
from inferometer.submission.audit.published_files import (
    answers_log,
    copy_accuracy,
    copy_performance,
    cut_log,
    write_verdict,
)
from inferometer.submission.audit.repeated_check import check_repeatedly
from inferometer.submission.audit.result import AuditResult, Outcome
from inferometer.submission.audit.scores import Score, read_score
from inferometer.submission.audit.seen_score import seen_score
from inferometer.submission.audit.test_runs import TestRuns
from inferometer.workloads import AccuracyResult, ScoredAnswer, Workload, in_unit

__all__ = ["PUBLISHED_TESTS", "PublishedTests", "tests_of_round"]

_PERFORMANCE, _ACCURACY = "verify_performance.txt", "verify_accuracy.txt"
_DTYPES = {"classification": "float32", "detection": "float32"}
_REPETITION = ("TEST04-A", "TEST04-B")


class PublishedTests:
    """The tests of a round, made of one request and compared with its reference run."""

    def __init__(self, runs: TestRuns, workload: Workload, reference: Session):
        self._runs = runs
        self._workload = workload
        self._reference = reference
        self._benchmark = _benchmark_name(runs, workload)

    def run(self, test: str, scenario: Scenario) -> AuditResult:
        """Make a test in a scenario, and write its folder; say why where that can't be."""
        name = _REPETITION[0] if test == "TEST04" and self._has_pair else test
        audit = self._runs.rules.audits[name]
        if self._benchmark in audit.exempt:
            return self._result(test, scenario, None, f"{self._benchmark} is exempt")
        reference = self._performance_of(scenario)
        if reference is None:
            return self._result(test, scenario, None, "the reference has no performance run")
        make = PUBLISHED_TESTS[test]
        try:
            return make(self, audit, reference)
        except InferometerError as trouble:
            return self._result(test, scenario, None, str(trouble))

    @property
    def _has_pair(self) -> bool:
        return _REPETITION[0] in self._runs.rules.audits

    def same_answers(self, audit: Audit, reference: TestResult) -> AuditResult:
        """Make TEST01: the performance run's answers are those of the accuracy run."""
        folder = self._folder("TEST01", reference.scenario)
        tested, check = self._compared("TEST01", audit, reference, folder)
        accuracy = self._accuracy_of(reference.scenario)
        if accuracy is None:
            return self._result("TEST01", reference.scenario, None, "there is no accuracy run")
        dtype = next((d for word, d in _DTYPES.items() if word in self._workload.info.task), "byte")
        answers = compare_logs(answers_log(accuracy), answers_log(tested), dtype)
        is_same = answers.passes
        write_verdict(folder, _ACCURACY, answers.text(passes=is_same))
        cut_log(answers_log(accuracy), {one.index for one in _answers(tested)}, folder)
        seen = (
            f"{answers.first_differing} of {answers.matched} answers differ in their first "
            f"element, {answers.differing} in any byte; {_words(check)}"
        )
        if not is_same and answers.matched:
            is_same, words = self._quality(audit, accuracy, tested, folder)
            seen += f"; {words}"
        return self._result("TEST01", reference.scenario, is_same and check.passes, seen)

    def _quality(
        self, audit: Audit, accuracy: TestResult, tested: TestResult, folder: Path
    ) -> tuple[bool, str]:
        """Where answers differ, compare what they are worth over the same samples."""
        indices = {one.index for one in _answers(tested)}
        same_samples = (one for one in _answers(accuracy) if one.index in indices)
        baseline, line = seen_score(self._workload.score(same_samples))
        compliance, other_line = seen_score(self._workload.score(_answers(tested)))
        write_verdict(folder / "accuracy", "baseline_accuracy.txt", f"{line}\n")
        write_verdict(folder / "accuracy", "compliance_accuracy.txt", f"{other_line}\n")
        words = f"{other_line} against {line} in the accuracy run"
        tolerance = audit.accuracy_tolerance_of.get(self._benchmark, audit.accuracy_tolerance)
        if tolerance is None:
            return False, words
        return abs(compliance - baseline) <= tolerance * abs(baseline), words

    def altered_data(self, audit: Audit, reference: TestResult) -> AuditResult:
        """Make TEST03: altered samples cost as much, and accuracy falls as the reference's does."""
        scenario = reference.scenario
        library = self._workload.library()
        alteration = alteration_of(library)
        if alteration is None:
            return self._result("TEST03", scenario, None, "the samples can't be altered")
        words, change = alteration
        altered = AlteredLibrary(library, change)
        folder = self._folder("TEST03", scenario)
        _, check = self._compared("TEST03", audit, reference, folder, altered)
        if self._workload.info.not_scored:
            return self._result("TEST03", scenario, None, self._workload.info.not_scored)
        offline = self._runs.settings(reference, None, self._benchmark, Mode.ACCURACY)
        tested = self._runs.run("TEST03", offline, library=altered)
        copy_accuracy(tested, folder)
        expected = self._expected_accuracy(offline, altered)
        is_near, seen = self._judge_fall(scenario, tested.accuracy, expected)
        seen = f"{words}: {seen}; {_words(check)}"
        return self._result("TEST03", scenario, is_near and check.passes, seen)

    def _expected_accuracy(
        self, settings: Settings, altered: AlteredLibrary
    ) -> AccuracyResult | None:
        """Measure the workload's own fp32 model on the altered samples; ``None`` if it has none."""
        options = self._runs.request.workload_options
        if self._workload.info.reference_accuracy is None and options.model is not None:
            return None
        plain = dataclasses.replace(options, model=None, number_format="fp32")
        request = dataclasses.replace(
            self._runs.request, workload_options=plain, backend="onnxruntime", isolation=None
        )
        result = self._runs.run("TEST03-reference", settings, request=request, library=altered)
        return result.accuracy

    def _judge_fall(
        self, scenario: Scenario, found: AccuracyResult | None, expected: AccuracyResult | None
    ) -> tuple[bool, str]:
        """Tell whether accuracy fell, and as far as the reference's did."""
        if found is None:
            return False, "nothing was scored"
        before = self._accuracy_of(scenario)
        usual = None if before is None or before.accuracy is None else before.accuracy.value
        text = f"{found.metric} {in_unit(found.value, found.unit)}"
        if usual is not None:
            text += f", {in_unit(usual, found.unit)} on the samples as they are"
        if expected is not None:
            text += f", the reference's {in_unit(expected.value, found.unit)}"
            slack = (1 - self._workload.info.quality_ratio) * abs(usual or expected.value)
            near = abs(found.value - expected.value) <= slack or _overlap(found, expected)
            return near, text
        return usual is None or found.value < usual, text

    def other_seeds(self, audit: Audit, reference: TestResult) -> AuditResult:
        """Make TEST05: other seeds give the same performance."""
        folder = self._folder("TEST05", reference.scenario)
        _, check = self._compared("TEST05", audit, reference, folder)
        return self._result("TEST05", reference.scenario, check.passes, _words(check))

    def repetition(self, audit: Audit, reference: TestResult) -> AuditResult:
        """Make TEST04: one sample again and again isn't faster than different ones."""
        scenario = reference.scenario
        if not self._has_pair:
            folder = self._folder("TEST04", scenario)
            _, check = self._compared("TEST04", audit, reference, folder)
            return self._result("TEST04", scenario, check.passes, _words(check))
        audits = [self._runs.rules.audits[name] for name in _REPETITION]
        per_query = reference.recording.effective.samples_per_query
        loaded = reference.recording.effective.performance_sample_count
        if scenario.is_multi_stream and per_query >= loaded:
            return self._result("TEST04", scenario, None, "a query holds all loaded samples")

        tested: list[tuple[Score, TestResult]] = []

        def measure(place: int) -> Score:
            settings = self._runs.settings(
                reference, audits[place], self._benchmark, Mode.PERFORMANCE
            )
            result = self._runs.run(_REPETITION[place], settings)
            tested.append((_score(result), result))
            return tested[-1][0]

        def judge(unique: Score, same: Score) -> PerformanceCheck:
            return check_repetition(unique, same, audits[1])

        check = judge(measure(0), measure(1))
        if not check.passes and self._is_quick:
            sides = (lambda: measure(0), lambda: measure(1))
            check = check_repeatedly(check, *sides, judge, two_sided=False)
        for name, wanted in zip(_REPETITION, (check.reference, check.test), strict=True):
            result = next(result for score, result in tested if score is wanted)
            copy_performance(result, self._folder(name, scenario))
            write_verdict(self._folder(name, scenario), _PERFORMANCE, check.text)
        return self._result("TEST04", scenario, check.passes, _words(check))

    def _compared(
        self,
        test: str,
        audit: Audit,
        reference: TestResult,
        folder: Path,
        library: AlteredLibrary | None = None,
    ) -> tuple[TestResult, PerformanceCheck]:
        """Run a performance test and compare it with the reference.

        In a quick audit one that fails is looked at again, in pairs with new references:
        single short runs differ by more than the tolerance now and then.
        """
        settings = self._runs.settings(reference, audit, self._benchmark, Mode.PERFORMANCE)
        tested: list[tuple[Score, TestResult]] = []

        def measure() -> Score:
            result = self._runs.run(test, settings, library=library)
            tested.append((_score(result), result))
            return tested[-1][0]

        def judge(base: Score, score: Score) -> PerformanceCheck:
            return check_performance(base, score, audit)

        def usual() -> Score:
            return _score(self._runs.run(f"{test}-base", reference.recording.settings))

        check = judge(_score(reference), measure())
        if not check.passes and self._is_quick:
            two_sided = audit.is_two_sided
            check = check_repeatedly(check, usual, measure, judge, two_sided=two_sided)
        result = next(result for score, result in tested if score is check.test)
        copy_performance(result, folder)
        write_verdict(folder, _PERFORMANCE, check.text)
        return result, check

    @property
    def _is_quick(self) -> bool:
        return self._runs.request.round is None

    def _performance_of(self, scenario: Scenario) -> TestResult | None:
        tests = self._reference.tests_of(scenario)
        return next((one for one in tests if one.mode is Mode.PERFORMANCE), None)

    def _accuracy_of(self, scenario: Scenario) -> TestResult | None:
        """Give the accuracy run of a scenario, or else of another."""
        tests = [one for one in self._reference.tests if one.mode is Mode.ACCURACY]
        own = [one for one in tests if one.scenario is scenario]
        return next(iter(own or tests), None)

    def _folder(self, test: str, scenario: Scenario) -> Path:
        return self._runs.output / scenario.value / test

    def _result(self, test: str, scenario: Scenario, passes: bool | None, seen: str) -> AuditResult:
        outcome = {True: Outcome.PASS, False: Outcome.FAIL, None: Outcome.NOT_CHECKABLE}[passes]
        return AuditResult(f"audit.{test.lower()}", outcome, seen, scenario, test)


PUBLISHED_TESTS: Mapping[str, Callable[[PublishedTests, Audit, TestResult], AuditResult]] = {
    "TEST01": PublishedTests.same_answers,
    "TEST03": PublishedTests.altered_data,
    "TEST04": PublishedTests.repetition,
    "TEST05": PublishedTests.other_seeds,
}
"""How each test is made; those of a round are among them where a workload here can have them."""


def tests_of_round(audits: Mapping[str, Audit]) -> tuple[str, ...]:
    """Give the tests of a round that are made here; TEST04-A and -B are one."""
    there = {"TEST04" if name in _REPETITION else name for name in audits}
    return tuple(name for name in PUBLISHED_TESTS if name in there)


def _answers(result: TestResult) -> Iterator[ScoredAnswer]:
    """Give the answers of a test's log."""
    for entry in read_accuracy_log(answers_log(result)):
        response = Response(entry.seq_id, entry.data, entry.token_data or b"", entry.token_count)
        yield ScoredAnswer(entry.qsl_idx, response)


def _score(result: TestResult) -> Score:
    assert result.folder is not None
    return read_score(result.folder)


def _words(check: PerformanceCheck) -> str:
    times = check.test.times_as_good_as(check.reference)
    text = f"{times:.3f} times the performance, {check.tolerance:.0%} allowed"
    return "; ".join((text, *check.reasons, *check.notes))


def _overlap(one: AccuracyResult, other: AccuracyResult) -> bool:
    """Tell whether the intervals of two accuracies have a part in common."""
    ends = (one.interval.low, one.interval.high, other.interval.low, other.interval.high)
    low, high, other_low, other_high = (0.0 if end is None else end for end in ends)
    return low <= other_high and other_low <= high


def _benchmark_name(runs: TestRuns, workload: Workload) -> str:
    """Give the round's name for the workload's benchmark; the workload's own if there is none."""
    known = runs.rules.benchmark_of(workload.info.round_benchmark)
    return known.name if known else workload.info.round_benchmark
