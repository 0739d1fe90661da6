"""Signatures: which inputs a model takes and which outputs it gives, as far as is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from inferometer.open_inference import TensorSpec, datatype_of

__all__ = ["Signature"]

_OPEN = -1
Arrays = Mapping[str, NDArray[Any]]


@dataclass
class Signature:
    """Names of a model's inputs and outputs; shapes and datatypes are learnt from its calls.

    An axis that differs from call to call is open, and so is the first one of a model whose
    requests are put together.
    """

    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    _seen: dict[tuple[str, str], TensorSpec] = field(default_factory=dict)

    def learn(
        self, inputs: Arrays, outputs: Sequence[NDArray[Any]], *, is_batched: bool = True
    ) -> None:
        """Take in the arrays of a call."""
        named = {("input", name): array for name, array in inputs.items()}
        given = zip(self.output_names, outputs, strict=True)
        for key, array in (*named.items(), *((("output", name), out) for name, out in given)):
            shape = (_OPEN, *array.shape[1:]) if is_batched else array.shape
            known = self._seen.get(key)
            if known is not None and len(known.shape) == len(shape):
                pairs = zip(known.shape, shape, strict=True)
                shape = tuple(a if a == b else _OPEN for a, b in pairs)
            self._seen[key] = TensorSpec(key[1], datatype_of(array.dtype), shape)

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """The inputs, as metadata have them."""
        return [self._described("input", name) for name in self.input_names]

    @property
    def outputs(self) -> list[dict[str, Any]]:
        """The outputs, as metadata have them."""
        return [self._described("output", name) for name in self.output_names]

    def _described(self, kind: str, name: str) -> dict[str, Any]:
        spec = self._seen.get((kind, name)) or TensorSpec(name, "", (_OPEN,))
        return spec.to_mapping()
