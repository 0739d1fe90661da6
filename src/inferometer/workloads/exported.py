"""Exported models: a definition in a framework's own format, checked, made once and kept."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends import (
    Backend,
    BackendError,
    BackendOptions,
    Exporter,
    ModelFile,
    SourceModel,
    content_sha256,
)
from inferometer.loadgen import write_atomically
from inferometer.workloads.definition import ModelDefinition, need_torch
from inferometer.workloads.places import exported_folder
from inferometer.workloads.protocol import WorkloadError

__all__ = [
    "INTEGER_TOLERANCE",
    "TOLERANCE",
    "ExportRecord",
    "OutputDifference",
    "export_model",
    "exported_models",
]

TOLERANCE = 1e-3
"""Largest difference that an exported fp32 model may show, as a share of the largest number
in an output."""

INTEGER_TOLERANCE = 0.02
"""Largest share of an output of whole numbers that may differ: places of equal scores."""

_LEAST_SPREAD = 10 * TOLERANCE
_MODEL, _RECORD = "model", "export.json"
_THREADS = 1


@dataclass(frozen=True)
class OutputDifference:
    """How far one output of an exported model is from the reference.

    largest:
        Largest absolute difference; for whole numbers, the share that differs.
    scale:
        Largest absolute number in the reference output; 1 for whole numbers.
    """

    name: str
    largest: float
    scale: float

    @property
    def relative(self) -> float:
        """The difference as a share of the scale."""
        return self.largest / self.scale if self.scale else self.largest


@dataclass(frozen=True)
class ExportRecord:
    """What was exported: from what, by what, and how far it is from the reference.

    content_sha256:
        Hash of the file or folder, as `content_sha256` gives it.
    versions:
        The packages that wrote the format, and PyTorch, whose outputs are the reference.
    """

    name: str
    backend: str
    format: str
    content_sha256: str
    size_bytes: int
    export_s: float
    differences: tuple[OutputDifference, ...]
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def largest_relative(self) -> float:
        """The largest difference over all outputs, as a share of the output's largest number."""
        return max(one.relative for one in self.differences)


def exported_models(
    definitions: Mapping[str, ModelDefinition],
    backend: Backend,
    note: Callable[[str], None] = lambda _: None,
) -> dict[str, ModelFile]:
    """Give a model's parts in the format of a backend, each made if it isn't kept yet.

    ``note`` is told of what takes long. Raises what `export_model` raises.
    """
    found = {}
    for part, definition in definitions.items():
        file, _ = export_model(definition, backend, note)
        found[part] = file
    return found


def export_model(
    definition: ModelDefinition,
    backend: Backend,
    note: Callable[[str], None] = lambda _: None,
) -> tuple[ModelFile, ExportRecord]:
    """Give a model in a backend's own format, and the record of how it was made.

    It is kept by what it was made of and by, and only after its outputs were found equal to
    those of the PyTorch definition within `TOLERANCE`. Raises `UnsupportedModelError`
    naming the operators that the framework lacks, `BackendError` if the outputs differ, and
    `WorkloadError` if the backend has no format of its own to write.
    """
    if not isinstance(backend, Exporter):
        raise WorkloadError(
            f"{backend.name} has no format of its own that a model could be exported to"
        )
    versions = {**backend.export_versions(), "torch": str(need_torch().__version__)}
    folder = exported_folder() / backend.name / _key(definition, versions)
    path = folder / f"{_MODEL}.{backend.own_format}"
    record = _read_record(folder)
    if record is None or not path.exists():
        note(f"making {definition.name} for {backend.name}")
        record = _make(definition, backend, folder, versions)
        note(
            f"{definition.name} for {backend.name}: within {record.largest_relative:.1e} of "
            f"PyTorch, {record.export_s:.0f} s"
        )
    return ModelFile(path, backend.own_format, record.content_sha256), record


