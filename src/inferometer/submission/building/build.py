"""Build: a submission's tree from recorded runs, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from inferometer.loadgen import Finding
from inferometer.submission.building.audits import AuditFolder
from inferometer.submission.building.candidate import Candidate, candidates_of, load_runs
from inferometer.submission.building.code import CodeFolder
from inferometer.submission.building.describing import describe_for
from inferometer.submission.building.findings import Findings
from inferometer.submission.building.layout import Layout
from inferometer.submission.building.measurements import implementation_of, measurement_facts
from inferometer.submission.building.recipes import calibration_text, recipe_of
from inferometer.submission.building.refusing import findings_of_candidate, findings_of_systems
from inferometer.submission.building.request import (
    RefusedError,
    SubmissionError,
    SubmissionRequest,
)
from inferometer.submission.building.results import write_accuracy, write_performance
from inferometer.submission.building.staging import Stage, staged
from inferometer.submission.building.texts import checklist, code_note, readme
from inferometer.submission.building.user_conf import user_conf
from inferometer.submission.places import ResultPlace
from inferometer.submission.system import Sources

__all__ = ["Submission", "build_submission"]

_INT8 = "int8"
_MAPPING = "model_mapping.json"
_MLPERF_CONF = "mlperf.conf"


@dataclass(frozen=True)
class Submission:
    """What was built: the tree, the results that went into it, and what is to be known."""

    tree: Path
    places: tuple[ResultPlace, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class _Part:
    """One result with everything that its texts need."""

    candidate: Candidate
    layout: Layout
    facts: Mapping[str, str]
    recipe: Mapping[str, Any] | None
    findings: list[Finding] = field(default_factory=list)


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
        found += _of_evidence(candidate, request, audits, findings)
        if audits is not None:
            found += audits.unfit(candidate, description, findings)
        found += _of_kind(candidate, request, description, findings)
    found += _of_scenarios(candidates, request, description, findings)
    _refuse(found)
    parts = [
        _part(one, request, group) for one, group in zip(candidates, by_candidate, strict=True)
    ]
    _check_places(parts)
    with staged(request.tree) as stage:
        writer = _Writer(request, stage, findings, description, audits)
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


def _of_evidence(
    candidate: Candidate,
    request: SubmissionRequest,
    audits: AuditFolder | None,
    findings: Findings,
) -> Iterator[Finding]:
    """Look at what has to come with a result: calibration, checklist, audits."""
    name = str(candidate.tests[0].session.workload["name"])
    is_int8 = candidate.tests[0].options.get("number_format") == _INT8
    if request.is_closed and is_int8 and request.calibration is None and not recipe_of(name, None):
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


def _of_kind(
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


def _of_scenarios(
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


def _part(candidate: Candidate, request: SubmissionRequest, found: list[Finding]) -> _Part:
    test = candidate.tests[0]
    is_int8 = test.options.get("number_format") == _INT8
    recipe = None
    if is_int8 or request.calibration is not None:
        recipe = recipe_of(str(test.session.workload["name"]), request.calibration)
    facts = measurement_facts(candidate, request, recipe)
    layout = Layout(
        request.book,
        request.system_id,
        candidate.name,
        candidate.scenario,
        implementation_of(candidate, request),
    )
    return _Part(candidate, layout, facts, recipe, found)


def _check_places(parts: list[_Part]) -> None:
    taken: dict[tuple[str, ...], Candidate] = {}
    for part in parts:
        other = taken.setdefault(part.layout.result, part.candidate)
        if other is not part.candidate:
            raise SubmissionError(
                f"two workloads would both be {'/'.join(part.layout.result)}; submit one of them, "
                "or name one with --benchmark"
            )


class _Writer:
    """Writes the parts of a submission into a stage."""

    def __init__(
        self,
        request: SubmissionRequest,
        stage: Stage,
        findings: Findings,
        description: Mapping[str, str],
        audits: AuditFolder | None,
    ):
        self._request = request
        self._stage = stage
        self._findings = findings
        self._description = description
        self._audits = audits
        self._top = (request.division, request.submitter)

    def conflicts(self, parts: list[_Part]) -> Iterator[Finding]:
        """Say what the tree already has and nobody allowed to replace."""
        if self._request.replace:
            return
        for part in parts:
            if self._stage.has(*self._top, *part.layout.result):
                yield self._findings.find("result-exists", "/".join(part.layout.result))
        path = self._stage.root.joinpath(*self._top, "systems", self._system_file)
        if path.is_file():
            for key in _differing(path, self._description):
                seen = f"systems/{self._system_file} in the tree has another {key}"
                yield self._findings.find("other-system", seen)

    @property
    def _system_file(self) -> str:
        return f"{self._request.system_id}.json"

    def write(self, parts: list[_Part]) -> None:
        """Write everything."""
        self._write_json(self._description, "systems", self._system_file)
        self._write_mapping(parts)
        for part in parts:
            self._write_result(part)
            self._write_code(part)

    def _write_result(self, part: _Part) -> None:
        candidate, layout, book = part.candidate, part.layout, self._request.book
        for folder in (layout.result, layout.measurements):
            self._stage.remove(*self._top, *folder)
        write_accuracy(candidate.accuracy[0], self._folder(layout.accuracy), book)
        for number, test in enumerate(candidate.performance, start=1):
            write_performance(test, self._folder(layout.performance(number)), book)
        if _MLPERF_CONF in book.files.measurements:
            self._write(mlperf_conf(), *layout.measurements, _MLPERF_CONF)
        self._write(user_conf(candidate, book), *layout.measurements, "user.conf")
        text = readme(candidate, self._request, part.facts, part.findings)
        self._write(text, *layout.measurements, "README.md")
        self._write_json(part.facts, *layout.description)
        self._write_documents(part)
        if self._audits is not None:
            stage = Stage(self._stage.folder(*self._top))
            self._audits.copy(candidate, layout, stage)

    def _write_documents(self, part: _Part) -> None:
        given = self._request.calibration
        if part.recipe is not None:
            text = calibration_text(part.recipe)
            self._write(text, *part.layout.document("calibration.md"))
        elif given is not None:
            name = f"calibration{given.suffix or '.txt'}"
            self._write(_read(given), *part.layout.document(name))
        own = self._request.checklist
        if own is not None:
            self._write(_read(own), *part.layout.document(f"checklist{own.suffix or '.txt'}"))
        else:
            text = checklist(part.candidate, self._request, self._description)
            self._write(text, *part.layout.document("checklist.md"))

    def _write_code(self, part: _Part) -> None:
        target = (*self._top, *part.layout.code)
        if self._request.code is not None:
            CodeFolder(self._request.code).put(self._stage, target, replace=self._request.replace)
        elif not self._stage.has(*target):
            self._stage.write(code_note(part.candidate), *target, "README.md")

    def _write_mapping(self, parts: list[_Part]) -> None:
        """Say which benchmark a folder with a name of its own stands for, where a round asks."""
        if self._request.book.era.is_v05 or self._request.is_closed:
            return
        added = {
            part.candidate.name: part.candidate.benchmark.name
            for part in parts
            if part.candidate.benchmark is not None
            and part.candidate.name != part.candidate.benchmark.name
        }
        path = self._stage.root.joinpath(*self._top, _MAPPING)
        known: dict[str, str] = {}
        if path.is_file():
            known = _read_mapping(path)
        if added:
            self._write_json({**known, **added}, _MAPPING)

    def _folder(self, parts: tuple[str, ...]) -> Path:
        return self._stage.folder(*self._top, *parts)

    def _write(self, text: str, *parts: str) -> None:
        self._stage.write(text, *self._top, *parts)

    def _write_json(self, values: Mapping[str, Any], *parts: str) -> None:
        self._write(json.dumps(dict(values), indent=2, ensure_ascii=False) + "\n", *parts)


def mlperf_conf() -> str:
    """Give the ``mlperf.conf`` of the v0.5 round."""
    folder = resources.files("inferometer.logs").joinpath("conf")
    return folder.joinpath("mlperf-v0.5.conf").read_text("utf-8")


def _differing(path: Path, description: Mapping[str, str]) -> list[str]:
    try:
        there = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return ["format"]
    if not isinstance(there, dict):
        return ["format"]
    return [key for key in description if str(there.get(key, "")) != description[key]]


def _read_mapping(path: Path) -> dict[str, str]:
    try:
        values = json.loads(path.read_text("utf-8"))
        return {str(name): str(value) for name, value in values.items()}
    except (OSError, ValueError, RecursionError, AttributeError) as error:
        raise SubmissionError(f"{path.name} in the tree is damaged ({error}); mend it") from error


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SubmissionError(f"{path}: can't be read as text ({error})") from error
