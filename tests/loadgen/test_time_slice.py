"""Time slice: asked for while a run lasts, and given back."""

from __future__ import annotations

import pytest

from inferometer.loadgen.process_state import TimingOptions, punctual_thread
from inferometer.loadgen.time_slice import short_slice, slice_of_thread_ns


def test_slice_is_the_thread_s_own_while_it_is_asked_for() -> None:
    before = slice_of_thread_ns()
    if not before:
        pytest.skip("this kernel has no time slices for single threads")
    with short_slice(200_000):
        assert slice_of_thread_ns() == 200_000
    assert slice_of_thread_ns() == before
    with punctual_thread(TimingOptions()):
        assert slice_of_thread_ns() == TimingOptions().slice_ns
    assert slice_of_thread_ns() == before


def test_slice_is_given_back_after_an_error() -> None:
    before = slice_of_thread_ns()
    with pytest.raises(ZeroDivisionError), short_slice(200_000):
        _ = 1 / 0
    assert slice_of_thread_ns() == before


def test_slice_out_of_range_changes_nothing_for_long() -> None:
    before = slice_of_thread_ns()
    with short_slice(-1):
        pass
    assert slice_of_thread_ns() == before
