"""Dynamic batching: what goes to the model together, and who gets what of it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from inferometer.hosting import HostedModel
from inferometer.hosting.options import Refusal
from tests.hosting.running import Doubling, options


class _Gated:
    """Holds the first batch until the others have come; then lists what comes together."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []
        self.inside, self.go_on = threading.Event(), threading.Event()

    def __call__(self, x: Any) -> None:
        self.shapes.append(x.shape)
        self.inside.set()
        assert self.go_on.wait(30)


def _told(model: HostedModel, arrays: list[Any], gate: _Gated | None = None) -> list[Any]:
    """Submit all, the first one ahead; give what each was told."""
    found: list[Any] = [None] * len(arrays)
    left = threading.Semaphore(0)

    def tell(number: int) -> Any:
        def told(answer: Any) -> None:
            found[number] = answer
            left.release()

        return told

    for number, array in enumerate(arrays):
        model.submit({"x": array}, tell(number))
        if gate is not None and not number:
            assert gate.inside.wait(30)
    if gate is not None:
        gate.go_on.set()
    for _ in arrays:
        assert left.acquire(timeout=30)
    return found


def _array(rows: int, first: int, columns: int = 2) -> Any:
    return np.arange(first, first + rows * columns, dtype=np.float32).reshape(rows, columns)


def test_requests_that_wait_are_put_together_and_each_gets_its_own() -> None:
    gate = _Gated()
    model = HostedModel("m", Doubling(gate), options(max_batch_size=8))
    arrays = [_array(1, 0), _array(1, 10), _array(3, 20), _array(2, 30), _array(4, 40)]
    found = _told(model, arrays, gate)
    model.close()
    for array, (outputs, timing) in zip(arrays, found, strict=True):
        assert outputs[0].tolist() == (array * 2).tolist()
        assert timing.infer_ns > 0
        assert timing.queue_ns >= 0
    # The last one doesn't fit with the others any more.
    assert gate.shapes == [(1, 2), (6, 2), (4, 2)]


def test_what_does_not_fit_together_is_answered_apart() -> None:
    gate = _Gated()
    model = HostedModel("m", Doubling(gate), options(max_batch_size=8))
    arrays = [_array(1, 0), _array(1, 1), _array(1, 2, columns=3), _array(1, 3), _array(20, 4)]
    found = _told(model, arrays, gate)
    model.close()
    assert [one[0][0].tolist() for one in found] == [(array * 2).tolist() for array in arrays]
    assert gate.shapes[0] == (1, 2)
    assert sorted(gate.shapes[1:]) == [(1, 3), (2, 2), (20, 2)]


def test_an_error_reaches_only_its_own_call() -> None:
    gate = _Gated()

    def refuse(x: Any) -> None:
        gate(x)
        if x.shape[1] == 3:
            raise ValueError("three columns")

    model = HostedModel("m", Doubling(refuse), options(max_batch_size=8))
    found = _told(model, [_array(1, 0), _array(1, 1), _array(1, 2, 3), _array(1, 3)], gate)
    model.close()
    assert isinstance(found[2], ValueError)
    assert [one[0][0].shape for one in (found[0], found[1], found[3])] == [(1, 2)] * 3
    assert model.metrics.in_flight == 0


class _Layered:
    """A model whose state runs over layers first, so that requests can't be put together."""

    input_names, output_names = ("x", "state"), ("y",)
    description: Mapping[str, Any] = MappingProxyType({})

    def __init__(self) -> None:
        self.batches: list[int] = []

    def run(self, inputs: Any) -> list[Any]:
        self.batches.append(len(inputs["x"]))
        return [inputs["x"] + inputs["state"].sum(axis=0)]

    def close(self) -> None:
        pass


def test_a_model_whose_first_axes_differ_gets_each_request_by_itself() -> None:
    session = _Layered()
    model = HostedModel("m", session, options(max_batch_size=8))
    inputs = {"x": np.ones((3, 2), np.float32), "state": np.ones((4, 3, 2), np.float32)}
    model.run(inputs)
    model.run({"x": inputs["x"][:1], "state": inputs["state"][:, :1]})
    assert model.metadata["inputs"][1]["shape"] == [4, -1, 2]
    # Now that it is known, not even what looks as if it would fit.
    even = {"x": np.ones((4, 2), np.float32), "state": np.ones((4, 4, 2), np.float32)}
    left = threading.Semaphore(0)
    for _ in range(5):
        model.submit(even, lambda _: left.release())
    for _ in range(5):
        assert left.acquire(timeout=30)
    model.close()
    assert session.batches == [3, 1, 4, 4, 4, 4, 4]


@pytest.mark.parametrize(
    ("names", "says"), [(("x", "y"), "has no input 'y'"), ((), "inputs x of m are missing")]
)
def test_inputs_that_are_not_the_models_are_refused(names: tuple[str, ...], says: str) -> None:
    model = HostedModel("m", Doubling(), options())
    with pytest.raises(Refusal, match=says):
        model.submit({name: np.ones((1, 2)) for name in names}, lambda _: None)
    model.close()
