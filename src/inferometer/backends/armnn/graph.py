"""Graph of a TensorFlow Lite file as Arm NN's parser sees it: operators and ports.

The fields have their numbers by the schema of TensorFlow Lite, version 3; tables lie as
FlatBuffers lays them.
"""

from __future__ import annotations

import importlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inferometer.backends.litert.ports import Port
from inferometer.backends.protocol import BackendError, UnsupportedModelError

__all__ = ["TfliteGraph", "check_operators", "read_graph"]

_IDENTIFIER = b"TFL3"
_CUSTOM = 32
_KNOWN_CUSTOM = "TFLite_Detection_PostProcess"
_LARGEST_OLD_NUMBER = 127
_DENSE, _TRANSPOSED = 9, 67
_WITH_WEIGHTS = (3, 4, _DENSE, _TRANSPOSED)
# Those of the builtin operators for which Arm NN 20.08 has a parsing function.
_KNOWN = frozenset((
    0, 1, 2, 3, 4, 6, 9, 11, 14, 17, 18, 19, 21, 22, 23, 25, 28, 34, 37, 38, 39, 40, 41, 42, 43,
    45, 47, 49, 55, 57, 59, 65, 67, 83, 88, 97, 98, 102, 114, 117,
))  # fmt: skip
_TYPES = {
    0: "float32",
    1: "float16",
    2: "int32",
    3: "uint8",
    4: "int64",
    6: "bool",
    7: "int16",
    9: "int8",
    10: "float64",
}
_PRECISIONS = {"float32": "fp32", "float16": "fp16", "uint8": "int8"}
_ONE_GRAPH = 1


@dataclass(frozen=True)
class TfliteGraph:
    """What a file holds.

    operators:
        Number and custom name of each kind of operator.
    precision:
        What its layers with weights take in, several joined by ``+``.
    unfit:
        Quantised layers that abort the process of Arm NN 20.08, in words.
    """

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    operators: frozenset[tuple[int, str]]
    precision: str
    unfit: frozenset[str]


def read_graph(path: Path) -> TfliteGraph:
    """Read a .tflite file; `BackendError` if it isn't one, or Arm NN would misread it."""
    content = path.read_bytes()
    if content[4:8] != _IDENTIFIER:
        raise BackendError(f"{path} isn't a TensorFlow Lite file")
    try:
        model = _Table(content, struct.unpack_from("<I", content)[0])
        return _graph(model, path)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise BackendError(f"{path} is damaged: {error}") from error


def check_operators(graph: TfliteGraph, path: Path) -> None:
    """Raise `UnsupportedModelError` for operators that the parser of Arm NN 20.08 lacks."""
    lacking = sorted(
        {
            custom if number == _CUSTOM else _operator_name(number)
            for number, custom in graph.operators
            if custom != _KNOWN_CUSTOM and number not in _KNOWN
        }
        | graph.unfit
    )
    remedy = "; quantise it with --tool litert-per-tensor" if graph.unfit else ""
    if lacking:
        raise UnsupportedModelError(
            f"{path} can't be expressed in Arm NN: its TensorFlow Lite parser (20.08) lacks "
            f"{', '.join(lacking)}{remedy}",
            tuple(lacking),
        )


class _Table:
    """A table of FlatBuffers: fields by number, each of which may be missing."""

    def __init__(self, content: bytes, place: int):
        self._content, self._place = content, place
        self._fields = place - self._unpack("i", place)

    def number(self, field: int, kind: str = "i", default: int = 0) -> int:
        place = self._at(field)
        return self._unpack(kind, place) if place else default

    def text(self, field: int) -> str:
        start, length = self._vector(field)
        return self._content[start : start + length].decode("utf-8")

    def numbers(self, field: int, kind: str = "i") -> tuple[int, ...]:
        start, length = self._vector(field)
        return struct.unpack_from(f"<{length}{kind}", self._content, start)

    def table(self, field: int) -> _Table | None:
        place = self._at(field)
        return _Table(self._content, place + self._unpack("I", place)) if place else None

    def tables(self, field: int) -> Iterator[_Table]:
        start, length = self._vector(field)
        for place in range(start, start + 4 * length, 4):
            yield _Table(self._content, place + self._unpack("I", place))

    def _at(self, field: int) -> int:
        """Give where a field's value lies; 0 if it is missing."""
        entry = 4 + 2 * field
        if entry >= self._unpack("H", self._fields):
            return 0
        offset = self._unpack("H", self._fields + entry)
        return self._place + offset if offset else 0

    def _vector(self, field: int) -> tuple[int, int]:
        place = self._at(field)
        if not place:
            return 0, 0
        start = place + self._unpack("I", place)
        return start + 4, self._unpack("I", start)

    def _unpack(self, kind: str, place: int) -> int:
        value: int = struct.unpack_from(f"<{kind}", self._content, place)[0]
        return value


