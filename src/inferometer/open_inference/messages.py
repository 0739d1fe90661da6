"""Messages of the protocol over gRPC, described by field and number.

They are built when they are first used, in a pool of their own, so that any release of
protobuf runs them and another package's messages of the same names are in nobody's way.

Source: Open Inference Protocol, gRPC, package ``inference``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

__all__ = ["METHODS", "SERVICE", "message_class"]

SERVICE = "inference.GRPCInferenceService"
METHODS = (
    "ServerLive",
    "ServerReady",
    "ModelReady",
    "ServerMetadata",
    "ModelMetadata",
    "ModelInfer",
)
"""The calls; each takes its name with ``Request`` and gives its name with ``Response``."""

_STR, _BOOL, _I64, _BYTES = "STRING", "BOOL", "INT64", "BYTES"
_MODEL = {"name": (1, _STR), "version": (2, _STR)}
_TENSOR = {
    "name": (1, _STR),
    "datatype": (2, _STR),
    "shape": (3, f"*{_I64}"),
    "parameters": (4, "{InferParameter"),
    "contents": (5, "InferTensorContents"),
}
_CONTENTS = ("BOOL", "INT32", "INT64", "UINT32", "UINT64", "FLOAT", "DOUBLE", "BYTES")
_NAMES = ("bool", "int", "int64", "uint", "uint64", "fp32", "fp64", "bytes")
# Types: a scalar's name or a message's; * is repeated, { a map from strings.
_MESSAGES: dict[str, dict[str, tuple[int, str]]] = {
    "ServerLiveRequest": {},
    "ServerLiveResponse": {"live": (1, _BOOL)},
    "ServerReadyRequest": {},
    "ServerReadyResponse": {"ready": (1, _BOOL)},
    "ModelReadyRequest": _MODEL,
    "ModelReadyResponse": {"ready": (1, _BOOL)},
    "ServerMetadataRequest": {},
    "ServerMetadataResponse": {
        "name": (1, _STR),
        "version": (2, _STR),
        "extensions": (3, f"*{_STR}"),
    },
    "ModelMetadataRequest": _MODEL,
    "TensorMetadata": {"name": (1, _STR), "datatype": (2, _STR), "shape": (3, f"*{_I64}")},
    "ModelMetadataResponse": {
        "name": (1, _STR),
        "versions": (2, f"*{_STR}"),
        "platform": (3, _STR),
        "inputs": (4, "*TensorMetadata"),
        "outputs": (5, "*TensorMetadata"),
    },
    "InferParameter": {
        "bool_param": (1, _BOOL),
        "int64_param": (2, _I64),
        "string_param": (3, _STR),
        "double_param": (4, "DOUBLE"),
        "uint64_param": (5, "UINT64"),
    },
    "InferTensorContents": {
        f"{name}_contents": (number, f"*{kind}")
        for number, (name, kind) in enumerate(zip(_NAMES, _CONTENTS, strict=True), 1)
    },
    "InferInputTensor": _TENSOR,
    "InferOutputTensor": _TENSOR,
    "InferRequestedOutputTensor": {"name": (1, _STR), "parameters": (2, "{InferParameter")},
    "ModelInferRequest": {
        "model_name": (1, _STR),
        "model_version": (2, _STR),
        "id": (3, _STR),
        "parameters": (4, "{InferParameter"),
        "inputs": (5, "*InferInputTensor"),
        "outputs": (6, "*InferRequestedOutputTensor"),
        "raw_input_contents": (7, f"*{_BYTES}"),
    },
    "ModelInferResponse": {
        "model_name": (1, _STR),
        "model_version": (2, _STR),
        "id": (3, _STR),
        "parameters": (4, "{InferParameter"),
        "outputs": (5, "*InferOutputTensor"),
        "raw_output_contents": (6, f"*{_BYTES}"),
    },
}
_PACKAGE = "inference"
_ONE_OF = "InferParameter"


def message_class(name: str) -> Any:
    """Give a message's class by name; raise `ImportError` without protobuf."""
    return _classes()[name]


@lru_cache(1)
def _classes() -> dict[str, Any]:
    from google.protobuf import (  # type: ignore[import-untyped]  # noqa: PLC0415
        descriptor_pb2,
        descriptor_pool,
        message_factory,
    )

    file = descriptor_pb2.FileDescriptorProto(
        name="inferometer/open_inference.proto", package=_PACKAGE, syntax="proto3"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        if name == _ONE_OF:
            message.oneof_decl.add(name="parameter_choice")
        for field, (number, kind) in fields.items():
            _add_field(message, field, number, kind)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))
        for name in _MESSAGES
    }


def _add_field(message: Any, name: str, number: int, kind: str) -> None:
    if kind.startswith("{"):
        entry = message.nested_type.add(name=f"{name.capitalize()}Entry")
        entry.options.map_entry = True
        _add_field(entry, "key", 1, _STR)
        _add_field(entry, "value", 2, kind[1:])
        kind = f"*{message.name}.{entry.name}"
    field = message.field.add(name=name, number=number)
    field.label = field.LABEL_REPEATED if kind.startswith("*") else field.LABEL_OPTIONAL
    plain = kind.lstrip("*")
    if hasattr(field, f"TYPE_{plain}"):
        field.type = getattr(field, f"TYPE_{plain}")
    else:
        field.type, field.type_name = field.TYPE_MESSAGE, f".{_PACKAGE}.{plain}"
    if message.name == _ONE_OF:
        field.oneof_index = 0
