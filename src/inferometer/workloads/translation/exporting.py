"""Exported GNMT: the two parts of the model as ONNX files, made once and kept."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inferometer.backends import ModelFile
from inferometer.workloads.exporting import need_torch
from inferometer.workloads.images.checksums import file_sha256
from inferometer.workloads.places import exported_folder

__all__ = ["DECODER", "ENCODER", "export_parts", "exported_gnmt"]

ENCODER, DECODER = "encoder", "decoder"
"""Names of the parts of a model, and of their files."""

_VERSION = 1
_MEMORY = {0: "sentences", 1: "longest"}
_SENTENCES, _HYPOTHESES = {0: "sentences"}, {0: "hypotheses"}


def exported_gnmt(
    vocabulary: int, *, seed: int | None = None, checkpoint: Path | None = None
) -> dict[str, ModelFile]:
    """Give GNMT in its published size as ONNX, with random or published weights.

    With a ``seed`` the weights are random, the same for the same seed and PyTorch; else they
    are those of the TensorFlow ``checkpoint``, named by its index file. The files are kept
    under `exported_folder`. Raises `WorkloadError` if PyTorch or onnx is missing, or the
    checkpoint has another vocabulary.
    """
    torch = need_torch()
    # The index has a checksum of each variable, so that it stands for all of the checkpoint.
    source = f"seed{seed}" if checkpoint is None else file_sha256(checkpoint)[:16]
    key = f"gnmt-{_VERSION}-{vocabulary}-{source}-torch{torch.__version__}"
    folder = exported_folder() / key.replace("+", "-")
    paths = {part: folder / f"{part}.onnx" for part in (ENCODER, DECODER)}
    if not all(path.is_file() for path in paths.values()):
        gnmt = importlib.import_module("inferometer.workloads.models.gnmt")
        with torch.random.fork_rng():
            torch.manual_seed(0 if seed is None else seed)
            model = gnmt.Gnmt(vocabulary)
        if checkpoint is not None:
            loading = importlib.import_module("inferometer.workloads.weights.loading")
            loading.load_weights("gnmt", checkpoint, model)
        export_parts(model, paths)
    return {part: ModelFile(path, "onnx") for part, path in paths.items()}


def export_parts(model: Any, paths: Mapping[str, Path]) -> None:
    """Write a `Gnmt` as two ONNX files, given by `ENCODER` and `DECODER`.

    Their inputs and outputs are those that `BeamSearch` names; the numbers of sentences,
    of hypotheses and of words stay open.
    """
    torch = need_torch()
    export = importlib.import_module("inferometer.workloads.models.export").export_onnx
    model.eval()
    lengths = torch.tensor([2, 3, 1])
    tokens = torch.zeros((3, 3), dtype=torch.int64)
    with torch.no_grad():
        memory, keys, state = model.encoder(tokens, lengths)
    export(
        model.encoder,
        (tokens, lengths),
        paths[ENCODER],
        inputs=["tokens", "lengths"],
        outputs=["memory", "keys", "state"],
        dynamic={
            "tokens": _MEMORY,
            "lengths": _SENTENCES,
            "memory": _MEMORY,
            "keys": _MEMORY,
            "state": _SENTENCES,
        },
    )
    export(
        model.decoder,
        (tokens[:, :2].reshape(-1), state.repeat_interleave(2, dim=0), memory, keys, lengths),
        paths[DECODER],
        inputs=["tokens", "state", "memory", "keys", "lengths"],
        outputs=["scores", "next_tokens", "next_state"],
        dynamic={
            "memory": _MEMORY,
            "keys": _MEMORY,
            "lengths": _SENTENCES,
            **dict.fromkeys(
                ("tokens", "state", "scores", "next_tokens", "next_state"), _HYPOTHESES
            ),
        },
    )
