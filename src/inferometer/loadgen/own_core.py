"""Own core: one that is kept for the issue thread; everything else in the process leaves it.

Without one a scheduler may run the issue thread on the core on which the system computes, and
each query that comes holds up the one that is being answered: by 60 µs at 40 % load on two cores,
by 4 with a core of its own.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from inferometer.loadgen.errors import InferometerError

__all__ = ["CoreError", "keep_core", "kept_core", "leave_core", "on_core"]

_THREADS = Path("/proc/self/task")


class CoreError(InferometerError):
    """A core can't be kept for the issue thread."""


@dataclass(frozen=True)
class _Kept:
    """The core that is kept, the others, and the threads that may stay on it."""

    core: int
    others: frozenset[int]
    stay: set[int] = field(default_factory=set)


_kept: _Kept | None = None


def kept_core() -> int | None:
    """Give the number of the core that is kept for issue threads; ``None`` if none is."""
    return None if _kept is None else _kept.core


@contextlib.contextmanager
def keep_core(core: int | None = None) -> Iterator[int]:
    """Keep a core for issue threads: every other thread of this process leaves it till the end.

    ``core`` is its number, by default the last that may be used; one that this process stays off
    already will do as well. Threads and processes that are started meanwhile stay off it too, and
    `usable_cores` counts those that are left. Give the system its threads inside. Raises
    `CoreError` where there is no second core, or no such one, or the operating system isn't Linux.
    """
    global _kept  # noqa: PLW0603 - cores are the process's
    core = _chosen(core)
    everywhere = os.sched_getaffinity(0)
    before = {thread: _cores_of(thread) for thread in _threads()}
    kept = _Kept(core, frozenset(everywhere - {core}))
    for thread, cores in before.items():
        if cores == {core}:
            kept.stay.add(thread)
        else:
            _allow(thread, cores - {core})
    _kept = kept
    try:
        yield core
    finally:
        _kept = None
        for thread in _threads():
            _allow(thread, before.get(thread, everywhere))


@contextlib.contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """Run the calling thread on one core only; ``None`` leaves it where it is."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    thread = threading.get_native_id()
    if _kept is not None:
        _kept.stay.add(thread)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
        if _kept is not None:
            _kept.stay.discard(thread)


def leave_core() -> None:
    """Have threads leave the kept core that the issue thread has started: they begin on it."""
    if _kept is None:
        return
    for thread in _threads():
        if thread not in _kept.stay and _cores_of(thread) == {_kept.core}:
            _allow(thread, set(_kept.others))


def _chosen(core: int | None) -> int:
    """Give the core to keep, if it can be."""
    if not hasattr(os, "sched_setaffinity") or not _THREADS.is_dir():
        raise CoreError("only Linux lets a core be kept for the generator")
    if _kept is not None:
        raise CoreError(f"core {_kept.core} is kept for the generator already")
    usable = os.sched_getaffinity(0)
    if core is None or core in usable:
        if len(usable) < 2:
            raise CoreError("a core for the generator takes one more for the system; there is 1")
        return max(usable) if core is None else core
    try:
        with on_core(core):
            return core
    except OSError:
        raise CoreError(
            f"core {core} can't be kept for the generator; this process may use "
            f"{', '.join(map(str, sorted(usable)))}"
        ) from None


def _threads() -> list[int]:
    return [int(entry.name) for entry in _THREADS.iterdir()]


def _cores_of(thread: int) -> set[int]:
    """Give the cores that a thread may use; none of one that has ended."""
    try:
        return os.sched_getaffinity(thread)
    except ProcessLookupError:
        return set()


def _allow(thread: int, cores: set[int]) -> None:
    """Let a thread run on some cores; one that has ended doesn't mind."""
    with contextlib.suppress(ProcessLookupError):
        if cores:
            os.sched_setaffinity(thread, cores)
