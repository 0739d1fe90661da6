"""Published audit folders: what they state, and what comes out of their own logs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from inferometer.loadgen import InferometerError
from inferometer.logs import ACCURACY_LOG, SUMMARY_LOG
from inferometer.rounds import Audit, Round
from inferometer.submission.audit.logged_answers import AnswerCheck, compare_logs
from inferometer.submission.audit.performance_check import (
    PerformanceCheck,
    check_performance,
    check_repetition,
)
from inferometer.submission.audit.result import Outcome
from inferometer.submission.audit.scores import Score, read_score
from inferometer.submission.places import DIVISIONS, ResultPlace
from inferometer.submission.tree import Tree

__all__ = ["AuditFolder", "FolderCheck", "audit_folders", "check_folder"]

_EMPTY_LOG_BYTES = 4
_LARGEST_LOG_BYTES = 1 << 30
_VERDICT = re.compile(r"^TEST (PASS|FAIL)\b", re.MULTILINE)
_SCORES = re.compile(r"^(?:reference|TEST04-A) score = (\S+)$", re.MULTILINE)
_TEST04 = "TEST04"


@dataclass(frozen=True, order=True)
class AuditFolder:
    """The folder of one test of one result."""

    place: ResultPlace
    test: str
    parts: tuple[str, ...]

    def __str__(self) -> str:
        return "/".join(self.parts)


@dataclass(frozen=True)
class FolderCheck:
    """What a test states of itself, and what its logs come to.

    what:
        ``answers`` or ``performance``.
    stated:
        What its verify file says; `NOT_CHECKABLE` where there is none.
    found:
        What comes out of the logs.
    seen:
        Numbers and reasons, in words.
    stricter:
        What comparing whole answers shows beside that.
    """

    folder: AuditFolder
    what: str
    stated: Outcome
    found: Outcome
    seen: str
    stricter: str = ""

    @property
    def agrees(self) -> bool | None:
        """Whether both verdicts are the same; ``None`` where one of them is missing."""
        if Outcome.NOT_CHECKABLE in (self.stated, self.found):
            return None
        return self.stated is self.found


def audit_folders(tree: Tree) -> Iterator[AuditFolder]:
    """Give every test's folder of a tree, in the layout of v0.5 and in the current one."""
    for division in DIVISIONS:
        for submitter in tree.folders(division):
            for area in ("audit", "results", "compliance"):
                yield from _of_area(tree, (division, submitter, area))


def _of_area(tree: Tree, area: tuple[str, ...]) -> Iterator[AuditFolder]:
    division, submitter, _ = area
    for system in tree.folders(*area):
        for benchmark in tree.folders(*area, system):
            for scenario in tree.folders(*area, system, benchmark):
                place = ResultPlace(division, submitter, system, benchmark, scenario)
                parts = (*area, system, benchmark, scenario)
                for test in tree.folders(*parts):
                    if test.startswith("TEST"):
                        yield AuditFolder(place, test, (*parts, test))


def check_folder(tree: Tree, folder: AuditFolder, by: Round) -> list[FolderCheck]:
    """Work out anew what a test's folder states, from its own logs and the result's.

    A damaged or missing file makes a part not checkable, and is named.
    """
    found = []
    if folder.test == "TEST01":
        found.append(_guarded(tree, folder, "answers", lambda: _answers(tree, folder)))
    audit = by.audits.get(folder.test)
    if audit is not None:
        found.append(
            _guarded(tree, folder, "performance", lambda: _performance(tree, folder, audit))
        )
    return found


Finding = tuple[Outcome, str, str]


def _guarded(
    tree: Tree, folder: AuditFolder, what: str, work: Callable[[], Finding]
) -> FolderCheck:
    stated = _stated(tree, folder, what)
    try:
        outcome, seen, stricter = work()
    except InferometerError as trouble:
        outcome, seen, stricter = Outcome.NOT_CHECKABLE, str(trouble), ""
    return FolderCheck(folder, what, stated, outcome, seen, stricter)


def _stated(tree: Tree, folder: AuditFolder, what: str) -> Outcome:
    """Read the verdict in the verify files, whatever they are called."""
    match = _VERDICT.search(_verify_text(tree, folder, what))
    if match is None:
        return Outcome.NOT_CHECKABLE
    return Outcome.PASS if match[1] == "PASS" else Outcome.FAIL


