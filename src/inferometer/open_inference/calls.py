"""Calls over gRPC: arrays into the messages of an inference, and out of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.open_inference.datatypes import (
    BYTES,
    ProtocolError,
    array_of,
    bytes_of,
    datatype_of,
    dtype_of,
    element_count,
)
from inferometer.open_inference.messages import message_class

__all__ = ["fill", "infer_request", "read"]

_CONTENTS = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    BYTES: "bytes_contents",
}

Arrays = Mapping[str, NDArray[Any]]


def infer_request(model: str, version: str, inputs: Arrays) -> Any:
    """Make the request of an inference, its tensors in binary."""
    request = message_class("ModelInferRequest")(model_name=model, model_version=version)
    fill(request.inputs, request.raw_input_contents, inputs)
    return request


def fill(tensors: Any, raw: Any, arrays: Arrays) -> None:
    """Put arrays into the repeated fields of a message."""
    for name, array in arrays.items():
        tensors.add(name=name, datatype=datatype_of(array.dtype), shape=array.shape)
        raw.append(bytes(bytes_of(array)))


def read(tensors: Any, raw: Any) -> dict[str, NDArray[Any]]:
    """Give the arrays in the repeated fields of a message; raise `ProtocolError` if malformed."""
    if raw and len(raw) != len(tensors):
        raise ProtocolError(f"{len(raw)} raw contents came for {len(tensors)} tensors")
    found: dict[str, NDArray[Any]] = {}
    for number, tensor in enumerate(tensors):
        if tensor.name in found:
            raise ProtocolError(f"two tensors have the name {tensor.name!r}")
        shape = tuple(tensor.shape)
        if raw:
            found[tensor.name] = array_of(raw[number], tensor.datatype, shape)
        else:
            found[tensor.name] = _from_contents(tensor, shape)
    return found


def _from_contents(tensor: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    """Read a tensor from its typed contents."""
    field = _CONTENTS.get(tensor.datatype)
    if field is None:
        raise ProtocolError(f"{tensor.name} is {tensor.datatype}, which only goes raw")
    values = getattr(tensor.contents, field)
    if len(values) != element_count(shape):
        raise ProtocolError(
            f"{len(values):,} values came for {tensor.name}, which is {list(shape)}"
        )
    if tensor.datatype == BYTES:
        array = np.empty(len(values), object)
        array[:] = list(values)
        return array.reshape(shape)
    try:
        return np.array(list(values), dtype_of(tensor.datatype)).reshape(shape)
    except OverflowError as error:
        raise ProtocolError(f"the data of {tensor.name}: {error}") from None
