"""Option: what one side of a comparison is, from a few words to a run request."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from inferometer.backends import (
    NUMBER_FORMATS,
    backend_names,
    computed_format,
    stored_format,
)
from inferometer.loadgen import InferometerError, nearest_name
from inferometer.runs import SERVING_KINDS, RunRequest
from inferometer.tuning import read_tuned_file, with_tuned
from inferometer.workloads import workload_names

__all__ = [
    "Option",
    "OptionError",
    "option_of",
    "parse_option",
    "with_labels",
    "with_option",
]

_BACKEND, _FORMAT, _NAME, _WORKLOAD = "backend", "number-format", "name", "workload"
_PYTHON = ".py:"
_BACKEND_OPTION, _WORKLOAD_OPTION = "option.", "workload."


class OptionError(InferometerError):
    """The words of an option can't be understood."""


@dataclass(frozen=True)
class Option:
    """One side of a comparison: what it is called, and in what it differs from the usual."""

    label: str
    words: Mapping[str, str]


def parse_option(text: str) -> Option:
    """Read an option: words that are separated by spaces or commas.

    A word is a backend (``openvino``), one with its number format (``onnxruntime:int8``), a
    number format, a workload, or ``name=value``. Raises `OptionError` that says what is known.
    """
    words: dict[str, str] = {}
    for word in _split(text):
        for name, value in _named(word):
            if name in words:
                raise OptionError(f"option {text!r} gives {name} twice")
            words[name] = value
    if not words:
        raise OptionError("an option is empty; give a backend, such as onnxruntime:int8")
    return option_of(words, f"option {text!r}")


def option_of(words: Mapping[str, str], where: str) -> Option:
    """Give the option of some words by their names; raise `OptionError` that begins with where."""
    words = dict(words)
    label = words.pop(_NAME, "") or _label(words)
    for name, value in words.items():
        if name not in _CHANGES and not name.startswith((_BACKEND_OPTION, _WORKLOAD_OPTION)):
            hint = nearest_name(name, _CHANGES)
            raise OptionError(
                f"{where}: there is no {name!r}{hint}; known: {', '.join(_CHANGES)}, "
                f"{_NAME}, {_BACKEND_OPTION}NAME (of the backend), {_WORKLOAD_OPTION}NAME"
            )
        if name == _FORMAT and value not in NUMBER_FORMATS:
            raise OptionError(
                f"{where}: there is no number format {value!r}; known: {', '.join(NUMBER_FORMATS)}"
            )
    return Option(label, words)


def _split(text: str) -> list[str]:
    try:
        return [part for word in shlex.split(text) for part in word.split(",") if part]
    except ValueError as error:
        raise OptionError(f"option {text!r}: {error}") from error


def _named(word: str) -> list[tuple[str, str]]:
    """Give names with values; a bare word says what it is by being known."""
    name, equals, value = word.partition("=")
    if equals and name.startswith((_BACKEND_OPTION, _WORKLOAD_OPTION)):
        return [(name, value)]
    if equals:
        name = name.strip().replace("_", "-").lower()
        name = {"format": _FORMAT, "batch": "max-batch"}.get(name, name)
        return _backend_words(value.strip()) if name == _BACKEND else [(name, value.strip())]
    if word in NUMBER_FORMATS:
        return [(_FORMAT, word)]
    if word.partition(":")[0] in backend_names():
        return _backend_words(word)
    if word in workload_names():
        return [(_WORKLOAD, word)]
    hint = nearest_name(word, [*backend_names(), *workload_names()])
    raise OptionError(
        f"{word!r} is no run folder, backend, number format or workload{hint}; write such as "
        "onnxruntime, onnxruntime:int8, openvino,threads=2 or model=FILE"
    )


def _backend_words(text: str) -> list[tuple[str, str]]:
    """Take a backend and the number format behind its colon apart."""
    backend, colon, number_format = text.partition(":")
    return [(_BACKEND, backend), *([(_FORMAT, number_format)] if colon else [])]