def _verify_text(tree: Tree, folder: AuditFolder, what: str) -> str:
    wanted = "accuracy" if what == "answers" else "performance"
    names = [
        name
        for name in tree.files(*folder.parts)
        if name.startswith("verify_") and wanted in name and name.endswith(".txt")
    ]
    return tree.text(*folder.parts, names[0]) if names else ""


def _answers(tree: Tree, folder: AuditFolder) -> Finding:
    """Compare the logged answers of TEST01 with those of the result's accuracy run.

    Some submitters keep the test's answers in the test's own ``accuracy`` folder alone, others
    only there those of the accuracy run.
    """
    of_test = _log_in(tree, _run_folders(folder))
    of_result = _log_in(tree, [(*folder.place.parts, "accuracy")])
    beside = _log_in(tree, [(*folder.parts, "accuracy")])
    tested, reference = of_test or beside, of_result or beside
    if tested is None or reference is None or tested == reference:
        raise _MissingError("the logs don't hold the answers of both the test and the accuracy run")
    check = compare_logs(reference, tested)
    if not check.matched:
        return Outcome.NOT_CHECKABLE, "no sample is in both logs", ""
    seen = f"{check.first_differing} of {check.matched} first bytes differ"
    if of_test is None:
        seen += f" (answers in {folder.test}/accuracy)"
    outcome = Outcome.PASS if check.passes else Outcome.FAIL
    return outcome, seen, _stricter(check)


def _stricter(check: AnswerCheck) -> str:
    if check.differing == check.first_differing:
        return ""
    return f"{check.differing} of {check.matched} whole answers differ"


def _log_in(tree: Tree, folders: list[tuple[str, ...]]) -> Path | None:
    """Give the first log of answers that holds any, and isn't too large to be one."""
    for parts in folders:
        size = tree.size_bytes(*parts, ACCURACY_LOG)
        if _EMPTY_LOG_BYTES < size <= _LARGEST_LOG_BYTES:
            return tree.path(*parts, ACCURACY_LOG)
    return None


class _MissingError(InferometerError):
    """A file that a check needs isn't there."""


def _performance(tree: Tree, folder: AuditFolder, audit: Audit) -> Finding:
    if folder.test.startswith(f"{_TEST04}-"):
        check = _repetition(tree, folder, audit)
    else:
        tested = _score(tree, _run_folders(folder), "the test")
        references = _references(tree, folder)
        check = _best(folder, tree, [check_performance(one, tested, audit) for one in references])
    seen = f"{check.test.times_as_good_as(check.reference):.3f} times the performance"
    outcome = Outcome.PASS if check.passes else Outcome.FAIL
    return outcome, "; ".join((seen, *check.reasons)), ""


def _best(folder: AuditFolder, tree: Tree, checks: list[PerformanceCheck]) -> PerformanceCheck:
    """Of several runs of a result, take the one that the verify file names, or a passing one."""
    named = _SCORES.search(_verify_text(tree, folder, "performance"))
    if named is not None:
        for check in checks:
            if check.reference.text == named[1]:
                return check
    return next((check for check in checks if check.passes), checks[0])


def _repetition(tree: Tree, folder: AuditFolder, audit: Audit) -> PerformanceCheck:
    base = folder.parts[:-1]
    unique, same = (
        _score(tree, _runs_in((*base, f"{_TEST04}-{letter}")), f"{_TEST04}-{letter}")
        for letter in "AB"
    )
    return check_repetition(unique, same, audit)


def _references(tree: Tree, folder: AuditFolder) -> list[Score]:
    """Read the scores of the result's performance runs."""
    performance = (*folder.place.parts, "performance")
    runs = [(*performance, run) for run in tree.folders(*performance)] + [performance]
    found = [read_score(tree.path(*parts)) for parts in runs if tree.has_file(*parts, SUMMARY_LOG)]
    if not found:
        raise _MissingError("the result's own performance run isn't there")
    return found


def _score(tree: Tree, folders: list[tuple[str, ...]], whose: str) -> Score:
    for parts in folders:
        if tree.has_file(*parts, SUMMARY_LOG):
            return read_score(tree.path(*parts))
    raise _MissingError(f"there is no {SUMMARY_LOG} of {whose}")


def _run_folders(folder: AuditFolder) -> list[tuple[str, ...]]:
    return _runs_in(folder.parts)


def _runs_in(parts: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Give where a test's run may lie: as the rules have it, or as some submitters do."""
    return [(*parts, "performance", "run_1"), (*parts, "performance"), parts]
