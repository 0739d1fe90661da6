"""Models on servers: which they are, queries split around them, and what is noted of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends import ModelFile, Session
from inferometer.backends.remote import RemoteSession
from inferometer.loadgen import InferometerError, Responses
from inferometer.workloads import MODEL, Workload, WorkloadError

__all__ = ["RemoteWatch", "SplitPredictor", "names_on_server", "remote_models", "remote_sessions"]

Arrays = Mapping[str, NDArray[Any]]
Indices = NDArray[np.integer[Any]]


def remote_models(workload: Workload, extra: Mapping[str, str]) -> Mapping[str, ModelFile]:
    """Give the parts of a model on a server, whose names there are the files' members.

    The parts are those of the workload's own model; where it isn't here, the option ``parts``
    names them, by default the only one.
    """
    named = [part.strip() for part in extra.get("parts", "").split(",") if part.strip()]
    if not named:
        try:
            named = list(workload.models(("onnx",)))
        except InferometerError:
            named = [MODEL]
    names = names_on_server(extra.get("model", workload.info.name), named)
    return {part: ModelFile(Path(there), "remote", member=there) for part, there in names.items()}


def remote_sessions(sessions: Mapping[str, Session]) -> dict[str, RemoteSession]:
    """Give those of a model's parts that are on a server."""
    return {
        part: session for part, session in sessions.items() if isinstance(session, RemoteSession)
    }


def names_on_server(name: str, parts: Sequence[str]) -> dict[str, str]:
    """Give the name of each part: the model's own, with the part's behind it for several."""
    return {part: name if len(parts) == 1 else f"{name}-{part}" for part in parts}


class RemoteWatch:
    """Notes what happened to the requests of one test; it begins when it is made.

    Where answers don't say how long the server took, its statistics before and after tell the
    mean.
    """

    def __init__(self, sessions: Mapping[str, RemoteSession]):
        self._sessions = sessions
        self._before = {}
        for part, session in sessions.items():
            self._before[part] = _sums(session)
            session.transport.account.notes()

    def notes(self) -> dict[str, Any]:
        """Give what belongs into the recording; nothing of a model that is here."""
        if not self._sessions:
            return {}
        return {"remote": {part: self._of(part) for part in self._sessions}}

    def _of(self, part: str) -> dict[str, Any]:
        session = self._sessions[part]
        found = {
            "url": session.description["url"],
            "model": session.description["model"],
            **session.transport.account.notes(),
        }
        if "server_ns" not in found:
            before, after = self._before[part], _sums(session)
            count = after.get("count", 0) - before.get("count", 0)
            if count > 0:
                found["server_ns"] = {"mean": (after["ns"] - before["ns"]) // count}
                found["server_queue_ns"] = {"mean": (after["queue"] - before["queue"]) // count}
        return found


def _sums(session: RemoteSession) -> dict[str, int]:
    """Give how many requests a server has answered so far, and the ns of all and in its queue."""
    name = session.description["model"]
    for entry in session.transport.statistics().get("model_stats", ()):
        try:
            if entry["name"] == name:
                stats = entry["inference_stats"]
                return {
                    "count": int(stats["success"]["count"]),
                    "ns": int(stats["success"]["ns"]),
                    "queue": int(stats["queue"]["ns"]),
                }
        except (KeyError, TypeError, ValueError):
            continue
    return {}


class _Asked(Exception):  # noqa: N818
    """The predictor has come to its call of the model."""


class _Recorded(threading.local):
    inputs: Arrays | None = None
    outputs: list[NDArray[Any]] | None = None


class _Asking:
    """Stands for the model: takes down what it is asked, and goes no further."""

    def __init__(self, session: RemoteSession, kept: _Recorded):
        self.input_names, self.output_names = session.input_names, session.output_names
        self.description = session.description
        self._kept = kept

    def run(self, inputs: Arrays) -> list[NDArray[Any]]:
        self._kept.inputs = inputs
        raise _Asked

    def close(self) -> None:
        pass


class _Answering(_Asking):
    """Stands for the model: gives the answer that has come, once."""

    def run(self, inputs: Arrays) -> list[NDArray[Any]]:  # noqa: ARG002
        outputs, self._kept.outputs = self._kept.outputs, None
        if outputs is None:
            raise WorkloadError(
                "the workload calls its model more than once a batch, so its queries can't be "
                "kept in flight; use --serving pool"
            )
        return outputs


class SplitPredictor:
    """A predictor of one part in two halves: up to its call of the model, and from there.

    A predictor is a function of its inputs, so that it may be run up to the call, and again
    with the answer; what runs twice is only what comes before the call.
    """

    def __init__(
        self,
        workload: Workload,
        part: str,
        session: RemoteSession,
        inputs: Callable[[Indices], Arrays],
    ):
        self._session, self._inputs = session, inputs
        self._kept = _Recorded()
        self._ask = workload.predictor({part: _Asking(session, self._kept)})
        self._answer = workload.predictor({part: _Answering(session, self._kept)})

    def begin(self, indices: Indices) -> Arrays:
        """Give what the model is asked for samples."""
        try:
            self._ask(indices, self._inputs(indices))
        except _Asked:
            assert self._kept.inputs is not None
            return self._kept.inputs
        raise WorkloadError("the workload answers without its model; use --serving pool")

    def finish(self, indices: Indices, outputs: Arrays) -> Responses:
        """Give the responses from the model's answer."""
        self._kept.outputs = self._session.ordered(outputs)
        return self._answer(indices, self._inputs(indices))
