"""Swaps done all at once give what swapping one by one gives."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from inferometer.loadgen import swaps
from inferometer.loadgen.swaps import swapped_backwards, swapped_forwards


def _swapped(partners: NDArray[np.int64], first: int) -> list[int]:
    entries = list(range(len(partners) + 1))
    for here, there in enumerate(partners.tolist(), start=first):
        entries[here], entries[there] = entries[there], entries[here]
    return entries


@pytest.mark.parametrize("length", [1, 2, 3, 4, 7, 30, 201, 3000])
def test_as_one_by_one(length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(length)
    for few in (1, 10_000):
        monkeypatch.setattr(swaps, "_FEW", few)
        for _ in range(30):
            back = rng.integers(0, np.arange(2, length + 1))
            assert swapped_backwards(back).tolist() == _swapped(back, 1)
            forth = length - 1 - rng.integers(0, np.arange(2, length + 1))[::-1]
            assert swapped_forwards(forth).tolist() == _swapped(forth, 0)


@pytest.mark.parametrize("length", [2, 5, 500])
def test_nothing_swapped_and_always_the_same_place(length: int) -> None:
    place = np.arange(length)
    assert swapped_backwards(place[1:]).tolist() == place.tolist()
    assert swapped_forwards(place[:-1]).tolist() == place.tolist()
    first = np.zeros(length - 1, np.int64)
    assert swapped_backwards(first).tolist() == _swapped(first, 1)
    last = np.full(length - 1, length - 1)
    assert swapped_forwards(last).tolist() == _swapped(last, 0)
