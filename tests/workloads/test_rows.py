"""Rows: the right samples, as a view exactly where they lie side by side."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.workloads import WorkloadError
from inferometer.workloads.rows import take_rows

ROWS = 12
LOADED = np.arange(ROWS * 6, dtype=np.float32).reshape(ROWS, 2, 3)


@given(st.lists(st.integers(0, ROWS - 1), max_size=ROWS), st.permutations(range(ROWS)))
def test_samples_are_those_asked_for_in_their_order(indices: list[int], rows: list[int]) -> None:
    found = take_rows(LOADED, np.array(rows), np.array(indices, np.int64))
    np.testing.assert_array_equal(found, LOADED[[rows[index] for index in indices]])
    assert found.flags.c_contiguous


@given(st.integers(0, ROWS - 1), st.integers(1, ROWS), st.integers(0, 5))
def test_neighbours_are_a_view(first: int, count: int, gap: int) -> None:
    last = min(first + count, ROWS)
    row_of_sample = np.concatenate([np.full(gap, -1), np.arange(ROWS)])
    found = take_rows(LOADED, row_of_sample, np.arange(first, last, dtype=np.int32) + gap)
    assert np.shares_memory(found, LOADED)
    np.testing.assert_array_equal(found, LOADED[first:last])


@pytest.mark.parametrize("indices", [[2, 1], [0, 2], [1, 1], [0, 1, 1]])
def test_others_are_gathered(indices: list[int]) -> None:
    found = take_rows(LOADED, np.arange(ROWS), np.array(indices))
    assert not np.shares_memory(found, LOADED)


@pytest.mark.parametrize("indices", [[3], [0, 3], [3, 0]])
def test_a_sample_that_is_not_loaded_is_an_error(indices: list[int]) -> None:
    row_of_sample = np.array([0, 1, 2, -1])
    with pytest.raises(WorkloadError, match="isn't loaded"):
        take_rows(LOADED, row_of_sample, np.array(indices))
