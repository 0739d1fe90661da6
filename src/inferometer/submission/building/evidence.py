"""Evidence: what has to come with a result, and what a benchmark lacks of its scenarios."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from inferometer.loadgen import Finding
from inferometer.submission.building.audits import AuditFolder
from inferometer.submission.building.candidate import Candidate
from inferometer.submission.building.findings import Findings
from inferometer.submission.building.recipes import recipe_of
from inferometer.submission.building.request import SubmissionRequest

__all__ = ["findings_of_evidence", "findings_of_kind", "findings_of_scenarios"]


def findings_of_evidence(
    candidate: Candidate,
    request: SubmissionRequest,
    audits: AuditFolder | None,
    findings: Findings,
) -> Iterator[Finding]:
    """Look at what has to come with a result: calibration, checklist, audits."""
    test = candidate.tests[0]
    needs_recipe = request.is_closed and test.is_int8 and request.calibration is None
    if needs_recipe and not recipe_of(str(test.session.workload["name"]), None):
        yield findings.find("calibration-missing", candidate.title)
    if request.is_closed and request.checklist is None:
        yield findings.find("checklist-open", candidate.title)
    present = set()
    if audits is not None:
        present = {place[-1] for place in audits.of(candidate)}
        yield from audits.findings(candidate, findings)
    if request.is_closed and candidate.benchmark is not None:
        required = {
            audit.name
            for audit in request.book.audits.values()
            if candidate.benchmark.name in audit.required_for
        }
        missing = sorted(required - present)
        if missing:
            yield findings.find("audits-missing", f"{candidate.title}: {', '.join(missing)}")


def findings_of_kind(
    candidate: Candidate,
    request: SubmissionRequest,
    description: Mapping[str, str],
    findings: Findings,
) -> Iterator[Finding]:
    """Say whether a closed benchmark has such a scenario on such a kind of system at all."""
    kind = description.get("system_type", "")
    if not request.is_closed or candidate.benchmark is None or not kind:
        return
    groups = candidate.benchmark.required_for(kind)
    if not any(candidate.scenario.value in group for group in groups):
        known = ", ".join(" or ".join(group) for group in groups) or "none"
        seen = f"{candidate.title}: on a system of type {kind} it is run in {known}"
        yield findings.find("not-in-round", seen)


def findings_of_scenarios(
    candidates: list[Candidate],
    request: SubmissionRequest,
    description: Mapping[str, str],
    findings: Findings,
) -> Iterator[Finding]:
    """Say which scenarios a closed benchmark still lacks, those in the tree counted."""
    if not request.is_closed:
        return
    # "edge,datacenter" is the same kind as "datacenter,edge".
    system_type = ",".join(sorted(description.get("system_type", "").split(",")))
    for name in dict.fromkeys(one.name for one in candidates):
        group = [one for one in candidates if one.name == name]
        benchmark = group[0].benchmark
        wanted = benchmark.required.get(system_type, ()) if benchmark is not None else ()
        folder = request.tree.joinpath(
            request.division, request.submitter, "results", request.system_id, name
        )
        present = {one.scenario.value for one in group}
        present |= {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        missing = [" or ".join(choice) for choice in wanted if not present & set(choice)]
        if missing:
            yield findings.find("scenarios-missing", f"{name}, {system_type}: {', '.join(missing)}")
