"""Bodies of HTTP requests and answers: a JSON header, then tensors in binary.

Source: Open Inference Protocol, REST, with its binary tensor data extension.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.open_inference.datatypes import (
    BYTES,
    PLAIN,
    ProtocolError,
    array_of,
    bytes_of,
    datatype_of,
    dtype_of,
    element_count,
)

__all__ = ["BINARY_OUTPUT", "BINARY_TYPE", "HEADER_LENGTH", "JSON_TYPE", "Body", "pack", "unpack"]

HEADER_LENGTH = "Inference-Header-Content-Length"
"""Name of the HTTP header that says where the JSON ends and binary tensors begin."""
BINARY_TYPE, JSON_TYPE = "application/octet-stream", "application/json"
BINARY_OUTPUT = "binary_data_output"
_SIZE = "binary_data_size"
_Keys = tuple[tuple[str, np.dtype[Any], tuple[int, ...], int], ...]


@dataclass(frozen=True)
class Body:
    """What a body holds.

    tensors:
        Arrays by name, in their order.
    header:
        The other members of the JSON object, such as ``id`` and ``parameters``.
    """

    tensors: Mapping[str, NDArray[Any]]
    header: Mapping[str, Any] = field(default_factory=dict)


def pack(
    kind: str, body: Body, *, is_binary: bool = True
) -> tuple[bytes, list[bytes | memoryview]]:
    """Give the JSON of a body, and the bytes that follow it: a piece for each binary tensor.

    ``kind`` is ``inputs`` of a request or ``outputs`` of an answer.
    """
    if not is_binary:
        described = [_in_json(name, array) for name, array in body.tensors.items()]
        return _json({**body.header, kind: described}), []
    data = [bytes_of(array) for array in body.tensors.values()]
    keys = tuple(
        [
            (name, array.dtype, array.shape, len(piece))
            for (name, array), piece in zip(body.tensors.items(), data, strict=True)
        ]
    )
    header = tuple(body.header.items())
    try:
        return _json_of_binary(kind, keys, header), data
    except TypeError:  # A value that can't be a key.
        return _made_json(kind, keys, header), data


def _made_json(kind: str, keys: _Keys, header: tuple[tuple[str, Any], ...]) -> bytes:
    """Give the JSON before binary tensors."""
    described = [
        {
            "name": name,
            "shape": list(shape),
            "datatype": datatype_of(dtype),
            "parameters": {_SIZE: size},
        }
        for name, dtype, shape, size in keys
    ]
    return _json({**dict(header), kind: described})


# It is the same for all batches of a shape.
_json_of_binary = lru_cache(512)(_made_json)


def _in_json(name: str, array: NDArray[Any]) -> dict[str, Any]:
    datatype = datatype_of(array.dtype)
    if datatype == "FP16":
        raise ProtocolError(f"{name} is FP16, which only goes in binary")
    values = array.ravel().tolist()
    if datatype == BYTES:
        values = [value if isinstance(value, str) else value.decode("utf-8") for value in values]
    return {"name": name, "shape": list(array.shape), "datatype": datatype, "data": values}


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("utf-8")


def unpack(kind: str, data: bytes, json_bytes: int | None = None) -> Body:
    """Read a body; its arrays are views of ``data`` where they came in binary.

    ``json_bytes`` is how long the JSON is; ``None`` if there is nothing else. Raises
    `ProtocolError` for anything malformed.
    """
    end = len(data) if json_bytes is None else json_bytes
    if not 0 <= end <= len(data):
        raise ProtocolError(f"{HEADER_LENGTH} is {end}, but {len(data):,} bytes came")
    text = data[:end]
    read = _kept_header if len(text) <= _KEPT_JSON_BYTES else _read_header
    header, layout = read(kind, text)
    tensors: dict[str, NDArray[Any]] = {}
    place = end
    for entry in layout:
        if entry.size is None:
            tensors[entry.name] = _from_json(entry)
            continue
        if place + entry.size > len(data):
            behind = place + entry.size - len(data)
            raise ProtocolError(f"{entry.name} ends {behind:,} bytes behind the body")
        if entry.dtype is not None and entry.count:
            flat = np.frombuffer(data, entry.dtype, entry.count, place)
            tensors[entry.name] = flat.reshape(entry.shape)
        else:
            piece = memoryview(data)[place : place + entry.size]
            tensors[entry.name] = array_of(piece, entry.datatype, entry.shape)
        place += entry.size
    if place != len(data):
        raise ProtocolError(f"{len(data) - place:,} bytes are left over behind the tensors")
    return Body(tensors, header)


@dataclass(frozen=True)
class _Entry:
    """What the JSON says of a tensor.

    size:
        Its bytes behind the JSON; ``None`` where ``data`` are within it.
    dtype:
        Where the bytes are known to fit it.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    count: int
    size: int | None
    dtype: np.dtype[Any] | None
    data: Any


_Header = tuple[Mapping[str, Any], tuple[_Entry, ...]]
_KEPT_JSON_BYTES = 1024


def _read_header(kind: str, text: bytes) -> _Header:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"the body is not JSON: {error}") from None
    found = header.pop(kind, None) if isinstance(header, dict) else None
    if not isinstance(found, list) or not found:
        raise ProtocolError(f"the body has no list of {kind}")
    entries = tuple(_entry(kind, tensor) for tensor in found)
    if len({entry.name for entry in entries}) < len(entries):
        raise ProtocolError(f"two of the {kind} have the same name")
    return header, entries


# That of binary tensors is the same for all batches of a shape.
_kept_header = lru_cache(256)(_read_header)


def _entry(kind: str, tensor: Any) -> _Entry:
    if not isinstance(tensor, dict):
        raise ProtocolError(f"one of the {kind} is not a tensor: {str(tensor)[:80]}")
    name, datatype, shape = (tensor.get(key) for key in ("name", "datatype", "shape"))
    if not (isinstance(name, str) and isinstance(datatype, str) and isinstance(shape, list)):
        raise ProtocolError(f"one of the {kind} lacks its name, datatype or shape")
    count = element_count(shape)
    parameters = tensor.get("parameters")
    size = parameters.get(_SIZE) if isinstance(parameters, dict) else None
    if size is not None and (type(size) is not int or size < 0):
        raise ProtocolError(f"{_SIZE} of {name} is {size!r}, which is not a number of bytes")
    if size is None and "data" not in tensor:
        raise ProtocolError(f"{name} has neither data nor {_SIZE}")
    dtype = None
    if size is not None and datatype in PLAIN and count * PLAIN[datatype].itemsize == size:
        dtype = PLAIN[datatype]
    return _Entry(name, datatype, tuple(shape), count, size, dtype, tensor.get("data"))


def _from_json(entry: _Entry) -> NDArray[Any]:
    """Read a tensor that came as a list, flat or nested."""
    name, datatype, shape, data = entry.name, entry.datatype, entry.shape, entry.data
    dtype = dtype_of(datatype)
    try:
        if datatype == BYTES:
            flat = [text.encode("utf-8") for text in np.ravel(np.array(data, object)).tolist()]
            return np.array(flat, object).reshape(shape)
        kind = np.array(data).dtype.kind
        if kind not in ("b" if datatype == "BOOL" else "iuf"):
            raise ValueError("numbers are needed")  # noqa: TRY301
        # Made from the list: by way of a float, large integers would be rounded.
        return np.array(data, dtype).reshape(shape)
    except (ValueError, TypeError, OverflowError, AttributeError) as error:
        raise ProtocolError(
            f"the data of {name} aren't {datatype} {list(shape)}: {error}"
        ) from None
