"""Option: one combination of settings of a system, and the request that measures it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inferometer.loadgen import InferometerError, nearest_name
from inferometer.runs import RunRequest

__all__ = ["AXES", "Option", "SweepError", "check_value"]

_PLAIN = ("backend", "number_format")
"""Axes whose values speak for themselves in an option's name."""


class SweepError(InferometerError):
    """A matrix can't be read or run; the message names the file, the place and the remedy."""


@dataclass(frozen=True)
class _Axis:
    """Something that a matrix varies: the values it takes, and what they change."""

    kind: type
    apply: Callable[[RunRequest, Any], RunRequest]
    words: tuple[str, ...] = ()
    least: float = 0


def _backend(request: RunRequest, value: Any) -> RunRequest:
    return dataclasses.replace(request, backend=value)


def _backend_option(name: str) -> Callable[[RunRequest, Any], RunRequest]:
    def apply(request: RunRequest, value: Any) -> RunRequest:
        options = dataclasses.replace(request.backend_options, **{name: value})
        return dataclasses.replace(request, backend_options=options)

    return apply


def _serving(name: str) -> Callable[[RunRequest, Any], RunRequest]:
    def apply(request: RunRequest, value: Any) -> RunRequest:
        serving = dataclasses.replace(request.serving, **{name: value})
        return dataclasses.replace(request, serving=serving)

    return apply


def _workload_option(name: str) -> Callable[[RunRequest, Any], RunRequest]:
    def apply(request: RunRequest, value: Any) -> RunRequest:
        changes: dict[str, Any] = {name: Path(value) if name == "model" else value}
        options = dataclasses.replace(request.workload_options, **changes)
        return dataclasses.replace(request, workload_options=options)

    return apply


def _number_format(request: RunRequest, value: Any) -> RunRequest:
    """Set the number format; what floats are left in an int8 model are fp32."""
    stored = "int8" if value == "int8" else "fp32"
    computed = "fp32" if value == "int8" else value
    request = _workload_option("number_format")(request, stored)
    return _backend_option("precision")(request, computed)


AXES: Mapping[str, _Axis] = {
    "backend": _Axis(str, _backend),
    "device": _Axis(str, _backend_option("device")),
    "max_batch": _Axis(int, _serving("max_batch_size"), least=1),
    "max_wait_ms": _Axis(float, _serving("max_wait_ms")),
    "model": _Axis(str, _workload_option("model")),
    "number_format": _Axis(str, _number_format, ("fp32", "bf16", "fp16", "int8")),
    "serving": _Axis(str, _serving("kind"), ("inline", "pool", "queue-runner")),
    "threads": _Axis(int, _backend_option("threads"), least=1),
    "weights": _Axis(str, _workload_option("weights"), ("published", "random")),
    "workers": _Axis(int, _serving("workers"), least=1),
}
"""What a matrix may vary, by the names of `inferometer run`'s options."""


def check_value(name: str, value: Any, where: str) -> Any:
    """Give a value of an axis as it is used; raise `SweepError` for one that it doesn't take."""
    axis = AXES.get(name)
    if axis is None:
        raise SweepError(
            f"{where}: there is no option {name!r}{nearest_name(name, AXES)}; known: "
            f"{', '.join(AXES)}"
        )
    if not _is_of_kind(value, axis.kind):
        kind = {int: "whole numbers", float: "numbers", str: "texts"}[axis.kind]
        raise SweepError(f"{where} holds {value!r}; {name} takes {kind}")
    if isinstance(value, int | float) and value < axis.least:
        raise SweepError(f"{where} holds {value}; {name} takes {axis.least:g} or more")
    if axis.words and value not in axis.words:
        raise SweepError(
            f"{where} holds {value!r}{nearest_name(str(value), axis.words)}; {name} takes "
            f"{', '.join(axis.words)}"
        )
    return value


def _is_of_kind(value: Any, kind: type) -> bool:
    takes = (int, float) if kind is float else kind
    # True is a number to Python, but not to whoever writes the file.
    return isinstance(value, takes) and not isinstance(value, bool)


@dataclass(frozen=True)
class Option:
    """One combination: a value for each axis that the matrix varies, in its order."""

    values: tuple[tuple[str, Any], ...]

    @property
    def name(self) -> str:
        """What it is called in tables, such as ``openvino int8 threads=2``."""
        parts = []
        for key, value in self.values:
            shown = Path(value).name if key == "model" else value
            parts.append(str(shown) if key in _PLAIN else f"{key}={shown}")
        return " ".join(parts) or "as it is"

    @property
    def place(self) -> str:
        """The name of its folder: nothing in it but letters, digits, ``.``, ``-``, ``=``, ``_``."""
        return "".join(c if c.isalnum() or c in ".-=" else "_" for c in self.name)

    def applied(self, request: RunRequest) -> RunRequest:
        """Give the request that measures this combination."""
        for name, value in self.values:
            request = AXES[name].apply(request, value)
        return request
