"""Swaps: what a list becomes when its entries are swapped one after the other, all at once.

A shuffle swaps each entry with one that is drawn. Done one by one in Python, millions of swaps
take seconds; here the same order follows from sorting the partners.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["swapped_backwards", "swapped_forwards"]

_PLACE_BITS = 31
_FEW = 200
"""Up to so many entries swapping one by one is faster."""

Integers = NDArray[np.int64]
Places = NDArray[np.int32]


def swapped_backwards(partners: Integers) -> Integers:
    """Swap entry i of 0 … n-1 with entry ``partners[i - 1]`` <= i, for i = 1 … n-1.

    ``partners`` is int64 [n-1]; gives int64 [n].
    """
    length = len(partners) + 1
    if length <= _FEW:
        return _one_by_one(partners, first=1)
    # Entry i is still i when its turn comes, so its partner's place gets i, and i's place gets
    # what was there: the entry that was last put there, or else what that place began with.
    goes_to = np.concatenate([[0], partners]).astype(np.int32)
    order, is_first = _by_target(goes_to)
    begins = np.empty(length, np.int32)
    begins[order[1:]] = order[:-1]
    own = np.flatnonzero(goes_to == np.arange(length, dtype=np.int32))
    begins[own] = own
    chained = order[is_first]
    chained = chained[goes_to[chained] != chained]
    begins[chained] = _ends(goes_to, chained, length, begins)
    last = order[np.append(is_first[1:], True)]
    begins[goes_to[last]] = last
    return begins.astype(np.int64)


def swapped_forwards(partners: Integers) -> Integers:
    """Swap entry i of 0 … n-1 with entry ``partners[i]`` >= i, for i = 0 … n-2.

    ``partners`` is int64 [n-1]; gives int64 [n].
    """
    length = len(partners) + 1
    if length <= _FEW:
        return _one_by_one(partners, first=0)
    # What stands at i when its turn comes was put there by the last swap that went to i, from
    # its own place; so it is found by following swaps back to a place no earlier one went to.
    goes_to = partners.astype(np.int32)
    order, is_first = _by_target(goes_to)
    is_last = np.append(is_first[1:], True)
    source = np.arange(length, dtype=np.int32)
    moved = order[is_last]
    away = moved[goes_to[moved] != moved]
    source[goes_to[away]] = away
    # A place that swaps with itself in the end was last reached by the swap before that.
    alone = np.flatnonzero(is_last & (goes_to[order] == order) & ~is_first)
    source[order[alone]] = order[alone - 1]
    stands = _roots(source)
    entries = np.empty(length, np.int64)
    entries[:-1] = goes_to
    later = np.flatnonzero(~is_first)
    entries[order[later]] = stands[order[later - 1]]
    own = np.flatnonzero(goes_to == np.arange(length - 1, dtype=np.int32))
    entries[own] = stands[own]
    entries[-1] = stands[-1]
    return entries


def _by_target(targets: Places) -> tuple[Places, NDArray[np.bool_]]:
    """Sort places by where they are swapped to; tell which is the first of each target."""
    # Whole numbers that hold target and place are sorted several times faster than places are.
    both = (targets.astype(np.int64) << _PLACE_BITS) | np.arange(len(targets))
    both.sort()
    order = (both & ((1 << _PLACE_BITS) - 1)).astype(np.int32)
    is_first = np.ones(len(order), np.bool_)
    is_first[1:] = targets[order[1:]] != targets[order[:-1]]
    return order, is_first


def _ends(goes_to: Places, chained: Places, length: int, begins: Places) -> Places:
    """Give what the chained places begin with: what the place that they go to begins with."""
    following = np.arange(length, dtype=np.int32)
    following[chained] = goes_to[chained]
    ends: Places = begins[_roots(following)[chained]]
    return ends


def _roots(following: Places) -> Places:
    """Follow each place until one that follows itself."""
    while True:
        further = following[following]
        if np.array_equal(further, following):
            return following
        following = further


def _one_by_one(partners: Integers, first: int) -> Integers:
    entries = list(range(len(partners) + 1))
    for here, there in enumerate(partners.tolist(), start=first):
        entries[here], entries[there] = entries[there], entries[here]
    return np.array(entries, np.int64)
