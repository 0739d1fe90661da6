"""Files of PyTorch: the module itself, archives, TorchScript, and functions that make one."""

from __future__ import annotations

import inspect
import io
import pickle
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from inferometer.backends.protocol import BackendError, ModelFile, SourceModel
from inferometer.backends.python import function_of
from inferometer.loadgen import write_atomically

__all__ = ["LoadedModule", "read_module", "write_module"]

_KIND = "inferometer module"
_UNREADABLE = (
    RuntimeError,
    ValueError,
    OSError,
    EOFError,
    KeyError,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
)


@dataclass(frozen=True)
class LoadedModule:
    """A module with the names of its inputs and outputs, and example inputs if it has any."""

    module: Any
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    examples: Mapping[str, NDArray[Any]] = field(default_factory=dict)


def write_module(torch: Any, source: SourceModel, path: Path) -> None:
    """Write a module as PyTorch keeps it: its class by name, and its weights."""
    values = {
        "kind": _KIND,
        "module": source.module,
        "inputs": source.input_names,
        "outputs": source.output_names,
        "examples": {name: torch.from_numpy(one) for name, one in source.examples.items()},
    }
    buffer = io.BytesIO()
    torch.save(values, buffer)
    write_atomically(path, buffer.getvalue())


def read_module(torch: Any, model: ModelFile, path: Path) -> LoadedModule:
    """Read a module in evaluation mode; raise `BackendError` if it can't be."""
    if model.format == "python":
        return _made_by_function(torch, path, model.member)
    readers = {"pth": _read_own, "pt2": _read_archive}
    read = readers.get(model.format, _read_script)
    try:
        with warnings.catch_warnings():
            # TorchScript says at every use that it is deprecated.
            warnings.simplefilter("ignore", DeprecationWarning)
            return read(torch, path, is_known=model.sha256 is not None)
    except BackendError:
        raise
    except _UNREADABLE as error:
        reason = str(error).strip().splitlines()
        raise BackendError(
            f"{path}: PyTorch can't load it: {reason[0] if reason else repr(error)}"
        ) from error


def _read_own(torch: Any, path: Path, *, is_known: bool) -> LoadedModule:
    """Read what `write_module` wrote, and nothing else: reading it runs code."""
    if not is_known:
        raise BackendError(
            f"{path}: a .pth file can run any code as it is read, so that only those are read "
            "that Inferometer wrote; save it with torch.export.save as .pt2, or name a function "
            "that makes the module: FILE.py:FUNCTION"
        )
    values = torch.load(path, map_location="cpu", weights_only=False)
    examples = {name: tensor.numpy() for name, tensor in values["examples"].items()}
    module = values["module"].eval()
    return LoadedModule(module, tuple(values["inputs"]), tuple(values["outputs"]), examples)


def _read_archive(torch: Any, path: Path, *, is_known: bool) -> LoadedModule:  # noqa: ARG001
    """Read an archive of ``torch.export``; its examples are those that it was made with."""
    program = torch.export.load(path)
    signature = program.graph_signature
    inputs = tuple(str(name) for name in signature.user_inputs)
    outputs = tuple(f"output_{number}" for number in range(len(signature.user_outputs)))
    examples: dict[str, NDArray[Any]] = {}
    if program.example_inputs is not None:
        given = program.example_inputs[0]
        examples = {name: one.numpy() for name, one in zip(inputs, given, strict=False)}
    return LoadedModule(program.module(), inputs, outputs, examples)


def _read_script(torch: Any, path: Path, *, is_known: bool) -> LoadedModule:  # noqa: ARG001
    """Read TorchScript; its inputs are named in the file, its outputs are numbered."""
    module = torch.jit.load(str(path), map_location="cpu").eval()
    schema = module.forward.schema
    inputs = tuple(argument.name for argument in schema.arguments[1:])
    return LoadedModule(module, inputs, ("output",) * len(schema.returns))


def _made_by_function(torch: Any, path: Path, name: str) -> LoadedModule:
    """Call a user's function, which gives a module."""
    module = function_of(path, name)()
    if not isinstance(module, torch.nn.Module):
        raise BackendError(
            f"{path}:{name} gave {type(module).__name__}; for the backend pytorch it has to give a "
            "torch.nn.Module (the backend python takes functions that answer)"
        )
    inputs = tuple(inspect.signature(module.forward).parameters)
    return LoadedModule(module.eval(), inputs, ("output",))
