"""Translator: sentences in, texts out, over the loaded parts of a model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends import ModelFile, Session
from inferometer.workloads.protocol import WorkloadError
from inferometer.workloads.translation.beam import BeamSearch
from inferometer.workloads.translation.exporting import DECODER, ENCODER
from inferometer.workloads.translation.vocabulary import Vocabulary

__all__ = ["PARTS", "Translator", "parts_in"]

PARTS: Mapping[str, tuple[str, ...]] = {
    ENCODER: ("tokens", "lengths"),
    DECODER: ("tokens", "state", "memory", "keys", "lengths"),
}
"""The parts of a model, and what each takes."""


def parts_in(folder: Path, formats: tuple[str, ...]) -> dict[str, ModelFile]:
    """Find a user's parts in a folder, such as ``encoder.onnx`` and ``decoder.onnx``.

    Raises `WorkloadError` if they aren't there in any of the formats.
    """
    for suffix in formats:
        paths = {part: folder / f"{part}.{suffix}" for part in PARTS}
        if all(path.is_file() for path in paths.values()):
            return {part: ModelFile(path, suffix) for part, path in paths.items()}
    wanted = " or ".join(" and ".join(f"{part}.{suffix}" for part in PARTS) for suffix in formats)
    raise WorkloadError(f"{folder}: the model is a folder with {wanted}, and they are not there")


class Translator:
    """Answers batches: beam search, then text, UTF-8 bytes of each translation."""

    def __init__(self, sessions: Mapping[str, Session], vocabulary: Vocabulary):
        for part, names in PARTS.items():
            found = sessions[part].input_names
            if set(found) != set(names):
                raise WorkloadError(
                    f"the {part} takes {', '.join(found)}; it has to take {', '.join(names)}"
                )
        self._search = BeamSearch(sessions[ENCODER], sessions[DECODER])
        self._vocabulary = vocabulary

    def __call__(
        self,
        indices: NDArray[np.integer[Any]],  # noqa: ARG002
        inputs: Mapping[str, NDArray[Any]],
    ) -> list[bytes]:
        """Translate loaded sentences; the texts are tokenised still, as published."""
        found = self._search(inputs["tokens"], inputs["lengths"])
        return [self._vocabulary.decode(row).encode("utf-8") for row in found.tolist()]