def _label(words: Mapping[str, str]) -> str:
    """Say an option in as few words as tell it."""
    bare = [words[name] for name in (_WORKLOAD, _BACKEND, _FORMAT) if name in words]
    others = [
        f"{name} {Path(value).name if name in ('model', 'tuned') else value}"
        for name, value in words.items()
        if name not in (_WORKLOAD, _BACKEND, _FORMAT)
    ]
    return " ".join([*bare, *others])


def with_labels(options: list[Option]) -> list[Option]:
    """Give the options with labels that tell them apart: a number where they are the same."""
    found: list[Option] = []
    for option in options:
        label, number = option.label, 1
        while label in {one.label for one in found}:
            number += 1
            label = f"{option.label} ({number})"
        found.append(Option(label, option.words))
    return found


def with_option(request: RunRequest, option: Option) -> RunRequest:
    """Give a request as the option changes it; raise `OptionError` for a wrong value."""
    words = option.words
    for name, value in words.items():
        try:
            request = _changed(request, name, value)
        except ValueError as error:
            raise OptionError(f"option {option.label!r}: {name} is {value!r} ({error})") from error
    if "tuned" in words:
        explicit = [name.replace("-", "_") for name in words]
        request = with_tuned(request, read_tuned_file(Path(words["tuned"])), explicit)
    return request


def _changed(request: RunRequest, name: str, value: str) -> RunRequest:
    if name.startswith(_BACKEND_OPTION):
        extra = {**request.backend_options.extra, name.removeprefix(_BACKEND_OPTION): value}
        return _backend(request, extra=extra)
    if name.startswith(_WORKLOAD_OPTION):
        extra = {**request.workload_options.extra, name.removeprefix(_WORKLOAD_OPTION): value}
        return _workload(request, extra=extra)
    return _CHANGES[name](request, value)


def _backend(request: RunRequest, **changes: object) -> RunRequest:
    options = dataclasses.replace(request.backend_options, **changes)  # type: ignore[arg-type]
    return dataclasses.replace(request, backend_options=options)


def _workload(request: RunRequest, **changes: object) -> RunRequest:
    options = dataclasses.replace(request.workload_options, **changes)  # type: ignore[arg-type]
    return dataclasses.replace(request, workload_options=options)


def _serving(request: RunRequest, **changes: object) -> RunRequest:
    options = dataclasses.replace(request.serving, **changes)  # type: ignore[arg-type]
    return dataclasses.replace(request, serving=options)


def _number_format(request: RunRequest, value: str) -> RunRequest:
    request = _workload(request, number_format=stored_format(value))
    return _backend(request, precision=computed_format(value))


def _model(request: RunRequest, value: str) -> RunRequest:
    if _PYTHON in value:
        request = dataclasses.replace(request, backend="python")
    return _workload(request, model=Path(value))


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError("expected 1 or more")
    return number


def _wait_ms(text: str) -> float:
    wait = float(text)
    if not 0 <= wait < float("inf"):
        raise ValueError("expected milliseconds, 0 or more")
    return wait


def _serving_kind(text: str) -> str:
    if text not in SERVING_KINDS:
        raise ValueError(f"known: {', '.join(SERVING_KINDS)}")
    return text


_CHANGES: Mapping[str, Callable[[RunRequest, str], RunRequest]] = {
    _WORKLOAD: lambda request, value: dataclasses.replace(request, workload=value),
    "model": _model,
    _BACKEND: lambda request, value: dataclasses.replace(request, backend=value),
    _FORMAT: _number_format,
    "device": lambda request, value: _backend(request, device=value),
    "threads": lambda request, value: _backend(request, threads=_count(value)),
    "serving": lambda request, value: _serving(request, kind=_serving_kind(value)),
    "workers": lambda request, value: _serving(request, workers=_count(value)),
    "max-batch": lambda request, value: _serving(request, max_batch_size=_count(value)),
    "max-wait-ms": lambda request, value: _serving(request, max_wait_ms=_wait_ms(value)),
    "weights": lambda request, value: _workload(request, weights=value),
    "tuned": lambda request, _: request,
}
"""What an option can change, by name, in the order in which it is said."""
