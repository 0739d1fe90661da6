"""A hosted model: a session with a name, a signature, a batcher and metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from inferometer.backends import Session
from inferometer.hosting.batching import MOST_ROWS, Answer, Batcher
from inferometer.hosting.metrics import ModelMetrics
from inferometer.hosting.options import HostOptions, Refusal
from inferometer.hosting.signature import Signature
from inferometer.loadgen import nearest_name
from inferometer.serving import PoolOptions

__all__ = ["VERSION", "HostedModel"]

VERSION = "1"
"""The only version that a model has here."""

Arrays = Mapping[str, NDArray[Any]]


class HostedModel:
    """A loaded model that requests can be sent to.

    ``session`` is closed with it. The signature learns from each new shape.
    """

    def __init__(self, name: str, session: Session, options: HostOptions):
        self.name = name
        self._session = session
        self.signature = Signature(session.input_names, session.output_names)
        self.metrics = ModelMetrics(name)
        self._limit = options.max_in_flight
        pool = PoolOptions(options.workers, options.max_batch_size, options.max_wait_ms / 1e3)
        self._batcher = Batcher(self._run, pool, self.metrics.note_batch)
        self._shapes: set[Any] = set()

    @property
    def metadata(self) -> dict[str, Any]:
        """What the protocol says of a model."""
        description = self._session.description
        platform = f"{description.get('framework', '')} {description.get('version', '')}"
        return {
            "name": self.name,
            "versions": [VERSION],
            "platform": platform.strip(),
            "inputs": self.signature.inputs,
            "outputs": self.signature.outputs,
        }

    def submit(self, inputs: Arrays, tell: Callable[[Answer | BaseException], None]) -> None:
        """Have a request answered; ``tell`` is called on another thread, once.

        Raises `Refusal` for inputs that aren't the model's, and if too much is in flight.
        """
        rows = self._checked(inputs)
        if not self.metrics.begin(self._limit):
            raise Refusal(503, f"{self.name} is busy: {self._limit} requests are in flight")

        def told(found: Answer | BaseException) -> None:
            self.metrics.end()
            if not isinstance(found, BaseException):
                self.metrics.note_request(200, rows, found[1])
            tell(found)

        self._batcher.submit({name: inputs[name] for name in self._order}, rows, told)

    @property
    def _order(self) -> tuple[str, ...]:
        return self.signature.input_names

    def _checked(self, inputs: Arrays) -> int:
        """Give how many samples a request holds."""
        wanted = self._order
        for name in inputs:
            if name not in wanted:
                hint = nearest_name(name, wanted)
                raise Refusal(
                    400, f"{self.name} has no input {name!r}{hint}; it takes {', '.join(wanted)}"
                )
        missing = [name for name in wanted if name not in inputs]
        if missing:
            raise Refusal(400, f"the inputs {', '.join(missing)} of {self.name} are missing")
        counts = {array.shape[0] if array.ndim else 0 for array in inputs.values()}
        if len(counts) != 1 or not 0 < min(counts) < MOST_ROWS:
            raise Refusal(
                400, "the first axis of all inputs has to run over the same samples, 1 or more"
            )
        return counts.pop()

    def _run(self, inputs: Arrays) -> list[NDArray[Any]]:
        outputs = self._session.run(inputs)
        key = tuple(array.shape[1:] for array in (*inputs.values(), *outputs))
        if key not in self._shapes:
            self._shapes.add(key)
            self.signature.learn(inputs, outputs)
        return outputs

    def learn(self, inputs: Arrays) -> None:
        """Run a batch for the shapes and types of its arrays, which the metadata then tell."""
        self._run(inputs)

    def close(self) -> None:
        """Answer what is queued, then let the model go."""
        self._batcher.close()
        self._session.close()
