"""Time slice: how soon the scheduler gives a thread a core that others use."""

from __future__ import annotations

import contextlib
import ctypes
import platform
from collections.abc import Iterator

from inferometer.loadgen.c_library import c_call

__all__ = ["short_slice", "slice_of_thread_ns"]

_SCHED_OTHER = 0
# Numbers of sched_setattr and sched_getattr, which the C library has no functions for.
_CALLS = {"x86_64": (314, 315), "aarch64": (274, 275), "riscv64": (274, 275)}


class _Attributes(ctypes.Structure):
    """``struct sched_attr`` of the kernel, in its first version."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("policy", ctypes.c_uint32),
        ("flags", ctypes.c_uint64),
        ("nice", ctypes.c_int32),
        ("priority", ctypes.c_uint32),
        ("runtime_ns", ctypes.c_uint64),
        ("deadline_ns", ctypes.c_uint64),
        ("period_ns", ctypes.c_uint64),
    )


@contextlib.contextmanager
def short_slice(slice_ns: int) -> Iterator[None]:
    """Ask for time slices of so many ns for the calling thread; take it back at the end.

    A thread with shorter slices than the one that runs may interrupt it when it wakes. Only
    ordinary threads are touched. Where the system knows no such request nothing happens.

    Source: Linux 6.12, ``sched_setattr(2)`` with ``sched_runtime``.
    """
    before = _read()
    if before is None or before.policy != _SCHED_OTHER or not _write(before, slice_ns):
        yield
        return
    try:
        yield
    finally:
        _write(before, 0)  # the system's own


def slice_of_thread_ns() -> int | None:
    """Give the time slice of the calling thread; ``None`` where that isn't known."""
    found = _read()
    return None if found is None else int(found.runtime_ns)


def _read() -> _Attributes | None:
    found = _Attributes()
    is_read = _call(1, ctypes.byref(found), ctypes.c_uint(ctypes.sizeof(found)), ctypes.c_uint(0))
    return found if is_read else None


def _write(before: _Attributes, slice_ns: int) -> bool:
    wanted = _Attributes(
        size=ctypes.sizeof(_Attributes),
        policy=before.policy,
        flags=before.flags,
        nice=before.nice,
        runtime_ns=slice_ns,
    )
    return _call(0, ctypes.byref(wanted), ctypes.c_uint(0))


def _call(which: int, *arguments: object) -> bool:
    """Make a system call about the calling thread, and tell whether it went well."""
    numbers = _CALLS.get(platform.machine())
    if numbers is None:
        return False
    return c_call("syscall", ctypes.c_long(numbers[which]), 0, *arguments) == 0
