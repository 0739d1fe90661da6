"""Weights: whether model files stay as they are, and how they differ from the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inferometer.backends.model_file import content_sha256
from inferometer.submission.audit.result import AuditResult, failed, not_checkable, passed
from inferometer.workloads import WorkloadError
from inferometer.workloads.weights.onnx_file import OnnxLayer, read_initializers, read_layers

__all__ = ["LayerDifference", "compare_weights", "hashes_of", "unchanged", "weight_differences"]

_CHANGED, _DIFFER = "audit.weights-changed", "audit.weights-differ"
_LEAST_COSINE = 0.999
_MOST_STEPS = 2.0
_MOST_LOST = 0.001
_BITS_OF = {"int8": 7, "uint8": 7, "float16": 10}
_FP32_BITS = 18


@dataclass(frozen=True)
class LayerDifference:
    """How far the weights of one layer are from the reference's.

    steps:
        The largest difference, in steps of the number format that the file uses.
    cosine:
        Of the angle between both, all weights of the layer as one vector.
    lost_share:
        Share of the reference's weights that are larger than a step and zero here.
    """

    name: str
    steps: float
    cosine: float
    lost_share: float

    @property
    def reasons(self) -> list[str]:
        """What speaks for other weights than the reference's, rounded."""
        found = []
        if self.cosine < _LEAST_COSINE:
            found.append(f"cosine {self.cosine:.4f}: replaced or trained again")
        elif self.steps > _MOST_STEPS:
            found.append(f"off by {self.steps:.1f} steps: more than rounding does")
        if self.lost_share > _MOST_LOST:
            found.append(f"{self.lost_share:.1%} of the weights are zero and weren't: pruned")
        return found


def hashes_of(paths: Sequence[Path]) -> dict[str, str]:
    """Give the sha256 of each model file or folder, by path; files that aren't there are left."""
    return {str(path): content_sha256(path) for path in paths if path.exists()}


def unchanged(before: Mapping[str, str], after: Mapping[str, str]) -> AuditResult:
    """Compare the hashes of the model files before and after the tests."""
    if not before:
        return not_checkable(_CHANGED, None, "the system names no model file")
    changed = sorted(path for path in before if after.get(path) != before[path])
    if changed:
        return failed(_CHANGED, None, f"changed during the tests: {', '.join(changed)}")
    return passed(_CHANGED, None, f"{len(before)} model files are the same after the tests")


def compare_weights(reference: Mapping[str, Path], tested: Mapping[str, Path]) -> AuditResult:
    """Compare the layers of ONNX files with the reference model's, part by part.

    Not checkable where a part is another format, or its layers are written in a way that hides
    their weights. It is evidence: allowed transformations that move scales from layer to layer
    look like other weights.
    """
    found: list[LayerDifference] = []
    for part, path in tested.items():
        if part not in reference:
            return failed(_DIFFER, None, f"the reference has no part {part!r}")
        if {path.suffix, reference[part].suffix} != {".onnx"}:
            return not_checkable(_DIFFER, None, f"{path.name} isn't compared; only ONNX files are")
        try:
            layers = weight_differences(reference[part], path)
        except WorkloadError as trouble:
            return not_checkable(_DIFFER, None, str(trouble))
        if isinstance(layers, str):
            return failed(_DIFFER, None, f"{path.name}: {layers}")
        found.extend(layers)
    return _of_layers(found)


def _of_layers(found: Sequence[LayerDifference]) -> AuditResult:
    if not found:
        return not_checkable(_DIFFER, None, "no layer's weights can be read")
    texts = [f"{one.name}: {', '.join(one.reasons)}" for one in found if one.reasons]
    if texts:
        more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
        seen = "; ".join(texts[:3]) + more
        return failed(_DIFFER, None, seen, layers=len(found), bad=len(texts))
    seen = (
        f"{len(found)} layers: at most {max(one.steps for one in found):.2f} steps apart, "
        f"cosine at least {min(one.cosine for one in found):.5f}"
    )
    return passed(_DIFFER, None, seen, layers=len(found))


def weight_differences(reference: Path, tested: Path) -> list[LayerDifference] | str:
    """Give the difference of each layer of two ONNX files, or say why they aren't one model.

    Batch norms are folded into the weights. Raises `WorkloadError` for a file that can't be
    read, and where the tested file has weights in no layer that can be read.
    """
    one, other = read_layers(reference), read_layers(tested)
    stored = read_initializers(tested)
    if len(other) < len(one) and any(_is_integer(value) for value in stored.values()):
        raise WorkloadError(
            f"{tested.name} has {len(other)} layers with weights that can be read, and the "
            f"reference {len(one)}: the others are in integer operators"
        )
    if len(one) != len(other):
        return f"{len(other)} layers, and the reference has {len(one)}"
    bits = _bits_of(stored)
    found = []
    for layer, mine in zip(one, other, strict=True):
        expected, weight = _folded(layer), _folded(mine)
        if expected.shape != weight.shape:
            return f"layer {mine.name} is {list(weight.shape)}, not {list(expected.shape)}"
        found.append(_difference(mine.name, expected, weight, bits))
    return found


def _difference(
    name: str, expected: NDArray[np.float64], weight: NDArray[np.float64], bits: int
) -> LayerDifference:
    step = float(np.abs(expected).max(initial=0.0)) / 2**bits or 1.0
    lengths = float(np.linalg.norm(expected) * np.linalg.norm(weight))
    cosine = float(np.vdot(expected, weight)) / lengths if lengths else 1.0
    lost = (np.abs(expected) > step) & (weight == 0)
    return LayerDifference(
        name=name,
        steps=float(np.abs(weight - expected).max(initial=0.0)) / step,
        cosine=cosine if lengths or not expected.any() else 0.0,
        lost_share=float(lost.mean()) if lost.size else 0.0,
    )


def _folded(layer: OnnxLayer) -> NDArray[np.float64]:
    scale = layer.scale.astype(np.float64).reshape(-1, *[1] * (layer.weight.ndim - 1))
    return layer.weight.astype(np.float64) * scale


def _bits_of(stored: Mapping[str, NDArray[np.generic]]) -> int:
    """Give the bits after the sign of the coarsest format that weights are stored in."""
    formats = {value.dtype.name for value in stored.values() if value.ndim > 1}
    return min((_BITS_OF[name] for name in formats if name in _BITS_OF), default=_FP32_BITS)


def _is_integer(value: NDArray[np.generic]) -> bool:
    return value.ndim > 1 and value.dtype.name in ("int8", "uint8")
