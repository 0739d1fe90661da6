"""A hosted model: a session with a name, a signature, a batcher and metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from numpy.typing import NDArray

from inferometer.backends import Session
from inferometer.hosting.batching import Answer, Batcher
from inferometer.hosting.metrics import ModelMetrics
from inferometer.hosting.options import HostOptions, Refusal
from inferometer.hosting.signature import Signature
from inferometer.loadgen import nearest_name
from inferometer.serving import PoolOptions

__all__ = ["VERSION", "HostedModel"]

VERSION = "1"
"""The only version that a model has here."""

_KEPT_SHAPES = 256
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
        self._batcher = Batcher(self.run, pool, self.metrics.note_batch)
        self._shapes: set[Any] = set()
        self._is_batched = options.max_batch_size > 1

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
        self._check(inputs)
        if not self.metrics.begin(self._limit):
            raise Refusal(503, f"{self.name} is busy: {self._limit} requests are in flight")
        first = inputs[self.signature.input_names[0]]
        rows = len(first) if first.ndim else 1
        together = rows if self._is_batched and _has_one_length(inputs.values()) else 0

        def told(found: Answer | BaseException) -> None:
            self.metrics.end()
            if not isinstance(found, BaseException):
                self.metrics.note_request(200, rows, found[1])
            tell(found)

        ordered = {name: inputs[name] for name in self.signature.input_names}
        self._batcher.submit(ordered, together, told)

    def _check(self, inputs: Arrays) -> None:
        wanted = self.signature.input_names
        for name in inputs:
            if name not in wanted:
                hint = nearest_name(name, wanted)
                raise Refusal(
                    400, f"{self.name} has no input {name!r}{hint}; it takes {', '.join(wanted)}"
                )
        missing = [name for name in wanted if name not in inputs]
        if missing:
            raise Refusal(400, f"the inputs {', '.join(missing)} of {self.name} are missing")

    def run(self, inputs: Arrays) -> list[NDArray[Any]]:
        """Run a batch on the calling thread; metadata tell the shapes and types from then on."""
        outputs = self._session.run(inputs)
        arrays = [*inputs.values(), *outputs]
        if self._is_batched and not _has_one_length(arrays):
            # Along the first axis of some don't lie samples, but perhaps layers.
            self._is_batched = False
        shapes = tuple([array.shape[self._is_batched :] for array in arrays])
        if shapes not in self._shapes and len(self._shapes) < _KEPT_SHAPES:
            self._shapes.add(shapes)
            self.signature.learn(inputs, outputs, is_batched=self._is_batched)
        return outputs

    def close(self) -> None:
        """Answer what is queued, then let the model go."""
        self._batcher.close()
        self._session.close()


def _has_one_length(arrays: Iterable[NDArray[Any]]) -> bool:
    """Tell whether the first axis of all arrays may run over the same samples."""
    lengths = {array.shape[0] if array.ndim else 0 for array in arrays}
    return len(lengths) == 1 and 0 not in lengths
