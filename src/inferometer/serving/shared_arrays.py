"""Shared arrays: memory of two processes in which one lays arrays for the other."""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import InferometerError

__all__ = ["NotShareableError", "SharedArrays"]

_ALIGNMENT_BYTES = 64
_KEPT_LAYOUTS = 256
_KINDS = "biufcSU"

_Views = dict[str, NDArray[Any]]
_Key = tuple[tuple[str, np.dtype[Any], tuple[int, ...]], ...]


class NotShareableError(InferometerError, TypeError):
    """An array is of a type that another process can't read, such as objects."""


class SharedArrays:
    """Memory that one process writes and another reads, in turns; it grows as it is needed.

    The file behind it has no name, so that nothing of it is left once both processes are
    gone, however they ended.
    """

    def __init__(self, descriptor: int):
        self.descriptor = descriptor
        self._memory: mmap.mmap | None = None
        self._written: dict[_Key, tuple[bytes, _Views]] = {}
        self._read: dict[bytes, _Views] = {}

    @classmethod
    def made(cls, name: str) -> SharedArrays:
        """Make one of no size; the name is seen in the process's table of files."""
        return cls(os.memfd_create(f"inferometer-{name}"))

    def put(self, arrays: Mapping[str, NDArray[Any]]) -> bytes:
        """Copy arrays in; give their layout, by which the other side finds them.

        Raises `NotShareableError` for a type that another process can't read.
        """
        key = tuple([(name, array.dtype, array.shape) for name, array in arrays.items()])
        found = self._written.get(key)
        if found is None:
            found = self._written_views(key)
        layout, views = found
        for view, array in zip(views.values(), arrays.values(), strict=True):
            view[...] = array
        return layout

    def views(self, layout: bytes) -> _Views:
        """Give the arrays that the other side laid, by name; they last until its next `put`."""
        found = self._read.get(layout)
        if found is None:
            key = tuple(
                (name, np.dtype(dtype), tuple(shape)) for name, dtype, shape in json.loads(layout)
            )
            found = self._views(key)
            self._keep(self._read, layout, found)
        return found

    def close(self) -> None:
        """Let the memory go; arrays that are still used keep their part of it."""
        self._written.clear()
        self._read.clear()
        self._memory = None
        os.close(self.descriptor)

    def _written_views(self, key: _Key) -> tuple[bytes, _Views]:
        for name, dtype, _ in key:
            if dtype.kind not in _KINDS:
                raise NotShareableError(
                    f"{name} is of the type {dtype}, which can't be given to another process"
                )
        layout = json.dumps([(name, dtype.str, shape) for name, dtype, shape in key]).encode()
        found = layout, self._views(key)
        self._keep(self._written, key, found)
        return found

    def _views(self, key: _Key) -> _Views:
        places, end = [], 0
        for _, dtype, shape in key:
            places.append(end)
            size_bytes = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
            end += -(-size_bytes // _ALIGNMENT_BYTES) * _ALIGNMENT_BYTES
        memory = self._of_size(end)
        return {
            name: np.ndarray(shape, dtype, memory, place)
            for (name, dtype, shape), place in zip(key, places, strict=True)
        }

    def _of_size(self, size_bytes: int) -> mmap.mmap:
        """Give the memory, mapped anew if it is too small; then old views are forgotten."""
        if self._memory is None or len(self._memory) < size_bytes:
            existing = os.fstat(self.descriptor).st_size
            if existing < max(size_bytes, 1):
                pages = -(-max(size_bytes, 1) // mmap.PAGESIZE)
                existing = pages * mmap.PAGESIZE
                os.ftruncate(self.descriptor, existing)
            self._written.clear()
            self._read.clear()
            self._memory = mmap.mmap(self.descriptor, existing)
        return self._memory

    @staticmethod
    def _keep(kept: dict[Any, Any], key: Any, found: Any) -> None:
        if len(kept) >= _KEPT_LAYOUTS:
            kept.clear()
        kept[key] = found
