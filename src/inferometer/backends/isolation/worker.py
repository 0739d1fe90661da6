"""Worker: the process that loads a model for another one, and runs the batches it is sent."""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import importlib
import os
import pickle
import socket
import traceback
from typing import Any

from inferometer.backends.protocol import BackendError, BackendOptions, ModelFile, Session
from inferometer.loadgen import InferometerError
from inferometer.serving.lifeline import end_with_parent
from inferometer.serving.shared_arrays import SharedArrays

__all__ = ["DONE", "FAILED", "LARGEST_MESSAGE_BYTES", "READY", "main"]

READY, DONE, FAILED = b"r", b"d", b"f"
"""How messages to the parent begin; then come a pickle, a layout, and a pickle."""

LARGEST_MESSAGE_BYTES = 1 << 16
_KEPT_CHARACTERS = 4096


def main(control: int, lifeline: int, requests: int, replies: int) -> None:
    """Load the model that comes through a socket, then run batches until the parent closes it.

    control, lifeline, requests, replies:
        File descriptors: of the socket, of a pipe whose other end the parent holds for as
        long as it lives, and of the memory for arrays in either direction.
    """
    for descriptor in (control, lifeline, requests, replies):
        os.set_inheritable(descriptor, False)
    end_with_parent(lifeline)
    faulthandler.enable()
    with socket.socket(fileno=control) as channel:
        session = _load(channel)
        if session is not None:
            _serve(channel, session, SharedArrays(requests), SharedArrays(replies))
            with contextlib.suppress(Exception):
                session.close()
    # Frameworks' threads may hang or crash when the interpreter is taken apart.
    os._exit(0)


def _load(channel: socket.socket) -> Session | None:
    """Load what the parent asks for, and tell it; ``None`` if that failed."""
    try:
        session = _loaded(*pickle.loads(channel.recv(LARGEST_MESSAGE_BYTES)))  # noqa: S301
        facts = (session.input_names, session.output_names, dict(session.description))
        answer = READY + pickle.dumps(facts)
    except Exception as error:
        answer, session = _failure(error), None
    # What loading left behind isn't looked through again and again while batches run.
    gc.collect()
    gc.freeze()
    with contextlib.suppress(OSError):
        channel.send(answer)
    return session


def _loaded(place: str, model: ModelFile, options: BackendOptions) -> Session:
    module, _, attribute = place.partition(":")
    try:
        backend = getattr(importlib.import_module(module), attribute)()
    except (ImportError, AttributeError) as error:
        raise BackendError(f"{place} can't be loaded in a process of its own: {error}") from error
    session: Session = backend.load(model, options)
    return session


def _serve(
    channel: socket.socket, session: Session, requests: SharedArrays, replies: SharedArrays
) -> None:
    """Run batches; the layout of each comes through the socket, and goes back through it."""
    names = session.output_names
    with contextlib.suppress(ConnectionError):
        while layout := channel.recv(LARGEST_MESSAGE_BYTES):
            try:
                outputs = session.run(requests.views(layout))
                answer = DONE + replies.put(dict(zip(names, outputs, strict=True)))
            except Exception as error:
                answer = _failure(error)
            channel.send(answer)


def _failure(error: Exception) -> bytes:
    """Make the message of an error that the parent raises again."""
    content = FAILED + pickle.dumps(_portable(error))
    if len(content) > LARGEST_MESSAGE_BYTES:
        content = FAILED + pickle.dumps(BackendError(str(error)[:_KEPT_CHARACTERS]))
    return content


def _portable(error: Exception) -> Exception:
    """Give an error as the parent can raise it, which doesn't import the framework for that."""
    kind = type(error)
    if not isinstance(error, InferometerError):
        error.add_note("".join(traceback.format_exception(error))[-_KEPT_CHARACTERS:])
    plain: Any = error
    if kind.__module__ != "builtins" and not isinstance(error, InferometerError):
        plain = BackendError(f"{kind.__name__}: {error}")
    try:
        pickle.loads(pickle.dumps(plain))  # noqa: S301
    except Exception:
        plain = BackendError(f"{kind.__name__}: {error}")
    if plain is not error:
        plain.__notes__ = list(getattr(error, "__notes__", ()))
    return plain  # type: ignore[no-any-return]
