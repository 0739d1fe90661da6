"""Quantised models on disk: found by workload, with the recipe that they were made by."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from inferometer.backends import ModelFile
from inferometer.workloads.images.checksums import file_sha256
from inferometer.workloads.places import quantized_folder
from inferometer.workloads.protocol import WorkloadError

__all__ = ["RECIPE", "quantized_models", "read_recipe"]

RECIPE = "recipe.json"


def read_recipe(folder: Path) -> Mapping[str, Any]:
    """Read the recipe of a quantised model; raise `WorkloadError` naming what is wrong."""
    path = folder / RECIPE
    try:
        recipe: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise WorkloadError(f"{folder} holds no quantised model: it has no {RECIPE}") from None
    except (OSError, ValueError) as error:
        raise WorkloadError(f"{path}: damaged ({error})") from error
    return recipe


def quantized_models(
    workload: str,
    formats: tuple[str, ...],
    sources: Callable[[str], Mapping[str, ModelFile]],
) -> dict[str, ModelFile]:
    """Give the files of a workload's quantised model by part, checked when they are loaded.

    ``sources`` gives the fp32 model that it has to be made of, as the backend of this name
    exports it, or as ONNX for an empty name. Raises `WorkloadError` with the
    command that makes them.
    """
    folder = quantized_folder(workload)
    remedy = f"make it with: inferometer quantize {workload}"
    if not folder.is_dir():
        raise WorkloadError(f"there is no int8 model of {workload} here; {remedy}")
    recipe = read_recipe(folder)
    try:
        files = {
            part: ModelFile(
                folder / entry["file"], Path(entry["file"]).suffix.lstrip("."), entry["sha256"]
            )
            for part, entry in recipe["parts"].items()
        }
        made_of = {part: entry["source_sha256"] for part, entry in recipe["parts"].items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise WorkloadError(f"{folder / RECIPE}: damaged ({error!r}); {remedy}") from error
    for file in files.values():
        if file.format not in formats:
            raise WorkloadError(
                f"the int8 model of {workload} is {file.format!r}, made by {recipe['tool']}, and "
                f"the backend reads {', '.join(formats)}; make another with --tool"
            )
    given = sources(str(recipe.get("source_backend", "")))
    if made_of != {part: _digest(source) for part, source in given.items()}:
        raise WorkloadError(
            f"the int8 model in {folder} was made of another fp32 model than the one asked for; "
            f"{remedy}"
        )
    return files


def _digest(file: ModelFile) -> str:
    return file.sha256 or file_sha256(file.path)
