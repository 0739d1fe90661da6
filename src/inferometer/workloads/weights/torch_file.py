"""PyTorch files: state dicts and pickled modules, read without running code of the file.

A pickle names Python objects and has them called. Here the names of modules become inert
classes, those of tensors become descriptions that are turned into tensors after reading,
and any other name is refused. So nothing of PyTorch, TorchVision or a published model's
own code is imported or called for the file.
"""

from __future__ import annotations

import io
import math
import pickle
import struct
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch

from inferometer.workloads.protocol import WorkloadError

__all__ = ["read_state_dict"]

_ZIP_MAGIC = b"PK\x03\x04"
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001
_STATE_DICT_KEYS = ("model", "state_dict")
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


def read_state_dict(path: Path) -> dict[str, torch.Tensor]:
    """Read the tensors of a PyTorch file by name, in the order of the file.

    The file is of either format that ``torch.save`` ever wrote by default (a zip archive,
    or pickles followed by raw storages), and holds a state dict, a checkpoint with one
    under ``model`` or ``state_dict``, or a pickled module.

    Raises `WorkloadError` if it is damaged, or names something that reading weights
    doesn't need.
    """
    try:
        with path.open("rb") as file:
            is_zip = file.read(len(_ZIP_MAGIC)) == _ZIP_MAGIC
            file.seek(0)
            root = (_read_zip if is_zip else _read_legacy)(file, path)
            return {name: tensor.make() for name, tensor in _named_tensors(root, path)}
    except OSError as error:
        raise WorkloadError(f"{path}: can't be read: {error.strerror or error}") from error
    except WorkloadError:
        raise
    except Exception as error:  # a damaged pickle can fail in any way
        raise WorkloadError(
            f"{path} isn't a PyTorch file with weights, or is damaged ({error or type(error)}); "
            "fetch it again"
        ) from error


@dataclass(slots=True)
class _Storage:
    """Numbers that tensors are views of; ``data`` may come after the tensors."""

    dtype: torch.dtype
    size: int
    data: bytes = b""

    def make(self) -> torch.Tensor:
        if len(self.data) != self.size * self.dtype.itemsize:
            raise ValueError(f"a storage has {len(self.data)} bytes for {self.size} numbers")
        if not self.data:
            return torch.empty(0, dtype=self.dtype)
        with warnings.catch_warnings():
            # The buffer is read-only, and nothing writes to it: `_Tensor.make` copies.
            warnings.simplefilter("ignore", UserWarning)
            return torch.frombuffer(self.data, dtype=self.dtype)


@dataclass(slots=True)
class _Tensor:
    """A tensor to be: a view of a storage."""

    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    def make(self) -> torch.Tensor:
        if math.prod(self.size) > self.storage.size:
            raise ValueError(f"a tensor of size {self.size} is larger than its storage")
        view = self.storage.make().as_strided(self.size, self.stride, self.offset)
        return view.clone(memory_format=torch.contiguous_format)


