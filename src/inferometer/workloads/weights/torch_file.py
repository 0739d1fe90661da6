"""PyTorch files: state dicts and pickled modules, read without running code of the file."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import torch

from inferometer.workloads.protocol import WorkloadError
from inferometer.workloads.weights.torch_pickle import (
    Inert,
    LazyTensor,
    Storage,
    WeightsUnpickler,
)

__all__ = ["read_state_dict"]

_ZIP_MAGIC = b"PK\x03\x04"
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001
_STATE_DICT_KEYS = ("model", "state_dict")


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
        storages: dict[str, Storage] = {}

        def storage(dtype: torch.dtype, key: str, size: int) -> Storage:
            if key not in storages:
                storages[key] = Storage(dtype, size, archive.read(members[f"data/{key}"]))
            return storages[key]

        return WeightsUnpickler(io.BytesIO(archive.read(members["data.pkl"])), path, storage).load()


def _read_legacy(file: BinaryIO, path: Path) -> object:
    """Read the older format: five pickles, then each storage as its size and its numbers."""
    storages: dict[str, Storage] = {}

    def storage(dtype: torch.dtype, key: str, size: int) -> Storage:
        return storages.setdefault(key, Storage(dtype, size))

    def load() -> Any:
        return WeightsUnpickler(file, path, storage).load()

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


def _named_tensors(root: object, path: Path) -> Iterator[tuple[str, LazyTensor]]:
    """Give the tensors of what was read, with their names in a state dict."""
    if isinstance(root, Inert):
        yield from _tensors_of_module(root, "")
        return
    if not isinstance(root, dict):
        raise WorkloadError(f"{path} holds a {type(root).__name__}, not weights or a module")
    for key in _STATE_DICT_KEYS:
        if isinstance(root.get(key), dict | Inert):
            yield from _named_tensors(root[key], path)
            return
    for name, tensor in dict.items(root):
        if not isinstance(name, str) or not isinstance(tensor, LazyTensor):
            raise WorkloadError(f"{path}: {name!r} isn't a tensor; it holds no state dict")
        yield name, tensor


def _tensors_of_module(module: Inert, prefix: str) -> Iterator[tuple[str, LazyTensor]]:
    """Walk a module's parameters, buffers and children as its ``state_dict`` would."""
    passing = module.state.get("_non_persistent_buffers_set", ())
    for kind in ("_parameters", "_buffers"):
        for name, tensor in dict.items(module.state.get(kind, {})):
            if isinstance(tensor, LazyTensor) and name not in passing:
                yield prefix + name, tensor
    for name, child in dict.items(module.state.get("_modules", {})):
        if isinstance(child, Inert):
            yield from _tensors_of_module(child, f"{prefix}{name}.")
