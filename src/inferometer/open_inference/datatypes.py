"""Datatypes of the protocol, and tensors as they lie in binary: little-endian, row-major."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import InferometerError

__all__ = [
    "BYTES",
    "PLAIN",
    "ProtocolError",
    "TensorSpec",
    "array_of",
    "bytes_of",
    "datatype_of",
    "dtype_of",
]

BYTES = "BYTES"
_BF16 = "BF16"
_LENGTH = struct.Struct("<I")
PLAIN: dict[str, np.dtype[Any]] = {
    "BOOL": np.dtype("?"),
    "UINT8": np.dtype("u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype("i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
}
"""Datatypes whose elements are all of one size."""

_DTYPES: dict[str, np.dtype[Any]] = {**PLAIN, BYTES: np.dtype(object)}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}
_LARGEST_RANK = 32


class ProtocolError(InferometerError):
    """A message isn't one of the Open Inference Protocol; it says what is wrong with it."""


@dataclass(frozen=True)
class TensorSpec:
    """What is known of a model's input or output: shape with -1 for open axes, datatype."""

    name: str
    datatype: str
    shape: tuple[int, ...]

    def to_mapping(self) -> dict[str, Any]:
        """Give it as the metadata of a model has it."""
        return {"name": self.name, "datatype": self.datatype, "shape": list(self.shape)}


def datatype_of(dtype: np.dtype[Any]) -> str:
    """Give the protocol's name of a NumPy type; raise `ProtocolError` if it has none."""
    found = _NAMES.get(dtype)
    if found is None:
        found = BYTES if dtype.kind in "SU" else _NAMES.get(dtype.newbyteorder("<"))
    if found is None:
        raise ProtocolError(f"arrays of {dtype} can't be sent; it takes {', '.join(_DTYPES)}")
    return found


def dtype_of(datatype: str) -> np.dtype[Any]:
    """Give the NumPy type of a datatype; raise `ProtocolError` for an unknown one."""
    if datatype not in _DTYPES:
        raise ProtocolError(f"there is no datatype {datatype!r}; known: {', '.join(_DTYPES)}")
    return _DTYPES[datatype]


def bytes_of(array: NDArray[Any]) -> bytes | memoryview:
    """Give a tensor's bytes, without a copy where it lies so already."""
    dtype = array.dtype
    if dtype.kind in "OSU":
        return b"".join(map(_element, array.ravel().tolist()))
    if dtype not in _NAMES:
        array = array.astype(dtype.newbyteorder("<"))
    if not array.flags.c_contiguous:
        array = np.ascontiguousarray(array)
    # An empty array's memory can't be cast.
    return array.data.cast("B") if array.size else b""


def array_of(data: bytes | memoryview, datatype: str, shape: Sequence[int]) -> NDArray[Any]:
    """Read a tensor from its bytes, without a copy; BF16 becomes float32, BYTES objects.

    Raises `ProtocolError` where bytes, datatype and shape don't fit each other.
    """
    count = element_count(shape)
    if datatype == BYTES:
        return _elements(data, count).reshape(shape)
    dtype = np.dtype("<u2") if datatype == _BF16 else dtype_of(datatype)
    if len(data) != count * dtype.itemsize:
        raise ProtocolError(
            f"{len(data):,} bytes came for a tensor of {datatype} {list(shape)}, which takes "
            f"{count * dtype.itemsize:,}"
        )
    found: NDArray[Any] = np.frombuffer(data, dtype).reshape(shape)
    if datatype == _BF16:
        # bfloat16 is the upper half of a float32.
        return (found.astype("<u4") << 16).view("<f4")
    return found


def element_count(shape: Sequence[int]) -> int:
    """Give how many elements a shape has; raise `ProtocolError` for what is none."""
    if len(shape) > _LARGEST_RANK or not all(
        type(size) is int and 0 <= size < 1 << 40 for size in shape
    ):
        raise ProtocolError(f"{str(list(shape))[:80]} is not the shape of a tensor")
    return math.prod(shape)


def _element(value: Any) -> bytes:
    data = value.encode("utf-8") if isinstance(value, str) else bytes(value)
    return _LENGTH.pack(len(data)) + data


def _elements(data: bytes | memoryview, count: int) -> NDArray[Any]:
    """Read elements of any length, each behind its length in 4 bytes."""
    if count * _LENGTH.size > len(data):
        raise ProtocolError(f"{len(data):,} bytes can't hold {count:,} elements of BYTES")
    found, place = np.empty(count, object), 0
    for number in range(count):
        if place + _LENGTH.size > len(data):
            raise ProtocolError("a tensor of BYTES ends within an element")
        (size,) = _LENGTH.unpack_from(data, place)
        place += _LENGTH.size
        if place + size > len(data):
            raise ProtocolError("a tensor of BYTES ends within an element")
        found[number] = bytes(data[place : place + size])
        place += size
    if place != len(data):
        raise ProtocolError(f"{len(data) - place:,} bytes are left over behind a tensor of BYTES")
    return found
