"""Refusing: everything that keeps recorded runs out of a submission, by rule."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from inferometer.loadgen import Finding, Severity
from inferometer.runs.request import CLOSED, NETWORK, NETWORK_SUT
from inferometer.runs.rules import (
    BELOW_ROUND_TARGET,
    BELOW_TARGET,
    COVERAGE,
    NOT_MEASURED,
    NOT_MEASURED_IN_ROUND,
    OTHER_DATA_SET,
    PREVIEW_IN_ROUND,
)
from inferometer.submission.building.belonging import differences, differs_from_description
from inferometer.submission.building.candidate import Candidate, RecordedTest
from inferometer.submission.building.departures import departures
from inferometer.submission.building.findings import Findings
from inferometer.submission.building.model_and_data import (
    findings_of_data,
    findings_of_formats,
    findings_of_sameness,
)
from inferometer.submission.building.request import SubmissionRequest
from inferometer.submission.building.rescoring import has_answers, rescored_line

__all__ = ["findings_of_candidate", "findings_of_systems", "printed_value"]

_QUICK = "quick"
_NUMBER = re.compile(r"(?:accuracy=|mAP=|BLEU:\s*)(\d+(?:\.\d+)?)")
# Findings of tests that a rule of the submission already speaks of.
_SPOKEN_OF = {
    "run.interrupted",
    BELOW_ROUND_TARGET.id,
    BELOW_TARGET.id,
    COVERAGE.id,
    NOT_MEASURED.id,
    NOT_MEASURED_IN_ROUND.id,
    OTHER_DATA_SET.id,
    PREVIEW_IN_ROUND.id,
}
# A run by the book was told these before it began; they are judged anew here, for the division
# that the submission is for.
_JUDGED_ANEW = ("rule.", "submit.")


def findings_of_candidate(
    candidate: Candidate, request: SubmissionRequest, findings: Findings
) -> Iterator[Finding]:
    """Give everything that speaks against one result, whether it refuses it or not."""
    yield from _of_place(candidate, request, findings)
    for test in candidate.tests:
        yield from _of_test(test, request, findings)
    for test in _one_a_session(candidate):
        yield from findings_of_data(test, candidate, request, findings)
    yield from _of_settings(candidate, request, findings)
    yield from findings_of_formats(candidate, request, findings)
    yield from _of_accuracy(candidate, request, findings)
    yield from _of_performance(candidate, request, findings)
    yield from findings_of_sameness(candidate, findings)


def findings_of_systems(
    candidates: list[Candidate],
    description: Mapping[str, str],
    findings: Findings,
) -> Iterator[Finding]:
    """Say which sessions were recorded on another system than the first or the described one."""
    sessions = {id(t.session): t.session for c in candidates for t in c.tests}
    all_of_them = list(sessions.values())
    is_here = not description.get("is_network")
    for session in all_of_them if is_here else []:
        for text in differs_from_description(session.system, description):
            yield findings.find("other-system", f"{session.folder}: {text}")
    for session in all_of_them[1:]:
        for text in differences(all_of_them[0].system, session.system):
            yield findings.find(
                "other-system", f"{session.folder}: {text} as in {all_of_them[0].folder}"
            )


def printed_value(line: str) -> float | None:
    """Give the number of a line of accuracy.txt, as the published checkers read it."""
    found = _NUMBER.match(line)
    return float(found[1]) if found else None


def _of_place(
    candidate: Candidate, request: SubmissionRequest, findings: Findings
) -> Iterator[Finding]:
    """Look at whether the round has such a result at all."""
    book = request.book
    if candidate.scenario not in book.scenarios:
        yield findings.find("not-in-round", f"{candidate.title}: the round has no such scenario")
    if candidate.benchmark is None and (request.is_closed or not book.era.is_v05):
        known = ", ".join(book.benchmarks)
        yield findings.find("not-in-round", f"{candidate.name} is none of {known}")


def _of_test(
    test: RecordedTest, request: SubmissionRequest, findings: Findings
) -> Iterator[Finding]:
    """Look at how one test was recorded."""
    label, where = test.result.label, test.where
    if label == _QUICK:
        yield findings.find("quick-run", where)
    elif label.partition(",")[0] != f"round {request.book.name}":
        yield findings.find("other-round", f"{where}: recorded as {label!r}")
    yield from _of_network(test, request, findings)
    if test.result.was_interrupted or test.session.has_failed:
        yield findings.find("interrupted", where)


def _of_network(
    test: RecordedTest, request: SubmissionRequest, findings: Findings
) -> Iterator[Finding]:
    """Look at whether the system was on the side of the network that the division asks for."""
    if NETWORK not in request.book.divisions:
        return
    name = test.result.recording.sut_name
    is_named = NETWORK_SUT in name
    if request.is_network and not is_named:
        yield findings.find_any("log.network-name", f"{test.where}: it was {name}")
    elif request.division == CLOSED and is_named:
        yield findings.find_any("system.network", f"{test.where}: it was {name}")


def _one_a_session(candidate: Candidate) -> list[RecordedTest]:
    """Give the first test of each session: what all of them have in common is said once."""
    return list({id(test.session): test for test in reversed(candidate.tests)}.values())


def _of_settings(
    candidate: Candidate, request: SubmissionRequest, findings: Findings
) -> Iterator[Finding]:
    """Hold the settings of the performance runs against the round's."""
    for test in candidate.performance:
        found = departures(test, candidate, request.book, is_closed=request.is_closed)
        for rule, is_let in (("changed-settings", False), ("demo", True)):
            group = [str(one) for one in found if (request.demo and one.only_shortens) is is_let]
            if group:
                yield findings.find(rule, f"{candidate.title}: {', '.join(group)}")


