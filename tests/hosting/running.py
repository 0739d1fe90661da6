"""A server that runs on a thread for as long as a test needs it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.hosting import HostedModel, HostOptions, Server


class Doubling:
    """A model that doubles ``x``; ``before`` is called with each batch."""

    input_names = ("x",)
    output_names = ("y",)
    description: Mapping[str, Any] = {"framework": "doubling", "version": "1"}

    def __init__(self, before: Callable[[NDArray[Any]], None] = lambda _: None):
        self._before = before
        self.is_closed = False

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        self._before(inputs["x"])
        return [inputs["x"] * 2]

    def close(self) -> None:
        self.is_closed = True


def options(**changed: Any) -> HostOptions:
    return HostOptions(**{"port": 0, "token": "", **changed})


@contextlib.contextmanager
def running(session: Any, chosen: HostOptions, name: str = "m") -> Iterator[Server]:
    server = Server([HostedModel(name, session, chosen)], chosen)
    is_ready = threading.Event()
    thread = threading.Thread(target=server.run, args=(is_ready.set,))
    thread.start()
    try:
        assert is_ready.wait(30)
        yield server
    finally:
        server.stop()
        thread.join(30)
        assert not thread.is_alive()


def ones(rows: int, columns: int = 2) -> dict[str, NDArray[np.float32]]:
    return {"x": np.ones((rows, columns), np.float32)}
