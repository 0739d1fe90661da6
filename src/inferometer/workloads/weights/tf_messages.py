"""TensorFlow's protocol-buffer messages, as far as weights need them, without TensorFlow.

Only the fields that are read are described; the others of a file are skipped.

Source: graph.proto, node_def.proto, attr_value.proto, tensor.proto, tensor_shape.proto and
tensor_bundle.proto of TensorFlow, whose field numbers never change.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.workloads.protocol import WorkloadError

__all__ = ["NUMERIC_TYPES", "parse_message", "shape_of", "tensor_value"]

NUMERIC_TYPES: Mapping[int, np.dtype[Any]] = {
    1: np.dtype("<f4"),
    2: np.dtype("<f8"),
    3: np.dtype("<i4"),
    4: np.dtype("u1"),
    5: np.dtype("<i2"),
    6: np.dtype("i1"),
    9: np.dtype("<i8"),
    10: np.dtype("?"),
    17: np.dtype("<u2"),
    19: np.dtype("<f2"),
}
"""NumPy types of the data types that weights have, by TensorFlow's number."""

_VALUE_FIELDS = {
    1: "float_val",
    2: "double_val",
    3: "int_val",
    4: "int_val",
    5: "int_val",
    6: "int_val",
    9: "int64_val",
    10: "bool_val",
    17: "int_val",
}
_MESSAGES: Mapping[str, str] = {
    "Dim": "1 int64 size",
    "Shape": "2 repeated Dim dim, 3 bool unknown_rank",
    "Tensor": (
        "1 int32 dtype, 2 Shape shape, 4 bytes content, 5 repeated float float_val, "
        "6 repeated double double_val, 7 repeated int32 int_val, 10 repeated int64 int64_val, "
        "11 repeated bool bool_val, 13 repeated int32 half_val"
    ),
    "Value": "8 Tensor tensor",
    "Attribute": "1 string key, 2 Value value",
    "Node": "1 string name, 2 string op, 3 repeated string input, 5 repeated Attribute attr",
    "Graph": "1 repeated Node node",
    "BundleHeader": "1 int32 num_shards, 2 int32 endianness",
    "BundleEntry": (
        "1 int32 dtype, 2 Shape shape, 3 int32 shard_id, 4 int64 offset, 5 int64 size, "
        "7 repeated bytes slices"
    ),
}
_PACKAGE = "inferometer.tensorflow"


def parse_message(kind: str, content: bytes, path: Path) -> Any:
    """Parse bytes of a file as a message; raise `WorkloadError` naming it if they are none."""
    decode_error, messages = _library()
    message = messages[kind]()
    try:
        message.ParseFromString(content)
    except decode_error as error:
        raise WorkloadError(
            f"{path} is damaged, or no TensorFlow file: no {kind} can be read from it"
        ) from error
    return message


def shape_of(shape: Any) -> tuple[int, ...]:
    """Give the sizes of a Shape message."""
    return tuple(dim.size for dim in shape.dim)


def tensor_value(tensor: Any, name: str, path: Path) -> NDArray[Any] | None:
    """Give the numbers of a Tensor message; ``None`` if it holds none, but texts or handles.

    The numbers stand in ``content``, or in the list of their type, where the last one is
    repeated until the tensor is full.
    """
    dtype = NUMERIC_TYPES.get(tensor.dtype)
    if dtype is None:
        return None
    shape = shape_of(tensor.shape)
    if tensor.content:
        values = np.frombuffer(tensor.content, np.uint8)
        if values.nbytes % dtype.itemsize == 0:
            values = values.view(dtype)
    elif dtype == np.float16:
        values = np.array(tensor.half_val, np.uint16).view(dtype)
    else:
        values = np.array(getattr(tensor, _VALUE_FIELDS[tensor.dtype]), dtype)
    count = int(np.prod(shape, dtype=np.int64))
    if 0 < len(values) < count and not tensor.content:
        values = np.concatenate([values, np.repeat(values[-1:], count - len(values))])
    if len(values) != count:
        raise WorkloadError(
            f"{path}: {name} has {len(values)} numbers for its shape {shape}; the file is damaged"
        )
    return values.reshape(shape)


@functools.cache
def _library() -> tuple[type[Exception], Mapping[str, Any]]:
    """Make the message classes, in a pool of their own beside a TensorFlow that may be there."""
    try:
        from google.protobuf import (  # type: ignore[import-untyped]  # noqa: PLC0415
            descriptor_pb2,
            descriptor_pool,
            message,
            message_factory,
        )
    except ImportError as error:
        raise WorkloadError(
            "reading TensorFlow files needs protobuf; install it with: "
            "pip install 'inferometer[export]'"
        ) from error
    file = descriptor_pb2.FileDescriptorProto(
        name="inferometer_tensorflow.proto", package=_PACKAGE, syntax="proto3"
    )
    for name, fields in _MESSAGES.items():
        described = file.message_type.add(name=name)
        for text in fields.split(", "):
            _describe(described.field.add(), text.split())
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    classes = {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))
        for name in _MESSAGES
    }
    return message.DecodeError, classes


def _describe(field: Any, words: list[str]) -> None:
    """Fill a field's description from its number, "repeated" if so, type and name."""
    number, *repeated, kind, name = words
    field.number, field.name = int(number), name
    field.label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
    if kind in _MESSAGES:
        field.type, field.type_name = field.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
    else:
        field.type = field.Type.Value(f"TYPE_{kind.upper()}")
