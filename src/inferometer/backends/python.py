"""Python functions as models: whatever runs behind one is measured through the same seam."""

from __future__ import annotations

import importlib.util
import inspect
import platform
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends.model_file import checked_path
from inferometer.backends.options import check_options
from inferometer.backends.protocol import BackendError, BackendOptions, ModelFile
from inferometer.loadgen import nearest_name

__all__ = ["PythonBackend", "function_of"]

_FORMAT = "python"
_MODULE = "inferometer_user_model"


class PythonBackend:
    """Runs a function of a Python file, given as ``FILE.py:FUNCTION``.

    The function takes the model's inputs as NumPy arrays, batch axis first, in the order of
    its parameters, and gives one array or a list of them. It is called from several threads
    at once.
    """

    name = "python"
    formats: tuple[str, ...] = (_FORMAT,)
    precisions: tuple[str, ...] = ("fp32",)
    layout = "NCHW"

    def version(self) -> str:
        """Give the version of Python."""
        return platform.python_version()

    def devices(self) -> tuple[str, ...]:
        """Give the one device; what the function uses is its own affair."""
        return ("cpu",)

    def load(self, model: ModelFile, options: BackendOptions) -> PythonSession:
        """Import the file and find the function."""
        check_options(self, options, ())
        path = checked_path(model, self.formats, self.name)
        function = function_of(path, model.member)
        return PythonSession(function, f"{path.name}:{model.member}")


class PythonSession:
    """A function as a model; the names of its inputs are those of its parameters."""

    def __init__(self, function: Callable[..., Any], name: str):
        self._function = function
        self._name = name
        self.input_names = _parameters_of(function)
        self.output_names = ("output",)
        self.description: Mapping[str, Any] = {
            "framework": "Python function",
            "version": platform.python_version(),
            "device": "cpu",
            "precision": "the function's own",
            "function": name,
        }

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Call the function with the arrays, in their order."""
        found = self._function(*inputs.values())
        outputs = list(found) if isinstance(found, list | tuple) else [found]
        arrays = [np.asarray(output) for output in outputs]
        count = len(next(iter(inputs.values())))
        for array in arrays:
            if array.ndim == 0 or len(array) != count:
                raise BackendError(
                    f"{self._name} gave an output of shape {array.shape} for {count} samples; "
                    "its first axis has to run over the samples"
                )
        return arrays

    def close(self) -> None:
        """Do nothing: the function stays."""


def function_of(path: Any, name: str) -> Callable[..., Any]:
    """Import a user's file and give a function of it; raise `BackendError` if it has none."""
    if not name:
        raise BackendError(f"{path}: say which function is the model: {path}:FUNCTION")
    spec = importlib.util.spec_from_file_location(f"{_MODULE}_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    beside = str(path.resolve().parent)
    if beside not in sys.path:
        sys.path.insert(0, beside)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise BackendError(f"{path} can't be imported: {error!r}") from error
    function = getattr(module, name, None)
    if not callable(function):
        known = [key for key, value in vars(module).items() if callable(value) and key[0] != "_"]
        hint = nearest_name(name, known)
        raise BackendError(f"{path} has no function {name!r}{hint}")
    found: Callable[..., Any] = function
    return found


def _parameters_of(function: Callable[..., Any]) -> tuple[str, ...]:
    try:
        return tuple(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return ("input",)
