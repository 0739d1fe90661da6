"""GNMT's two parts as definitions, from which ONNX and every other format is made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.workloads.definition import Architecture, ModelDefinition, Weights, need_torch

__all__ = [
    "DECODER",
    "ENCODER",
    "decoder_inputs",
    "encoder_inputs",
    "export_parts",
    "gnmt_architectures",
]

ENCODER, DECODER = "encoder", "decoder"
"""Names of the parts of a model, and of their files."""

_HERE = "inferometer.workloads.translation.exporting"
_VERSION = 1
_STATE_WIDTHS = 9
_MEMORY = {0: "sentences", 1: "longest"}
_SENTENCES, _HYPOTHESES = {0: "sentences"}, {0: "hypotheses"}
_ENCODER_AXES = {
    "tokens": _MEMORY,
    "lengths": _SENTENCES,
    "memory": _MEMORY,
    "keys": _MEMORY,
    "state": _SENTENCES,
}
_DECODER_AXES = {
    "memory": _MEMORY,
    "keys": _MEMORY,
    "lengths": _SENTENCES,
    **dict.fromkeys(("tokens", "state", "scores", "next_tokens", "next_state"), _HYPOTHESES),
}


def gnmt_architectures(
    name: str, build: str, *, vocabulary: int, hidden: int
) -> list[Architecture]:
    """Give encoder and decoder as architectures that keep sentences, hypotheses, words open.

    ``build`` names the function that makes the whole model. Inputs and outputs are those
    that `BeamSearch` names.
    """
    numbers = {"vocabulary": vocabulary, "hidden": hidden}
    return [
        Architecture(
            f"{name}-{part}",
            build,
            inputs,
            outputs,
            axes,
            layout="",
            arguments=numbers,
            part=part,
            examples=f"{_HERE}:{part}_inputs",
            version=_VERSION,
        )
        for part, inputs, outputs, axes in (
            (ENCODER, ("tokens", "lengths"), ("memory", "keys", "state"), _ENCODER_AXES),
            (
                DECODER,
                ("tokens", "state", "memory", "keys", "lengths"),
                ("scores", "next_tokens", "next_state"),
                _DECODER_AXES,
            ),
        )
    ]


def encoder_inputs(numbers: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Give three sentences of different lengths."""
    random = np.random.default_rng(1)
    return {
        "tokens": random.integers(0, numbers["vocabulary"], (3, 5)),
        "lengths": np.array([2, 5, 1]),
    }


def decoder_inputs(numbers: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Give two hypotheses for each of three sentences."""
    random = np.random.default_rng(1)
    hidden = numbers["hidden"]

    def noise(*shape: int) -> NDArray[np.float32]:
        return random.uniform(-1, 1, shape).astype(np.float32)

    return {
        "tokens": random.integers(0, numbers["vocabulary"], 6),
        "state": noise(6, _STATE_WIDTHS * hidden),
        "memory": noise(3, 5, hidden),
        "keys": noise(3, 5, hidden),
        "lengths": np.array([2, 5, 1]),
    }


def export_parts(model: Any, paths: Mapping[str, Path]) -> None:
    """Write a `Gnmt` as two ONNX files, given by `ENCODER` and `DECODER`."""
    need_torch()
    vocabulary, hidden = model.encoder.embedding.weight.shape

    def put(_: tuple[Path, ...], module: Any) -> None:
        module.load_state_dict(model.state_dict())

    parts = gnmt_architectures(
        "gnmt", "inferometer.workloads.models.gnmt:Gnmt", vocabulary=vocabulary, hidden=hidden
    )
    for architecture in parts:
        definition = ModelDefinition(architecture, Weights(load=put))
        definition.write_onnx(definition.module(), paths[architecture.part])