def _of_accuracy(
    candidate: Candidate, request: SubmissionRequest, findings: Findings
) -> Iterator[Finding]:
    tests = candidate.accuracy
    scored = [test for test in tests if test.result.accuracy is not None and has_answers(test)]
    if not scored:
        yield findings.find("accuracy-missing", candidate.title)
    if len(tests) > 1:
        where = ", ".join(test.where for test in tests)
        yield findings.find("run-count", f"{candidate.title}: {len(tests)} accuracy runs: {where}")
    for test in scored:
        yield from _of_score(test, findings)
    for test in tests:
        for found in _errors(test, COVERAGE.id):
            yield findings.find("accuracy-incomplete", f"{test.where}: {found.seen}")
        for found in _errors(test):
            yield findings.find("run-failed", f"{test.where}: {found.rule.title}, {found.seen}")
    benchmark = candidate.benchmark
    if benchmark is None or not request.is_closed:
        return
    for test in scored:
        assert test.result.accuracy is not None
        value = printed_value(test.result.accuracy.line)
        if value is None or value < benchmark.target_value:
            seen = f"{test.result.accuracy.line}, and {benchmark.target_value:g} is wanted"
            yield findings.find("below-target", f"{candidate.title}: {seen}")


def _of_score(test: RecordedTest, findings: Findings) -> Iterator[Finding]:
    """Compute the accuracy anew, where that can be done here."""
    assert test.result.accuracy is not None
    recorded, again = test.result.accuracy.line, rescored_line(test)
    if again is None:
        yield findings.find("accuracy-believed", f"{test.where}: {recorded}")
    elif again != recorded:
        yield findings.find("accuracy-differs", f"{test.where}: {recorded}, anew {again}")


def _of_performance(
    candidate: Candidate, request: SubmissionRequest, findings: Findings
) -> Iterator[Finding]:
    wanted = request.book.runs.get(candidate.scenario, 1)
    count = len(candidate.performance)
    if not count:
        yield findings.find("performance-missing", candidate.title)
    elif count != wanted:
        seen = f"{candidate.title}: {count} performance runs, and the round wants {wanted}"
        yield findings.find("run-count", seen)
    for test in candidate.performance:
        yield from _of_validity(test, request, findings)


def _of_validity(
    test: RecordedTest, request: SubmissionRequest, findings: Findings
) -> Iterator[Finding]:
    """Look at a run's verdict; a demo may be too short, where the published checker lets it."""
    verdict = test.result.verdict
    if verdict is None:
        yield findings.find("invalid", f"{test.where}: it has no result")
        return
    for found in _errors(test):
        if found.rule.id.startswith(("criteria.", "timing.")):
            is_short = found.rule.id in ("criteria.min-duration", "criteria.min-queries")
            is_let = request.demo and is_short and not request.book.era.is_v05
            seen = f"{test.where}: {found.rule.title}, {found.seen}"
            yield findings.find("demo" if is_let else "invalid", seen)
        else:
            yield findings.find("run-failed", f"{test.where}: {found.rule.title}, {found.seen}")


def _errors(test: RecordedTest, rule_id: str | None = None) -> Iterator[Finding]:
    """Give a test's errors: those of a rule, or all that no rule of its own speaks of."""
    for found in test.result.findings:
        is_error = found.rule.severity is Severity.ERROR
        is_spoken_of = found.rule.id in _SPOKEN_OF or found.rule.id.startswith(_JUDGED_ANEW)
        is_asked = found.rule.id == rule_id if rule_id else not is_spoken_of
        if is_error and is_asked:
            yield found
