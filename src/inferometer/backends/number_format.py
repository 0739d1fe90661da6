"""Number formats: what a model can be asked to compute in, and how that is stored and run."""

from __future__ import annotations

__all__ = ["FLOAT_FORMATS", "NUMBER_FORMATS", "asked_format", "computed_format", "stored_format"]

_USUAL, _QUANTIZED = "fp32", "int8"

FLOAT_FORMATS = (_USUAL, "bf16", "fp16")
"""What a model that is stored in float32 can be computed in, where the backend can."""

NUMBER_FORMATS = (*FLOAT_FORMATS, _QUANTIZED)
"""What a model can be asked to compute in."""


def stored_format(name: str) -> str:
    """Give the format of the model's file: only int8 has one of its own."""
    return _QUANTIZED if name == _QUANTIZED else _USUAL


def computed_format(name: str) -> str:
    """Give what the backend computes floats in; what is left of them in an int8 model is fp32."""
    return _USUAL if name == _QUANTIZED else name


def asked_format(stored: str, computed: str) -> str:
    """Give the format that was asked for, from what is stored and what is computed in."""
    return computed if stored == _USUAL else stored
