"""A backend for tests that behaves as an option says: it crashes, hangs, hoards or complains."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends import BackendError, BackendOptions, ModelFile, UnsupportedModelError

PLACE = f"{__name__}:Misbehaving"
MIB = 2**20


class ForeignError(Exception):
    """An error of a framework, which a process without it can't know."""


def do(deed: str) -> None:
    if deed:
        _DEEDS[deed]()


def _hoard() -> None:
    hoard = [np.ones(50 * MIB, np.uint8) for _ in range(3)]
    threading.Event().wait(60)
    del hoard


def _print_and_die() -> None:
    print("on standard output")
    print("cannot go on", file=sys.stderr)
    os._exit(7)


def _raise(error: Exception) -> None:
    raise error


_DEEDS: dict[str, Any] = {
    "segfault": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "print and die": _print_and_die,
    "exit": lambda: sys.exit(3),
    "hang": lambda: threading.Event().wait(60),
    "hoard": _hoard,
    "chatter": lambda: print("chatter " * 400_000 + "end"),
    "complain": lambda: _raise(BackendError("the model is of wood")),
    "lack": lambda: _raise(UnsupportedModelError("no FFT here", ("FFT",))),
    "value": lambda: _raise(ValueError("a shape is wrong")),
    "foreign": lambda: _raise(ForeignError("kernel 5 failed")),
    "memory": lambda: _raise(MemoryError("no 4 GiB")),
    "interrupt": lambda: os.kill(os.getpid(), signal.SIGINT),
}


class Misbehaving:
    """Gives its inputs back doubled, with its process's number.

    The option ``load`` names a deed for loading, the input ``deed`` one for a call.
    """

    def load(self, model: ModelFile, options: BackendOptions) -> MisbehavingSession:
        do(options.extra.get("load", ""))
        return MisbehavingSession()


class MisbehavingSession:
    input_names = ("input", "deed")
    output_names = ("doubled", "process")
    description: Mapping[str, Any] = {"framework": "none", "precision": "fp32"}

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        if "deed" in inputs:
            do(str(inputs["deed"]))
        return [inputs["input"] * 2, np.array(os.getpid())]

    def close(self) -> None:
        pass
