"""Model timer: the calls of all parts of a model add up, for each thread by itself."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inferometer.backends import Session
from inferometer.loadgen import Responses
from inferometer.runs import model_timer
from inferometer.runs.model_timer import ModelTimer, TimedPredictor

INPUTS_NS, ENCODER_NS, DECODER_NS, STEPS = 7, 1000, 30, 3


class Clock:
    """A clock for each thread that only moves when it is told to."""

    def __init__(self) -> None:
        self._times = threading.local()

    def perf_counter_ns(self) -> int:
        return int(getattr(self._times, "now_ns", 0))

    def move(self, by_ns: int) -> None:
        self._times.now_ns = self.perf_counter_ns() + by_ns


class Part:
    """A session whose calls take a given time."""

    input_names = ("input",)
    output_names = ("output",)

    def __init__(self, clock: Clock, takes_ns: int) -> None:
        self._clock, self._takes_ns = clock, takes_ns
        self.is_closed = False

    @property
    def description(self) -> Mapping[str, Any]:
        return {"precision": "fp32", "is_closed": self.is_closed}

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        self._clock.move(self._takes_ns)
        return list(inputs.values())

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(model_timer, "time", found)
    return found


def translator(clock: Clock) -> TimedPredictor:
    """A model of two parts, the second of which is called several times."""
    timer = ModelTimer()
    encoder: Session = timer.over(Part(clock, ENCODER_NS))
    decoder: Session = timer.over(Part(clock, DECODER_NS))

    def predict(indices: NDArray[np.integer[Any]], inputs: Mapping[str, NDArray[Any]]) -> Responses:
        state = encoder.run(inputs)[0]
        for _ in range(STEPS * len(indices)):
            clock.move(5)
            state = decoder.run({"input": state})[0]
        return state

    def inputs(indices: NDArray[np.integer[Any]]) -> Mapping[str, NDArray[Any]]:
        clock.move(INPUTS_NS)
        return {"input": indices.reshape(-1, 1)}

    return TimedPredictor(predict, inputs, timer)


def test_the_calls_of_all_parts_add_up_and_each_batch_begins_at_nothing(clock: Clock) -> None:
    handler = translator(clock)
    for count in (1, 4, 2):
        responses, preprocess_ns, infer_ns = handler.timed(np.arange(count))
        assert np.asarray(responses).ravel().tolist() == list(range(count))
        assert preprocess_ns == INPUTS_NS
        assert infer_ns == ENCODER_NS + STEPS * count * DECODER_NS


def test_untimed_calls_give_the_same_and_count_for_nothing(clock: Clock) -> None:
    handler = translator(clock)
    assert np.asarray(handler(np.arange(3))).ravel().tolist() == [0, 1, 2]
    assert handler.timed(np.arange(1))[2] == ENCODER_NS + STEPS * DECODER_NS


def test_threads_do_not_see_each_others_time(clock: Clock) -> None:
    """All are in the model together: each has begun before one ends, and ended before one reads."""
    timer, barrier = ModelTimer(), threading.Barrier(3, timeout=30)
    session = timer.over(Part(clock, ENCODER_NS))
    found: dict[int, int] = {}

    def inputs(indices: NDArray[np.integer[Any]]) -> Mapping[str, NDArray[Any]]:
        barrier.wait()
        return {"input": indices}

    def predict(indices: NDArray[np.integer[Any]], inputs: Mapping[str, NDArray[Any]]) -> Responses:
        for _ in indices:
            answer = session.run(inputs)[0]
        barrier.wait()
        return answer

    handler = TimedPredictor(predict, inputs, timer)

    def work(count: int) -> None:
        found[count] = handler.timed(np.arange(count))[2]

    threads = [threading.Thread(target=work, args=(count,)) for count in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {count: count * ENCODER_NS for count in (1, 2, 3)}


def test_a_call_that_fails_is_counted_in_no_other(clock: Clock) -> None:
    timer, failures = ModelTimer(), itertools.chain([True], itertools.repeat(False))
    session = timer.over(Part(clock, ENCODER_NS))

    def predict(indices: NDArray[np.integer[Any]], inputs: Mapping[str, NDArray[Any]]) -> Responses:
        answer = session.run(inputs)[0]
        if next(failures):
            raise ValueError("cannot divide")
        return answer

    handler = TimedPredictor(predict, lambda indices: {"input": indices}, timer)
    with pytest.raises(ValueError, match="cannot divide"):
        handler.timed(np.arange(2))
    assert handler.timed(np.arange(2))[2] == ENCODER_NS


def test_a_timed_session_is_the_session_in_all_else(clock: Clock) -> None:
    part = Part(clock, ENCODER_NS)
    session = ModelTimer().over(part)
    assert (session.input_names, session.output_names) == (("input",), ("output",))
    assert session.description == {"precision": "fp32", "is_closed": False}
    session.close()
    assert part.is_closed
    assert session.description["is_closed"] is True
