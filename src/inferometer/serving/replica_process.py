"""Replica process: one copy of a model in an interpreter of its own, asked through a socket."""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import os
import pickle
from multiprocessing.connection import Connection
from typing import Any

from inferometer.serving.lifeline import end_with_parent
from inferometer.serving.replicas import (
    Answered,
    Event,
    Raised,
    ReplicaError,
    Samples,
    make_replica,
)
from inferometer.serving.shared_arrays import SharedArrays

__all__ = ["main"]


def main(control: int, lifeline: int) -> None:
    """Make the replica that comes through a socket, then answer until the parent closes it.

    control, lifeline:
        File descriptors of the socket, and of a pipe whose other end the parent holds.
    """
    for descriptor in (control, lifeline):
        os.set_inheritable(descriptor, False)
    end_with_parent(lifeline)
    faulthandler.enable()
    channel: Connection[Any, Any] = Connection(control)
    with contextlib.suppress(EOFError, OSError):
        _serve(channel)
    # Frameworks' threads may hang or crash when the interpreter is taken apart.
    os._exit(0)


def _serve(channel: Connection[Any, Any]) -> None:
    """Tell that the replica is ready, then do what comes: samples to take, or to answer."""
    try:
        replica = make_replica(channel.recv())
    except Exception as error:
        channel.send(_portable(error))
        return
    gc.collect()
    gc.freeze()
    channel.send(None)
    memory: SharedArrays | None = None
    while True:
        ticket, asked = channel.recv()
        try:
            if ticket is None:
                samples, memory = _samples(asked, memory)
                replica.take(samples)
                reply: Event | BaseException | None = None
            else:
                reply = Answered(ticket, replica.answer(asked))
        except Exception as error:
            reply = _portable(error) if ticket is None else Raised(ticket, _portable(error))
        channel.send(reply)


def _samples(
    asked: tuple[Samples, bytes, str], before: SharedArrays | None
) -> tuple[Samples, SharedArrays | None]:
    """Find samples in the parent's memory, where they were laid there."""
    samples, layout, place = asked
    if not layout:
        return samples, before
    memory = SharedArrays(os.open(place, os.O_RDWR | os.O_CLOEXEC))
    if before is not None:
        before.close()
    return Samples(samples.indices, memory.views(layout)), memory


def _portable(error: Exception) -> Exception:
    """Give an error as the parent can raise it, which may not have the framework."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301
    except Exception:
        return ReplicaError(f"{type(error).__name__}: {error}")
    return error
