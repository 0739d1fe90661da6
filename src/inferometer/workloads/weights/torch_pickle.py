"""Restricted pickles: what PyTorch writes of weights and modules, read without running code.

A pickle names Python objects and has them called. Here the names of modules become inert
classes, those of tensors become descriptions that are turned into tensors after reading,
and any other name is refused. So nothing of PyTorch, TorchVision or a published model's
own code is imported or called for the file.
"""

from __future__ import annotations

import math
import pickle
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch

from inferometer.workloads.protocol import WorkloadError

__all__ = ["Inert", "LazyTensor", "Storage", "WeightsUnpickler"]

_INERT_PREFIXES = ("torch.nn.", "torchvision.models.", "models.")
_INERT_NAMES = frozenset(
    [
        # What attributes of modules may hold beside tensors: sizes, types, NumPy arrays.
        ("torch", "Size"),
        ("torch", "device"),
        ("torch", "float32"),
        ("numpy", "dtype"),
        ("numpy", "ndarray"),
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy.core.multiarray", "scalar"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "scalar"),
        ("_codecs", "encode"),
    ]
)
_DTYPES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
_BUILTINS = {"set": set, "frozenset": frozenset}


@dataclass(slots=True)
class Storage:
    """Numbers that tensors are views of; ``data`` may come after the tensors."""

    dtype: torch.dtype
    size: int
    data: bytes = b""

    def make(self) -> torch.Tensor:
        """Give all numbers as one read-only row."""
        if len(self.data) != self.size * self.dtype.itemsize:
            raise ValueError(f"a storage has {len(self.data)} bytes for {self.size} numbers")
        if not self.data:
            return torch.empty(0, dtype=self.dtype)
        with warnings.catch_warnings():
            # The buffer is read-only, and nothing writes to it: `LazyTensor.make` copies.
            warnings.simplefilter("ignore", UserWarning)
            return torch.frombuffer(self.data, dtype=self.dtype)


@dataclass(slots=True)
class LazyTensor:
    """A tensor to be: a view of a storage."""

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    def make(self) -> torch.Tensor:
        """Give the tensor, in memory of its own."""
        if math.prod(self.size) > self.storage.size:
            raise ValueError(f"a tensor of size {self.size} is larger than its storage")
        view = self.storage.make().as_strided(self.size, self.stride, self.offset)
        return view.clone(memory_format=torch.contiguous_format)


class Inert:
    """What every class of a module becomes: it keeps its state, and does nothing."""

    state: dict[str, Any]

    def __new__(cls, *_: Any) -> Inert:
        """Make one, whatever it is called with: a pickle may skip `__init__`."""
        made = super().__new__(cls)
        made.state = {}
        return made

    def __init__(self, *_: Any) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        self.state = state if isinstance(state, dict) else {}


class _Mapping(dict[Any, Any]):
    """What an OrderedDict becomes: attributes that the file sets on it are dropped."""

    def __setstate__(self, _: object) -> None:
        pass


class _Function:
    """A rebuilding function of PyTorch, in own words; a file can't set its attributes."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., Any]):
        self._call = call

    def __call__(self, *arguments: Any) -> Any:
        return self._call(*arguments)

    def __setstate__(self, _: object) -> None:
        raise pickle.UnpicklingError("a function has no state")


def _rebuild_tensor(
    storage: object, offset: object, size: object, stride: object, *_: Any
) -> LazyTensor:
    if not isinstance(storage, Storage) or not isinstance(offset, int):
        raise pickle.UnpicklingError("a tensor isn't made of a storage and an offset")
    return LazyTensor(storage, offset, _whole_numbers(size), _whole_numbers(stride))


def _rebuild_parameter(data: object, *_: Any) -> object:
    return data


def _whole_numbers(values: object) -> tuple[int, ...]:
    if not isinstance(values, Sequence) or not all(isinstance(n, int) and n >= 0 for n in values):
        raise pickle.UnpicklingError(f"{values!r} isn't the size of a tensor")
    return tuple(values)


class WeightsUnpickler(pickle.Unpickler):
    """Reads a pickle; every name that it holds goes through `find_class`."""

    def __init__(
        self, file: BinaryIO, path: Path, storage: Callable[[torch.dtype, str, int], Storage]
    ):
        super().__init__(file, encoding="utf-8")
        self._path = path
        self._storage = storage
        self._functions = {
            ("torch._utils", "_rebuild_tensor"): _Function(_rebuild_tensor),
            ("torch._utils", "_rebuild_tensor_v2"): _Function(_rebuild_tensor),
            ("torch._utils", "_rebuild_parameter"): _Function(_rebuild_parameter),
            ("torch.nn.parameter", "Parameter"): _Function(_rebuild_parameter),
        }

    def find_class(self, module: str, name: str) -> Any:
        """Give what stands for a name; raise `WorkloadError` for one that isn't needed."""
        key = (module, name)
        if key in self._functions:
            return self._functions[key]
        if module in ("torch", "torch.cuda") and name in _DTYPES:
            return _DTYPES[name]
        if key == ("collections", "OrderedDict"):
            return _Mapping
        if module in ("builtins", "__builtin__") and name in _BUILTINS:
            return _BUILTINS[name]
        if key in _INERT_NAMES or (f"{module}.".startswith(_INERT_PREFIXES) and "." not in name):
            return Inert
        raise WorkloadError(
            f"{self._path} asks for {module}.{name}, which reading weights doesn't need; it may "
            "be made to run code, and isn't read"
        )

    def persistent_load(self, pid: object) -> Any:
        """Give what the file keeps beside the pickle: a storage, or a class with its source."""
        if isinstance(pid, tuple) and len(pid) >= 2 and pid[0] == "module":
            return pid[1]
        if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage":
            raise pickle.UnpicklingError(f"unknown kind of content {pid!r}")
        _, dtype, key, _, size, *view = pid
        if not isinstance(dtype, torch.dtype) or not isinstance(size, int) or size < 0:
            raise pickle.UnpicklingError(f"a storage is of {dtype!r} with {size!r} numbers")
        if view and view[0] is not None:
            raise pickle.UnpicklingError("storages that are parts of others aren't supported")
        return self._storage(dtype, str(key), size)
