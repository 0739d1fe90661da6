"""Writer: the parts of a submission as files of a tree."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from inferometer.loadgen import Finding
from inferometer.submission.building.audits import AuditFolder
from inferometer.submission.building.code import CodeFolder
from inferometer.submission.building.findings import Findings
from inferometer.submission.building.part import Part
from inferometer.submission.building.recipes import calibration_text
from inferometer.submission.building.request import SubmissionError, SubmissionRequest
from inferometer.submission.building.results import write_accuracy, write_performance
from inferometer.submission.building.staging import Stage
from inferometer.submission.building.texts import checklist, code_note, readme
from inferometer.submission.building.user_conf import user_conf

__all__ = ["Writer"]

_MAPPING = "model_mapping.json"
_MLPERF_CONF = "mlperf.conf"


class Writer:
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

    def conflicts(self, parts: Sequence[Part]) -> Iterator[Finding]:
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

    def write(self, parts: Sequence[Part]) -> None:
        """Write everything."""
        self._write_json(self._description, "systems", self._system_file)
        self._write_mapping(parts)
        for part in parts:
            self._write_result(part)
            self._write_code(part)

    def _write_result(self, part: Part) -> None:
        candidate, layout, book = part.candidate, part.layout, self._request.book
        for folder in (layout.result, layout.measurements):
            self._stage.remove(*self._top, *folder)
        write_accuracy(candidate.accuracy[0], self._folder(layout.accuracy), book)
        for number, test in enumerate(candidate.performance, start=1):
            write_performance(test, self._folder(layout.performance(number)), book)
        if _MLPERF_CONF in book.files.measurements:
            self._write(_mlperf_conf(), *layout.measurements, _MLPERF_CONF)
        self._write(user_conf(candidate, book), *layout.measurements, "user.conf")
        text = readme(candidate, self._request, part.facts, part.findings)
        self._write(text, *layout.measurements, "README.md")
        self._write_json(part.facts, *layout.description)
        self._write_documents(part)
        if self._audits is not None:
            stage = Stage(self._stage.folder(*self._top))
            self._audits.copy(candidate, layout, stage)

    def _write_documents(self, part: Part) -> None:
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

    def _write_code(self, part: Part) -> None:
        target = (*self._top, *part.layout.code)
        if self._request.code is not None:
            CodeFolder(self._request.code).put(self._stage, target, replace=self._request.replace)
        elif not self._stage.has(*target):
            self._stage.write(code_note(part.candidate), *target, "README.md")

    def _write_mapping(self, parts: Sequence[Part]) -> None:
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


def _mlperf_conf() -> str:
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
