"""Build: a submission's tree from recorded runs, whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inferometer.loadgen import Finding
from inferometer.submission.building.audits import AuditFolder
from inferometer.submission.building.candidate import candidates_of, load_runs
from inferometer.submission.building.describing import describe_for
from inferometer.submission.building.evidence import (
    findings_of_evidence,
    findings_of_kind,
    findings_of_scenarios,
)
from inferometer.submission.building.findings import Findings
from inferometer.submission.building.part import check_places, part_of
from inferometer.submission.building.refusing import findings_of_candidate, findings_of_systems
from inferometer.submission.building.request import (
    RefusedError,
    SubmissionRequest,
)
from inferometer.submission.building.staging import staged
from inferometer.submission.building.writer import Writer
from inferometer.submission.places import ResultPlace
from inferometer.submission.system import Sources

__all__ = ["Submission", "build_submission"]


@dataclass(frozen=True)
class Submission:
    """What was built: the tree, the results that went into it, and what is to be known."""

    tree: Path
    places: tuple[ResultPlace, ...]
    findings: tuple[Finding, ...]


def build_submission(request: SubmissionRequest, sources: Sources | None = None) -> Submission:
    """Build or extend the tree of a submission from recorded runs.

    Everything is looked at before anything is written, and the tree changes in one step.
    Raises `RefusedError` with the findings if runs don't belong into it, `SubmissionError`
    or `SystemDescriptionError` if something is missing or named wrongly.
    """
    request.check()
    sessions = load_runs(request.runs)
    candidates = candidates_of(sessions, request)
    findings = Findings.of(request.book)
    by_candidate = [list(findings_of_candidate(one, request, findings)) for one in candidates]
    found = [finding for group in by_candidate for finding in group]
    _refuse(found)
    description = describe_for(sessions, request, sources)
    found += findings_of_systems(candidates, description, findings)
    audits = None if request.audit is None else AuditFolder(request.audit, request)
    for candidate in candidates:
        found += findings_of_evidence(candidate, request, audits, findings)
        if audits is not None:
            found += audits.unfit(candidate, description, findings)
        found += findings_of_kind(candidate, request, description, findings)
    found += findings_of_scenarios(candidates, request, description, findings)
    _refuse(found)
    parts = [
        part_of(one, request, group) for one, group in zip(candidates, by_candidate, strict=True)
    ]
    check_places(parts)
    with staged(request.tree) as stage:
        writer = Writer(request, stage, findings, description, audits)
        _refuse(list(writer.conflicts(parts)))
        writer.write(parts)
    places = tuple(
        ResultPlace(request.division, request.submitter, *part.layout.result[1:]) for part in parts
    )
    return Submission(request.tree, places, tuple(dict.fromkeys(found)))


def _refuse(found: list[Finding]) -> None:
    refusing = Findings.refusing(found)
    if refusing:
        raise RefusedError(refusing)
