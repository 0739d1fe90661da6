"""Measurements: the five facts about model and data types that stand beside a result."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inferometer.loadgen import InferometerError
from inferometer.submission.building.candidate import Candidate, RecordedTest
from inferometer.submission.building.request import SubmissionError, SubmissionRequest
from inferometer.workloads import Workload, WorkloadOptions, get_workload

__all__ = ["implementation_of", "measurement_facts"]

_UNFIT = re.compile(r"[^A-Za-z0-9.+-]+")
_TYPES = (
    ("bf16", ("bfloat16", "bf16")),
    ("fp16", ("float16", "fp16", "f16", "half")),
    ("uint8", ("uint8", "u8")),
    ("int8", ("int8", "i8")),
    ("int32", ("int32", "i32")),
    ("int64", ("int64", "i64")),
    ("fp32", ("float32", "fp32", "f32", "float")),
)


def implementation_of(candidate: Candidate, request: SubmissionRequest) -> str:
    """Give the implementation's name: as asked for, or by the framework that ran the model."""
    if request.implementation is not None:
        return request.implementation
    backend = candidate.tests[0].session.backend
    name = _UNFIT.sub("-", str(backend.get("name") or "")).strip("-.+")
    return f"inferometer-{name}" if name else "inferometer"


def measurement_facts(
    candidate: Candidate, request: SubmissionRequest, recipe: Mapping[str, Any] | None
) -> dict[str, str]:
    """Give the round's keys with what the runs tell and the user says.

    ``recipe`` is that of a quantised model. Raises `SubmissionError` for a key that nobody
    knows, saying how to give it.
    """
    test = candidate.tests[0]
    known = {
        "input_data_types": _input_types(test),
        "retraining": "none" if _is_published(test) else "",
        "starting_weights_filename": _starting_weights(test, recipe),
        "weight_data_types": _weight_types(test, recipe),
        "weight_transformations": _transformations(test, recipe),
        **request.measurements,
    }
    facts = {key: known.get(key, "") for key in request.book.measurement_keys}
    unknown = [key for key, text in facts.items() if not text]
    if unknown:
        given = " ".join(f"--measurement {key}=…" for key in unknown)
        raise SubmissionError(
            f"{candidate.title}: the runs don't tell {', '.join(unknown)} of the model; give "
            f"{given}"
        )
    return facts


def _is_published(test: RecordedTest) -> bool:
    """Tell whether the weights are those that come with the workload, not the user's file."""
    comes_with_weights = any(name in test.session.workload for name in ("parameters", "profile"))
    return comes_with_weights and test.options.get("model") is None


def _input_types(test: RecordedTest) -> str:
    inputs = test.backend.get("inputs")
    if isinstance(inputs, list) and inputs:
        found = [_type_in(str(text)) for text in inputs]
        return ", ".join(dict.fromkeys(found)) if all(found) else ""
    if test.is_int8:
        return ""
    return _type_in(str(test.backend.get("precision", "")))


def _type_in(text: str) -> str:
    """Find a type in what a framework prints of an input: name, type, shape."""
    words = re.findall(r"[a-z]+\d*", text.lower())
    for name, spellings in _TYPES:
        if any(word in spellings for word in words):
            return name
    return ""


def _weight_types(test: RecordedTest, recipe: Mapping[str, Any] | None) -> str:
    if recipe is not None:
        return str(recipe.get("weight_data_types", ""))
    if test.is_int8:
        return ""
    return _type_in(str(test.backend.get("precision", "")))


def _transformations(test: RecordedTest, recipe: Mapping[str, Any] | None) -> str:
    if recipe is not None:
        method, tool = recipe.get("method", ""), recipe.get("tool", "")
        return f"quantised by {tool}: {method}; weights {recipe.get('weights', '')}"
    if test.is_int8 or test.options.get("model") is not None:
        return ""
    framework = test.backend.get("framework", "")
    precision = _type_in(str(test.backend.get("precision", "")))
    if precision and precision != "fp32":
        return f"cast to {precision} by {framework}"
    return f"none beside what {framework} does on loading"


def _starting_weights(test: RecordedTest, recipe: Mapping[str, Any] | None) -> str:
    given = test.options.get("model")
    if given is not None:
        return Path(str(given)).name
    if recipe is not None:
        parts = recipe.get("parts")
        if isinstance(parts, Mapping):
            return ", ".join(str(part.get("source", "")) for part in parts.values())
    return ", ".join(_weight_files(test))


def _weight_files(test: RecordedTest) -> list[str]:
    """Give the names of the files that the weights of a workload come from, if they are here."""
    options = WorkloadOptions(
        extra={str(k): str(v) for k, v in (test.options.get("extra") or {}).items()}
    )
    try:
        workload = get_workload(str(test.session.workload["name"]), options)
        definitions = _definitions(workload)
        paths = [path for one in definitions.values() for path in one.weights.paths]
        if not paths:
            files = workload.models(workload.info.model_formats)
            paths = [file.path for file in files.values()]
    except InferometerError:
        return []
    return list(dict.fromkeys(path.name for path in paths))


def _definitions(workload: Workload) -> Mapping[str, Any]:
    give = getattr(workload, "definitions", None)
    found: Mapping[str, Any] = give() if give is not None else {}
    return found
