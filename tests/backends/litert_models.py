"""Models for the tests of LiteRT, and what PyTorch answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inferometer.backends import (
    BackendOptions,
    ModelFile,
    SourceModel,
)
from inferometer.backends.litert.backend import LiteRtBackend

torch = pytest.importorskip("torch")
interpreters = pytest.importorskip("ai_edge_litert.interpreter")
litert_torch = pytest.importorskip("litert_torch")

BACKEND = LiteRtBackend()
ONE = BackendOptions(threads=1)
BATCH = {0: "N"}


class Traced(torch.nn.Module):  # type: ignore[misc,name-defined]
    """A module of one function, with a layer that has weights."""

    def __init__(self, function: Callable[..., Any]):
        super().__init__()
        self.function = function
        self.layer = torch.nn.Linear(4, 3)

    def forward(self, *inputs: Any) -> Any:
        return self.function(self.layer, *inputs)


def source_of(name: str, module: Any, *examples: NDArray[Any], outputs: int = 1) -> SourceModel:
    inputs = tuple(f"in_{place}" for place in range(len(examples)))
    names = tuple(f"out_{place}" for place in range(outputs))
    return SourceModel(
        name=name,
        module=module.eval(),
        onnx=Path("none.onnx"),
        input_names=inputs,
        output_names=names,
        examples=dict(zip(inputs, examples, strict=True)),
        dynamic=dict.fromkeys((*inputs, *names), BATCH),
    )


def expected(source: SourceModel, *inputs: NDArray[Any]) -> list[NDArray[Any]]:
    with torch.inference_mode():
        found = source.module(*(torch.from_numpy(array) for array in inputs))
    return [one.numpy() for one in (found if isinstance(found, tuple) else (found,))]


def exported(source: SourceModel, folder: Path) -> ModelFile:
    path = folder / f"{source.name}.tflite"
    BACKEND.export(source, path)
    return ModelFile(path, "tflite")


def nodes(file: ModelFile) -> list[str]:
    interpreter = interpreters.Interpreter(str(file.path))
    return [node["op_name"] for node in interpreter._get_ops_details()]


def photos(count: int) -> NDArray[np.float32]:
    generator = np.random.default_rng(count)
    return generator.uniform(-1, 1, (count, 32, 32, 3)).astype(np.float32)
