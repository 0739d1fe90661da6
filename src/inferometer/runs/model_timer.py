"""Model timer: how long the calls of a model took, for each thread by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends import Session
from inferometer.loadgen import Responses
from inferometer.serving import TimedAnswer
from inferometer.workloads import Predictor

__all__ = ["ModelTimer", "TimedPredictor"]

Inputs = Mapping[str, NDArray[Any]]


class _Spent(threading.local):
    """Time that the calls of this thread took, ns."""

    ns = 0


class ModelTimer:
    """Adds up the time of session calls by thread, over all parts of a model.

    Calls that a predictor makes on threads of its own are not seen.
    """

    def __init__(self) -> None:
        self.spent = _Spent()

    def over(self, session: Session) -> Session:
        """Give the session with its calls timed."""
        return _TimedSession(session, self.spent)


class _TimedSession:
    def __init__(self, session: Session, spent: _Spent):
        self._session, self._run, self._spent = session, session.run, spent
        self.input_names, self.output_names = session.input_names, session.output_names

    @property
    def description(self) -> Mapping[str, Any]:
        return self._session.description

    def run(self, inputs: Inputs) -> list[NDArray[Any]]:
        begun = time.perf_counter_ns()
        outputs = self._run(inputs)
        self._spent.ns += time.perf_counter_ns() - begun
        return outputs

    def close(self) -> None:
        self._session.close()


class TimedPredictor:
    """A handler for servings: inputs of loaded samples, then the predictor over them.

    ``predict`` has to use sessions of the ``timer``; ``inputs`` gives a batch's inputs.
    """

    def __init__(
        self,
        predict: Predictor,
        inputs: Callable[[NDArray[np.integer[Any]]], Inputs],
        timer: ModelTimer,
    ):
        self._predict, self._inputs, self._spent = predict, inputs, timer.spent

    def __call__(self, indices: NDArray[np.integer[Any]]) -> Responses:
        """Answer samples: inputs, model, post-processing."""
        return self._predict(indices, self._inputs(indices))

    def timed(self, indices: NDArray[np.integer[Any]]) -> TimedAnswer:
        """Answer samples; also give the ns that inputs and model took."""
        spent = self._spent
        spent.ns = 0
        begun = time.perf_counter_ns()
        inputs = self._inputs(indices)
        preprocess_ns = time.perf_counter_ns() - begun
        responses = self._predict(indices, inputs)
        return responses, preprocess_ns, spent.ns