def _graph(model: _Table, path: Path) -> TfliteGraph:
    kinds = [_kind(code, path) for code in model.tables(1)]
    graphs = list(model.tables(2))
    if len(graphs) != _ONE_GRAPH:
        raise UnsupportedModelError(
            f"{path} has {len(graphs)} graphs, as loops and conditions need them; Arm NN's "
            "parser takes one"
        )
    tensors = list(graphs[0].tables(0))
    inputs, outputs = graphs[0].numbers(1), graphs[0].numbers(2)
    names = _signature_names(model, inputs, outputs)
    operators = [(kinds[one.number(0, "I")], one) for one in graphs[0].tables(3)]
    layers = [
        _layer(kind[0], [tensors[tensor] for tensor in operator.numbers(1)])
        for kind, operator in operators
        if kind[0] in _WITH_WEIGHTS
    ]
    return TfliteGraph(
        tuple(_port(tensors[tensor], tensor, names) for tensor in inputs),
        tuple(_port(tensors[tensor], tensor, names) for tensor in outputs),
        frozenset(kind for kind, _ in operators),
        "+".join(sorted({precision for precision, _ in layers})) or "fp32",
        frozenset(words for _, words in layers if words),
    )


def _layer(number: int, inputs: Sequence[_Table]) -> tuple[str, str]:
    """Give what a layer takes in, and what of its weights doesn't fit."""
    # A transposed convolution begins with the shape of its output.
    source, weights = inputs[2 if number == _TRANSPOSED else 0], inputs[1]
    taken, stored = (_TYPES.get(tensor.number(1, "b"), "unknown") for tensor in (source, weights))
    scales = weights.table(4)
    words = ""
    if taken != stored:
        words = f"{_operator_name(number)} of {taken} with weights of {stored}"
    elif number == _DENSE and scales is not None and len(scales.numbers(2, "f")) > 1:
        words = f"{_operator_name(number)} with weights quantised per channel"
    return _PRECISIONS.get(taken, taken), words


def _kind(code: _Table, path: Path) -> tuple[int, str]:
    """Give an operator's number and custom name; Arm NN 20.08 reads its old number only."""
    old, new = code.number(0, "b"), code.number(3)
    if new and old != min(new, _LARGEST_OLD_NUMBER):
        raise BackendError(
            f"{path} has its operators' numbers only where readers since 2021 look; convert it "
            "again with a converter that also writes the deprecated numbers"
        )
    return max(old, new), code.text(1)


def _signature_names(
    model: _Table, inputs: tuple[int, ...], outputs: tuple[int, ...]
) -> dict[int, str]:
    """Give the names of the signature that has these ports; nothing if none has."""
    for signature in model.tables(7):
        named = {
            side: {port.number(1, "I"): port.text(0) for port in signature.tables(side)}
            for side in (0, 1)
        }
        if named[0].keys() == set(inputs) and named[1].keys() == set(outputs):
            return {**named[0], **named[1]}
    return {}


def _port(tensor: _Table, index: int, names: dict[int, str]) -> Port:
    number = tensor.number(1, "b")
    if number not in _TYPES:
        raise BackendError(f"{tensor.text(3)} is of type {number}, which Arm NN doesn't take")
    quantised = tensor.table(4)
    scales = quantised.numbers(2, "f") if quantised else ()
    zeros = quantised.numbers(3, "q") if quantised else ()
    return Port(
        names.get(index, tensor.text(3)),
        index,
        np.dtype(_TYPES[number]),
        tensor.numbers(0),
        float(scales[0]) if scales else 0.0,
        int(zeros[0]) if zeros else 0,
    )


def _operator_name(number: int) -> str:
    """Name an operator, for which the schema that comes with LiteRT is needed."""
    try:
        schema = importlib.import_module("ai_edge_litert.schema_py_generated")
    except ImportError:
        return f"operator {number}"
    names = {value: name for name, value in vars(schema.BuiltinOperator).items()}
    return str(names.get(number, f"operator {number}"))
