"""Recipes: how a quantised model was calibrated, read and told in plain words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inferometer.loadgen import InferometerError
from inferometer.submission.building.request import SubmissionError
from inferometer.workloads.places import quantized_folder
from inferometer.workloads.quantized import RECIPE, read_recipe

__all__ = ["calibration_text", "recipe_of"]

_MOST_BYTES = 16 << 20
_SHOWN_IDS = 10


def recipe_of(workload: str, given: Path | None) -> Mapping[str, Any] | None:
    """Give the recipe: the file that was given, or the one that the workload's model came with.

    ``None`` if there is neither, or the file given is no recipe but a text of its own. Raises
    `SubmissionError` if the recipe is of another workload.
    """
    if given is None:
        try:
            return _checked(read_recipe(quantized_folder(workload)), workload, RECIPE)
        except InferometerError:
            return None
    path = given / RECIPE if given.is_dir() else given
    if path.suffix != ".json":
        return None
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise SubmissionError(f"{path}: larger than {_MOST_BYTES >> 20} MiB; no recipe")
        values = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SubmissionError(f"{path}: not a recipe ({error})") from error
    return _checked(values, workload, str(path))


def _checked(values: Any, workload: str, where: str) -> Mapping[str, Any]:
    if not isinstance(values, Mapping) or not isinstance(values.get("parts"), Mapping):
        raise SubmissionError(f"{where}: not a recipe; `inferometer quantize` writes {RECIPE}")
    if not all(isinstance(part, Mapping) for part in values["parts"].values()):
        raise SubmissionError(f"{where}: damaged: a part of the model is described by no table")
    if values.get("workload") != workload:
        raise SubmissionError(
            f"{where} is a recipe of {values.get('workload')}, and the runs are of {workload}"
        )
    return values


def calibration_text(recipe: Mapping[str, Any]) -> str:
    """Describe the quantisation that a recipe records, so that anyone can repeat it."""
    lines = [
        "# Calibration",
        "",
        f"The model was quantised by {recipe.get('tool')}: {recipe.get('method')}.",
        "",
        f"- Weights: {recipe.get('weights')}",
        f"- Activations: {recipe.get('activations')}",
        *_samples(recipe.get("calibration")),
        "",
        "| part | made of | sha256 of that | result | sha256 | left in float |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, part in recipe["parts"].items():
        left = part.get("left_in_float") or ()
        lines.append(
            f"| {name} | {part.get('source')} | {part.get('source_sha256')} | {part.get('file')} "
            f"| {part.get('sha256')} | {', '.join(map(str, left)) or 'nothing'} |"
        )
    tools = recipe.get("tools") or {}
    versions = ", ".join(f"{name} {version}" for name, version in tools.items())
    lines += ["", f"Made with {versions}."]
    return "".join(f"{line}\n" for line in lines)


def _samples(calibration: Any) -> list[str]:
    if not isinstance(calibration, Mapping):
        return ["- Calibration samples: none; the ranges follow from each input as it comes"]
    ids = list(map(str, calibration.get("ids") or ()))
    shown = ", ".join(ids[:_SHOWN_IDS]) + (", …" if len(ids) > _SHOWN_IDS else "")
    return [
        f"- Calibration samples: {calibration.get('count')}, {calibration.get('source')}",
        f"- sha256 of their names, one a line: {calibration.get('ids_sha256')}",
        f"- They begin with: {shown}",
    ]