def _key(definition: ModelDefinition, versions: Mapping[str, str]) -> str:
    """Name a model by what it is, and by a hash of what decides its bytes."""
    text = json.dumps([definition.key(), dict(versions)], sort_keys=True)
    return f"{definition.name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _make(
    definition: ModelDefinition, backend: Any, folder: Path, versions: Mapping[str, str]
) -> ExportRecord:
    """Export into a folder beside, check what was written, and only then put it in place."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    begun = time.perf_counter()
    source = definition.source()
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".making-") as text:
        made = Path(text) / folder.name
        made.mkdir()
        path = made / f"{_MODEL}.{backend.own_format}"
        backend.export(source, path)
        export_s = time.perf_counter() - begun
        file = ModelFile(path, backend.own_format, content_sha256(path))
        record = ExportRecord(
            name=definition.name,
            backend=backend.name,
            format=backend.own_format,
            content_sha256=str(file.sha256),
            size_bytes=file.size_bytes,
            export_s=export_s,
            differences=_checked(source, backend, file),
            versions=versions,
        )
        write_atomically(made / _RECORD, json.dumps(asdict(record), indent=2).encode())
        if folder.exists():
            shutil.rmtree(folder)
        made.rename(folder)
    return record


def _checked(
    source: SourceModel, backend: Backend, file: ModelFile
) -> tuple[OutputDifference, ...]:
    """Compare the outputs of what was written with those of the module."""
    session = backend.load(file, BackendOptions(threads=_THREADS))
    try:
        found = session.run(source.examples)
        names = session.output_names
    finally:
        session.close()
    expected = _reference(source)
    _check_reference(source, expected)
    if len(found) != len(expected):
        raise BackendError(
            f"{source.name} for {backend.name} gives {len(found)} outputs, {', '.join(names)}; "
            f"expected {', '.join(source.output_names)}"
        )
    differences = []
    for name, one, other in zip(source.output_names, found, expected, strict=True):
        difference = _difference(name, one, other)
        limit = INTEGER_TOLERANCE if other.dtype.kind == "i" else TOLERANCE
        # Written so that what isn't a number fails as well.
        if not difference.relative <= limit:
            raise BackendError(
                f"{source.name} for {backend.name} is wrong: its output {name} differs from "
                f"PyTorch's by {difference.relative:.2g} of its largest number; at most "
                f"{limit:g} may be"
            )
        differences.append(difference)
    return tuple(differences)


def _reference(source: SourceModel) -> list[NDArray[Any]]:
    """Compute the outputs of the module for the examples."""
    torch = need_torch()
    with torch.inference_mode():
        found = source.module(*(torch.from_numpy(one) for one in source.examples.values()))
    outputs = found if isinstance(found, tuple | list) else (found,)
    return [output.numpy() for output in outputs]


def _check_reference(source: SourceModel, expected: list[NDArray[Any]]) -> None:
    """Refuse outputs that hardly depend on the inputs: comparing those would say nothing."""
    for output in expected:
        if output.dtype.kind == "f":
            spread = np.abs(output - output[:1]).max(initial=0.0)
            if spread > _LEAST_SPREAD * np.abs(output).max(initial=0.0):
                return
    raise WorkloadError(
        f"{source.name} gives nearly the same outputs for different inputs, so that an exported "
        "model can't be checked; give it other weights"
    )


def _difference(name: str, found: NDArray[Any], expected: NDArray[Any]) -> OutputDifference:
    if found.shape != expected.shape:
        raise BackendError(
            f"output {name} has the shape {found.shape}; PyTorch gives {expected.shape}"
        )
    if expected.dtype.kind == "i":
        return OutputDifference(name, float(np.mean(found != expected)), 1.0)
    gap = np.abs(found.astype(np.float64) - expected)
    return OutputDifference(name, float(gap.max(initial=0.0)), float(np.abs(expected).max()))


def _read_record(folder: Path) -> ExportRecord | None:
    """Read a kept record; ``None`` where there is none, or it can't be read."""
    try:
        values = json.loads((folder / _RECORD).read_text("utf-8"))
        differences = tuple(OutputDifference(**one) for one in values.pop("differences"))
        return ExportRecord(**values, differences=differences)
    except (OSError, ValueError, TypeError, KeyError):
        return None
