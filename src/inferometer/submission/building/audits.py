"""Audits: results of compliance tests, looked at and put beside the result they belong to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from inferometer.loadgen import Finding
from inferometer.submission.building.candidate import Candidate
from inferometer.submission.building.findings import Findings
from inferometer.submission.building.layout import Layout
from inferometer.submission.building.request import SubmissionError, SubmissionRequest
from inferometer.submission.building.staging import Stage
from inferometer.submission.checking.published_v6_1 import Case, StopsError, reasons_of_test
from inferometer.submission.places import ResultPlace, scenario_of
from inferometer.submission.tree import Tree, TreeError

__all__ = ["AuditFolder"]

_PASSED = "TEST PASS"
_VERDICTS = ("verify_performance.txt", "verify_accuracy.txt")
_ACCURACIES = ("baseline_accuracy.txt", "compliance_accuracy.txt")


class AuditFolder:
    """A folder of audits in the published layout: ``…/<scenario>/TEST01`` and the like.

    Raises `SubmissionError` if it holds no audit of the round at all.
    """

    def __init__(self, folder: Path, request: SubmissionRequest):
        self._tree = Tree(folder)
        self._request = request
        self._places = list(self._audits(()))
        if not self._places:
            known = ", ".join(request.book.audits)
            raise SubmissionError(
                f"{folder} holds no audit of round {request.book.name} ({known}); name the folder "
                "above <scenario>/TEST01"
            )

    def _audits(self, parts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for name in self._tree.folders(*parts):
            if name in self._request.book.audits:
                yield (*parts, name)
            else:
                yield from self._audits((*parts, name))

    def of(self, candidate: Candidate) -> list[tuple[str, ...]]:
        """Give the folders of the audits of one result, by scenario and, if named, benchmark."""
        found = []
        for place in self._places:
            above = place[:-1]
            scenarios = [scenario_of(name) for name in above]
            named = next((s for s in scenarios if s is not None), None)
            others = [part for part, s in zip(above, scenarios, strict=True) if s is None]
            is_of_benchmark = not others or candidate.name in others
            if named in (None, candidate.scenario) and is_of_benchmark:
                found.append(place)
        return found

    def findings(self, candidate: Candidate, findings: Findings) -> Iterator[Finding]:
        """Say which audits didn't pass, or can't be read."""
        for place in self.of(candidate):
            where = self._tree.root.joinpath(*place)
            names = [name for name in _VERDICTS if self._tree.has_file(*place, name)]
            if not names:
                yield findings.find("audit-not-passed", f"{where}: it has no {_VERDICTS[0]}")
            for name in names:
                try:
                    text = self._tree.text(*place, name)
                except TreeError as error:
                    yield findings.find("audit-not-passed", str(error))
                    continue
                if _PASSED not in text and not self._compares_accuracies(place, name):
                    yield findings.find("audit-not-passed", f"{where / name}")

    def unfit(
        self, candidate: Candidate, description: Mapping[str, str], findings: Findings
    ) -> Iterator[Finding]:
        """Say which audits the round's own checker would not take, where it reads them."""
        book, benchmark = self._request.book, candidate.benchmark
        if book.era.is_v05 or not self._request.is_closed or benchmark is None:
            return
        place = ResultPlace(
            self._request.division,
            self._request.submitter,
            self._request.system_id,
            candidate.name,
            candidate.scenario.value,
        )
        case = Case(self._tree, place, book, benchmark, description, is_demo=False)
        for folder in self.of(candidate):
            audit = book.audits[folder[-1]]
            if benchmark.name not in audit.required_for:
                continue
            try:
                reasons = list(reasons_of_test(folder, audit, case))
            except StopsError as error:
                reasons = [str(error)]
            where = self._tree.root.joinpath(*folder)
            for reason in reasons:
                yield findings.find("audit-not-by-the-book", f"{where}: {reason}")

    def _compares_accuracies(self, place: tuple[str, ...], name: str) -> bool:
        """Tell whether answers may differ because the accuracies of both modes stand there."""
        return name == _VERDICTS[1] and all(
            self._tree.has_file(*place, "accuracy", file) for file in _ACCURACIES
        )

    def copy(self, candidate: Candidate, layout: Layout, stage: Stage) -> list[str]:
        """Copy the audits of a result into the tree; give their names."""
        copied = []
        for place in self.of(candidate):
            target = layout.audit(place[-1])
            stage.remove(*target)
            stage.copy_tree(self._tree, place, *target)
            copied.append(place[-1])
        return copied
