"""Values and nodes of an ONNX graph on its way into TensorFlow, with how they are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends.protocol import UnsupportedModelError

__all__ = ["CHANNELS_LAST", "Node", "Size", "Value", "aligned"]

CHANNELS_LAST = (0, 2, 3, 1)
"""The axes of ONNX in the order in which TensorFlow's convolutions like them stored."""

_CHANNELS_FIRST = (0, 3, 1, 2)


@dataclass(frozen=True, eq=False)
class Size:
    """An open axis of a tensor: a number that is known only when the model runs."""

    source: Value
    axis: int

    @cached_property
    def tensor(self) -> Any:
        """The number as a scalar tensor, int32, which TensorFlow Lite takes for shapes."""
        tf, value = self.source.tf, self.source
        axis = CHANNELS_LAST.index(self.axis) if value.channels_last else self.axis
        return tf.shape(value.stored)[axis]


@dataclass(eq=False)
class Value:
    """What flows along an edge of the graph.

    stored:
        A tensor; or an array, where the value is known before the model runs; or an array of
        objects, integers and `Size`, for a shape of which only a part is known.
    channels_last:
        Whether the four axes, N C H W for ONNX, are stored as N H W C.
    nonnegative:
        Whether nothing below 0 can come.
    unpadded:
        The value that was padded with zeros to make this one, and the widths: top, left,
        bottom, right.
    """

    tf: Any
    stored: Any
    channels_last: bool = False
    nonnegative: bool = False
    unpadded: tuple[Value, tuple[int, ...]] | None = None
    axes: Sequence[int] = field(init=False)

    def __post_init__(self) -> None:
        rank = len(self.stored.shape)
        self.axes = CHANNELS_LAST if self.channels_last else tuple(range(rank))

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.axes)

    @property
    def shape(self) -> list[int | None]:
        """The sizes of ONNX's axes; ``None`` for an open one."""
        sizes = list(self.stored.shape)
        return [sizes[self.axes.index(axis)] for axis in range(self.rank)]

    @property
    def known(self) -> bool:
        """Whether the value is known before the model runs."""
        return isinstance(self.stored, np.ndarray) and self.stored.dtype != object

    @property
    def partly_known(self) -> bool:
        """Whether it is a shape of which only a part is known."""
        return isinstance(self.stored, np.ndarray) and self.stored.dtype == object

    @cached_property
    def plain(self) -> Any:
        """The tensor or array with its axes in ONNX's order."""
        if self.partly_known:
            parts = [self.tf.cast(part, self.tf.int64) for part in self.scalars()]
            return self.tf.reshape(self.tf.stack(parts), self.stored.shape)
        if self.channels_last:
            return self.tf.transpose(self.stored, _CHANNELS_FIRST)
        return self.stored

    @cached_property
    def last(self) -> Any:
        """The tensor or array of at most four axes, as it stands beside one stored N H W C."""
        if self.channels_last:
            return self.stored
        plain = self.plain
        if self.rank == 0:
            return plain
        missing = 4 - self.rank
        if isinstance(plain, np.ndarray):
            return plain.reshape((1,) * missing + plain.shape).transpose(CHANNELS_LAST)
        for _ in range(missing):
            plain = self.tf.expand_dims(plain, 0)
        return self.tf.transpose(plain, CHANNELS_LAST)

    def sizes(self) -> list[int | Size]:
        """Give the sizes of ONNX's axes; an open one as a `Size`."""
        return [Size(self, axis) if size is None else size for axis, size in enumerate(self.shape)]

    def entries(self) -> list[int | Size] | None:
        """Give the integers of a vector that stands for a shape; ``None`` for any tensor."""
        if not isinstance(self.stored, np.ndarray):
            return None
        return [entry if isinstance(entry, Size) else int(entry) for entry in self.stored.flat]

    def scalars(self) -> list[Any]:
        """Give the integers of a vector, each as a number or a scalar tensor."""
        entries = self.entries()
        if entries is None:
            return list(self.tf.unstack(self.tf.reshape(self.plain, [-1])))
        return [entry.tensor if isinstance(entry, Size) else entry for entry in entries]

    def like(self, stored: Any, *, nonnegative: bool = False) -> Value:
        """Make a value of the same layout."""
        return Value(self.tf, stored, self.channels_last, nonnegative)


@dataclass(eq=False)
class Node:
    """A node of the graph with its inputs; ``None`` stands for one that is left out."""

    tf: Any
    proto: Any
    opset: int
    inputs: Sequence[Value | None]
    attributes: Mapping[str, Any]

    @property
    def operator(self) -> str:
        """What the node does."""
        return str(self.proto.op_type)

    def input(self, position: int) -> Value | None:
        """Give an input, ``None`` if it was left out."""
        return self.inputs[position] if position < len(self.inputs) else None

    def value(self, position: int = 0) -> Value:
        """Give an input that has to be there."""
        found = self.input(position)
        if found is None:
            raise self.unsupported(f"its input {position} is missing")
        return found

    def constant(self, position: int) -> NDArray[Any] | None:
        """Give an input that has to be known before the model runs, if it is there at all."""
        found = self.input(position)
        if found is None:
            return None
        if not found.known:
            raise self.unsupported(f"its input {position} is computed while the model runs")
        array: NDArray[Any] = found.stored
        return array

    def integers(self, name: str, position: int) -> list[int] | None:
        """Give what older opsets have as an attribute and newer ones as a constant input."""
        if name in self.attributes:
            return [int(number) for number in np.atleast_1d(self.attributes[name])]
        found = self.constant(position)
        return None if found is None else [int(number) for number in found.flat]

    def axis(self, default: int, rank: int) -> int:
        """Give the attribute ``axis``, counted from the front."""
        axis = int(self.attributes.get("axis", default))
        return axis + rank if axis < 0 else axis

    def result(self, tensor: Any, *, nonnegative: bool = False) -> Value:
        """Make a value whose axes are stored in ONNX's order."""
        return Value(self.tf, tensor, nonnegative=nonnegative)

    def unsupported(self, reason: str) -> UnsupportedModelError:
        """Make the error for what can't be expressed."""
        name = self.proto.name or ", ".join(self.proto.output)
        return UnsupportedModelError(
            f"TensorFlow's export lacks the operator {self.operator} as node {name!r} uses it: "
            f"{reason}",
            (self.operator,),
        )


def aligned(values: Sequence[Value]) -> tuple[list[Any], bool]:
    """Give tensors and arrays that broadcast together, and whether they are N H W C."""
    if any(value.channels_last for value in values) and all(value.rank <= 4 for value in values):
        return [value.last for value in values], True
    return [value.plain for value in values], False
