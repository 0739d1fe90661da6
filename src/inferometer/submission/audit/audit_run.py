"""Audit run: a request's reference, published tests and probes, into one folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inferometer.loadgen import InferometerError, Severity, write_atomically
from inferometer.rounds import Round
from inferometer.runs import Listener, RunRequest, Session, load_session
from inferometer.submission.audit.bench import Bench
from inferometer.submission.audit.effort import AuditEffort
from inferometer.submission.audit.probes import PROBES, run_probes
from inferometer.submission.audit.published_tests import PublishedTests, tests_of_round
from inferometer.submission.audit.result import AuditResult, not_checkable
from inferometer.submission.audit.subject import Seeds
from inferometer.submission.audit.test_runs import TestRuns
from inferometer.submission.audit.weights import compare_weights, hashes_of, unchanged
from inferometer.submission.audit.workload_subject import WorkloadSubject, reference_files

__all__ = ["WEIGHTS", "AuditError", "AuditPlan", "AuditReport", "audit_names", "run_audit"]

WEIGHTS = ("audit.weights-changed", "audit.weights-differ")
"""Audits that look at the model's files."""

REPORT = "audit.json"


class AuditError(InferometerError):
    """An audit was asked for that doesn't exist."""


@dataclass(frozen=True)
class AuditPlan:
    """What is asked for.

    rules:
        The round whose tests, seeds and tolerances are taken.
    names:
        Audits to make, as `audit_names` has them; ``None`` for all.
    against:
        A run folder to compare with; ``None`` runs the reference first.
    test_s:
        About how long one test of a probe takes, s.
    """

    request: RunRequest
    rules: Round
    names: tuple[str, ...] | None = None
    against: Path | None = None
    test_s: float = 0.2
    effort: AuditEffort = AuditEffort()

    def has(self, name: str) -> bool:
        """Tell whether an audit was asked for."""
        return self.names is None or name in self.names


@dataclass(frozen=True)
class AuditReport:
    """What all audits came to."""

    workload: str
    folder: Path
    rules: str
    is_quick: bool
    results: tuple[AuditResult, ...]

    @property
    def has_failed(self) -> bool:
        """Whether an audit failed that the round takes for more than a warning."""
        found = (one.finding(self.rules) for one in self.results)
        return any(one is not None and one.rule.severity is Severity.ERROR for one in found)

    def to_mapping(self) -> dict[str, Any]:
        """Give plain names and values, ready for JSON."""
        return {
            "workload": self.workload,
            "folder": str(self.folder),
            "rules": self.rules,
            "quick": self.is_quick,
            "passed": not self.has_failed,
            "results": [one.to_mapping() for one in self.results],
        }


def audit_names(rules: Round) -> tuple[str, ...]:
    """Give the names of all audits: the round's tests, then our own without ``audit.``."""
    own = (*WEIGHTS, *PROBES)
    return (*tests_of_round(rules.audits), *(name.removeprefix("audit.") for name in own))


def run_audit(plan: AuditPlan, listener: Listener) -> AuditReport:
    """Make the audits, and write ``audit.json`` beside the tests' folders."""
    if plan.request.round is None:
        listener.note(
            f"a quick audit: short runs, and probes of about {plan.test_s:g} s a test, some "
            "hundred of them; --round runs the published tests by the book"
        )
    results: list[AuditResult] = []
    for result in _results(plan, listener):
        listener.note(f"{result.test or result.audit}: {result.outcome.value}")
        results.append(result)
    request = plan.request
    report = AuditReport(
        workload=request.workload,
        folder=request.output,
        rules=plan.rules.name,
        is_quick=request.round is None,
        results=tuple(results),
    )
    request.output.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report.to_mapping(), indent=2, ensure_ascii=False, default=str) + "\n"
    write_atomically(request.output / REPORT, text.encode("utf-8"))
    return report


def _results(plan: AuditPlan, listener: Listener) -> Iterator[AuditResult]:
    seeds = plan.rules.seeds
    subject = WorkloadSubject(
        plan.request,
        Seeds(seeds.qsl, seeds.sample_index, seeds.schedule),
        plan.test_s,
        listener.note,
    )
    paths = list(subject.files().values())
    before = hashes_of(paths)
    yield from _published(plan, listener, subject)
    probes = tuple(name for name in PROBES if plan.has(name.removeprefix("audit.")))
    bench = Bench(subject, plan.effort, listener.note)
    yield from run_probes(bench, plan.request.chosen_scenarios, probes)
    if plan.has("weights-changed"):
        yield unchanged(before, hashes_of(paths))
    if plan.has("weights-differ"):
        yield _weights(plan.request, subject)


def _published(
    plan: AuditPlan, listener: Listener, subject: WorkloadSubject
) -> Iterator[AuditResult]:
    """Make the round's tests in every scenario, after the reference run that they need."""
    wanted = [name for name in tests_of_round(plan.rules.audits) if plan.has(name)]
    if not wanted:
        return
    runs = TestRuns(plan.request, plan.rules, plan.request.output, listener)
    reference = runs.reference() if plan.against is None else _given(plan.against, plan.request)
    tests = PublishedTests(runs, subject.workload, reference)
    for scenario in plan.request.chosen_scenarios:
        for test in wanted:
            yield tests.run(test, scenario)


def _given(folder: Path, request: RunRequest) -> Session:
    """Read the run folder to compare with; refuse one of another workload."""
    session = load_session(folder)
    name = session.workload.get("name")
    if name != request.workload:
        raise AuditError(
            f"{folder} holds a run of {name}, and {request.workload} is audited; give a run of it"
        )
    return session


def _weights(request: RunRequest, subject: WorkloadSubject) -> AuditResult:
    """Compare the tested model with the workload's own."""
    try:
        reference = reference_files(request)
    except InferometerError as trouble:
        return not_checkable("audit.weights-differ", None, f"no reference model: {trouble}")
    tested = subject.files()
    if tested == reference:
        return not_checkable(
            "audit.weights-differ", None, "the tested model is the reference's own file"
        )
    return compare_weights(reference, tested)
