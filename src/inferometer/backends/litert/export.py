"""Export to TensorFlow Lite: from PyTorch, or through TensorFlow where axes stay open."""

from __future__ import annotations

import contextlib
import importlib
import io
import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends.installed import installed_version, missing
from inferometer.backends.litert.file import name_ports, open_batch
from inferometer.backends.native_output import native_output_dropped
from inferometer.backends.protocol import (
    Exporter,
    MissingBackendError,
    SourceModel,
    UnsupportedModelError,
)
from inferometer.loadgen import write_atomically

__all__ = ["export_versions", "write_tflite"]

_EXTRA = "litert"
_PACKAGES = ("litert-torch", "litert-converter", "ai-edge-litert")
_TENSORFLOW = "inferometer.backends.tensorflow.backend"
_BATCH_AXIS = 0
_NEAR = 1e-4
_TORCH_OPERATOR = re.compile(r"\b(?:aten|torchvision|prims)\.\w+(?:\.\w+)?")
_TENSORFLOW_OPERATOR = re.compile(r"\btf\.([A-Z]\w+)")

_Arrays = list[NDArray[Any]]


def export_versions() -> Mapping[str, str]:
    """Give the packages that convert; raise `MissingBackendError` if one isn't there.

    TensorFlow's are among them if it is there; only models with several open axes need it.
    """
    found = {
        name: installed_version("The converter of LiteRT", (name,), _EXTRA) for name in _PACKAGES
    }
    with contextlib.suppress(MissingBackendError):
        found |= _tensorflow_exporter().export_versions()
    return found


def write_tflite(source: SourceModel, path: Path) -> None:
    """Write a model as a .tflite file whose ports have the source's names and order.

    A batch of any size goes into it, unless the model itself fixes one sample a call. Raises
    `UnsupportedModelError` naming the operators that TensorFlow Lite lacks.
    """
    if any(set(axes) - {_BATCH_AXIS} for axes in source.dynamic.values()):
        content = _through_tensorflow(source)
    else:
        content = _from_torch(source)
    write_atomically(path, name_ports(content, source.input_names, source.output_names))


def _from_torch(source: SourceModel) -> bytes:
    """Convert for the batch of the examples and open it, or for one sample a call.

    PyTorch's own open axes can't be used: the converter doesn't pad photos of open batch.
    """
    examples = [source.examples[name] for name in source.input_names]
    batch = len(examples[0])
    opened = open_batch(_converted(source, examples), batch)
    others = [np.concatenate([array, array[:1]]) for array in examples]
    if _same_answers(source, opened, others):
        return opened
    return _converted(source, [array[:1] for array in examples])


def _converted(source: SourceModel, examples: _Arrays) -> bytes:
    torch = importlib.import_module("torch")
    with _quiet():
        try:
            litert_torch = importlib.import_module("litert_torch")
        except ImportError as error:
            raise missing("The converter of LiteRT (litert-torch)", _EXTRA) from error
        try:
            found = litert_torch.convert(
                source.module, tuple(torch.from_numpy(array) for array in examples)
            )
            content: bytes = found.model_content()
        except Exception as error:
            raise _unsupported(source, error, _TORCH_OPERATOR) from error
    return content


def _same_answers(source: SourceModel, content: bytes, examples: _Arrays) -> bool:
    """Tell whether a file gives what the module gives, for another batch than it was made of."""
    torch = importlib.import_module("torch")
    interpreters = importlib.import_module("ai_edge_litert.interpreter")
    with torch.inference_mode():
        expected = source.module(*(torch.from_numpy(array) for array in examples))
    if not isinstance(expected, tuple | list):
        expected = (expected,)
    try:
        interpreter = interpreters.Interpreter(
            model_content=name_ports(content, source.input_names, source.output_names)
        )
        inputs = interpreter.get_input_details()
        for port, array in zip(inputs, examples, strict=True):
            interpreter.resize_tensor_input(port["index"], array.shape)
        interpreter.allocate_tensors()
        for port, array in zip(inputs, examples, strict=True):
            interpreter.set_tensor(port["index"], array.astype(port["dtype"]))
        interpreter.invoke()
        found = [interpreter.get_tensor(p["index"]) for p in interpreter.get_output_details()]
    except (RuntimeError, ValueError):
        return False
    return len(found) == len(expected) and all(
        one.shape == tuple(other.shape) and _near(one, other.numpy())
        for one, other in zip(found, expected, strict=True)
    )


def _near(found: NDArray[Any], expected: NDArray[Any]) -> bool:
    largest = float(np.abs(expected).max(initial=0))
    return bool(np.allclose(found, expected, rtol=_NEAR, atol=_NEAR * largest))


def _through_tensorflow(source: SourceModel) -> bytes:
    """Convert the SavedModel of the same model, with the operators built into LiteRT."""
    exporter = _tensorflow_exporter()
    exporter.export_versions()
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "saved_model"
        exporter.export(source, saved)
        with _quiet():
            tensorflow = importlib.import_module("tensorflow")
            converter = tensorflow.lite.TFLiteConverter.from_saved_model(str(saved))
            converter.target_spec.supported_ops = [tensorflow.lite.OpsSet.TFLITE_BUILTINS]
            try:
                content: bytes = converter.convert()
            except Exception as error:
                raise _unsupported(source, error, _TENSORFLOW_OPERATOR) from error
    return content


def _tensorflow_exporter() -> Exporter:
    exporter: Exporter = importlib.import_module(_TENSORFLOW).TensorFlowBackend()
    return exporter


def _unsupported(
    source: SourceModel, error: Exception, operator: re.Pattern[str]
) -> UnsupportedModelError:
    operators = tuple(sorted(set(operator.findall(str(error)))))
    first_line = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    reason = f"it lacks {', '.join(operators)}" if operators else first_line
    return UnsupportedModelError(
        f"{source.name} can't be expressed in TensorFlow Lite: {reason}", operators
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the converters' progress and warnings, also of importing them, off the terminal."""
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        native_output_dropped(),
    ):
        warnings.simplefilter("ignore")
        yield
