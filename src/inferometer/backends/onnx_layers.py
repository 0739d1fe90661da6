"""ONNX layers: what those with weights compute in, told by their operators' names in a file."""

from __future__ import annotations

import mmap
from collections import Counter
from pathlib import Path

__all__ = ["has_quantised_layers", "layer_precisions"]

_INT8 = (
    "ConvInteger",
    "DynamicQuantizeLSTM",
    "DynamicQuantizeMatMul",
    "MatMulInteger",
    "MatMulIntegerToFloat",
    "QAttention",
    "QGemm",
    "QLinearConv",
    "QLinearMatMul",
)
_INT4 = ("MatMulNBits",)
_FP32 = (
    "Attention",
    "Conv",
    "ConvTranspose",
    "FusedConv",
    "FusedGemm",
    "FusedMatMul",
    "GRU",
    "Gemm",
    "LSTM",
    "MatMul",
    "NhwcFusedConv",
    "RNN",
)
_OPERATORS = {
    **dict.fromkeys(_INT8, "int8"),
    **dict.fromkeys(_INT4, "int4 weights"),
    **dict.fromkeys(_FP32, "fp32"),
}
_AROUND = ("DequantizeLinear", "QuantizeLinear")
# Field 4 of a node, a text: its operator.
_FIELD = b"\x22"


def has_quantised_layers(path: Path) -> bool:
    """Tell whether a graph has operators of quantised numbers."""
    names = (*_INT8, *_INT4, *_AROUND)
    with path.open("rb") as file:
        if not path.stat().st_size:
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return any(content.find(_written(name)) >= 0 for name in names)


def layer_precisions(path: Path) -> dict[str, int]:
    """Count the layers with weights of a graph by what they compute in, most frequent first.

    A layer of ordinary operators counts as ``fp32``, although quantised numbers may be
    turned into floats in front of it. Subgraphs count as well.
    """
    content = path.read_bytes()
    found: Counter[str] = Counter()
    for operator, precision in _OPERATORS.items():
        found[precision] += content.count(_written(operator))
    return {precision: count for precision, count in found.most_common() if count}


def _written(operator: str) -> bytes:
    """Give the bytes of an operator in a node."""
    return _FIELD + bytes([len(operator)]) + operator.encode()