class _Inert:
    """What every class of a module becomes: it keeps its state, and does nothing."""

    state: dict[str, Any]

    def __new__(cls, *_: Any) -> _Inert:
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
    """A rebuilding function of PyTorch, in own words; the file can't set attributes of it."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., Any]):
        self._call = call

    def __call__(self, *arguments: Any) -> Any:
        return self._call(*arguments)

    def __setstate__(self, _: object) -> None:
        raise pickle.UnpicklingError("a function has no state")


def _rebuild_tensor(
    storage: object, offset: object, size: object, stride: object, *_: Any
) -> _Tensor:
    if not isinstance(storage, _Storage) or not isinstance(offset, int):
        raise pickle.UnpicklingError("a tensor isn't made of a storage and an offset")
    return _Tensor(storage, offset, _whole_numbers(size), _whole_numbers(stride))


def _rebuild_parameter(data: object, *_: Any) -> object:
    return data


def _whole_numbers(values: object) -> tuple[int, ...]:
    if not isinstance(values, Sequence) or not all(isinstance(n, int) and n >= 0 for n in values):
        raise pickle.UnpicklingError(f"{values!r} isn't the size of a tensor")
    return tuple(values)


class _Unpickler(pickle.Unpickler):
    """Reads a pickle; every name that it holds goes through `find_class`."""

    def __init__(
        self, file: BinaryIO, path: Path, storage: Callable[[torch.dtype, str, int], _Storage]
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
            return _Inert
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


def _read_zip(file: BinaryIO, path: Path) -> object:
    """Read the zip format: ``NAME/data.pkl`` and a file ``NAME/data/KEY`` a storage."""
    with zipfile.ZipFile(file) as archive:
        members = {name.partition("/")[2]: name for name in archive.namelist()}
        if "data.pkl" not in members:
            raise WorkloadError(f"{path} is a zip archive without data.pkl; PyTorch wrote no such")
        if "constants.pkl" in members:
            raise WorkloadError(f"{path} is a TorchScript program; give a file with weights")
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
            raise WorkloadError(f"{path} is a compressed archive; PyTorch writes none")
        if "byteorder" in members and archive.read(members["byteorder"]) != b"little":
            raise WorkloadError(f"{path} was written on a big-endian machine, and isn't read")
        storages: dict[str, _Storage] = {}

        def storage(dtype: torch.dtype, key: str, size: int) -> _Storage:
            if key not in storages:
                storages[key] = _Storage(dtype, size, archive.read(members[f"data/{key}"]))
            return storages[key]

        return _Unpickler(io.BytesIO(archive.read(members["data.pkl"])), path, storage).load()


def _read_legacy(file: BinaryIO, path: Path) -> object:
    """Read the older format: five pickles, then each storage as its size and its numbers."""
    storages: dict[str, _Storage] = {}

    def storage(dtype: torch.dtype, key: str, size: int) -> _Storage:
        return storages.setdefault(key, _Storage(dtype, size))

    def load() -> Any:
        return _Unpickler(file, path, storage).load()

    if load() != _LEGACY_MAGIC or load() != _LEGACY_PROTOCOL:
        raise WorkloadError(f"{path} isn't a file that torch.save wrote; fetch it again")
    if load().get("little_endian") is not True:
        raise WorkloadError(f"{path} was written on a big-endian machine, and isn't read")
    root = load()
    for key in load():
        (count,) = struct.unpack("<q", file.read(8))
        expected = storages[key]
        if count != expected.size:
            raise ValueError(f"storage {key} has {count} numbers, and {expected.size} are used")
        expected.data = file.read(count * expected.dtype.itemsize)
    return root


def _named_tensors(root: object, path: Path) -> Iterator[tuple[str, _Tensor]]:
    """Give the tensors of what was read, with their names in a state dict."""
    if isinstance(root, _Inert):
        yield from _tensors_of_module(root, "")
        return
    if not isinstance(root, dict):
        raise WorkloadError(f"{path} holds a {type(root).__name__}, not weights or a module")
    for key in _STATE_DICT_KEYS:
        if isinstance(root.get(key), dict | _Inert):
            yield from _named_tensors(root[key], path)
            return
    for name, tensor in dict.items(root):
        if not isinstance(name, str) or not isinstance(tensor, _Tensor):
            raise WorkloadError(f"{path}: {name!r} isn't a tensor; it holds no state dict")
        yield name, tensor


def _tensors_of_module(module: _Inert, prefix: str) -> Iterator[tuple[str, _Tensor]]:
    """Walk a module's parameters, buffers and children as its ``state_dict`` would."""
    passing = module.state.get("_non_persistent_buffers_set", ())
    for kind in ("_parameters", "_buffers"):
        for name, tensor in dict.items(module.state.get(kind, {})):
            if isinstance(tensor, _Tensor) and name not in passing:
                yield prefix + name, tensor
    for name, child in dict.items(module.state.get("_modules", {})):
        if isinstance(child, _Inert):
            yield from _tensors_of_module(child, f"{prefix}{name}.")
