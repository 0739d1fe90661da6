"""Shuffles: how the C++ libraries that LoadGen is built with bring a list into random order.

The standard fixes the engine, but neither the shuffle nor how bounded integers are drawn. So
the same seed gives other orders on Android, on Windows, or with an old GCC.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import IntegerFlavour
from inferometer.loadgen.random_stream import RandomStream

__all__ = ["MOST_SHUFFLED", "CppLibrary", "shuffled"]

MOST_SHUFFLED = 200_000
"""Longest list that is shuffled here; the old libraries' ways can't be computed in bulk."""

_WORD = 2**32
_BLOCK = 8192


class CppLibrary(enum.Enum):
    """A C++ library, and the years of GCC where that matters."""

    LIBSTDCXX = "libstdc++ of GCC 7 to 10"
    LIBSTDCXX_NEW = "libstdc++ of GCC 11 and later"
    LIBSTDCXX_OLD = "libstdc++ before GCC 7"
    LIBCXX = "libc++"
    MSVC = "Microsoft's library"


@functools.lru_cache(maxsize=64)
def shuffled(library: CppLibrary, seed: int, length: int) -> NDArray[np.int64]:
    """Shuffle 0 … length-1 with an engine seeded anew; int64 [length], not to be written to.

    Raises `ValueError` for a list longer than `MOST_SHUFFLED`.
    """
    if length > MOST_SHUFFLED:
        raise ValueError(f"a list of {length} is too long to shuffle")
    flavours = {
        CppLibrary.LIBSTDCXX: IntegerFlavour.SCALING,
        CppLibrary.LIBSTDCXX_NEW: IntegerFlavour.LEMIRE,
    }
    if library in flavours:
        order = RandomStream(seed, flavours[library]).permutation(length)
    else:
        order = np.array(_ONE_BY_ONE[library](_words(seed), length), np.int64)
    order.setflags(write=False)
    return order


def _words(seed: int) -> Iterator[int]:
    """Give the engine's 32-bit numbers, one by one."""
    stream = RandomStream(seed)
    while True:
        yield from stream.words(_BLOCK).tolist()


def _by_division(words: Iterator[int], length: int) -> list[int]:
    """Swap each entry with one up to it, chosen by dividing the range into equal parts."""
    entries = list(range(length))
    for last in range(1, length):
        part = (_WORD - 1) // (last + 1)
        word = next(words)
        while word >= part * (last + 1):
            word = next(words)
        other = word // part
        entries[last], entries[other] = entries[other], entries[last]
    return entries


def _by_low_bits(words: Iterator[int], length: int) -> list[int]:
    """Swap each entry with one from it on, chosen by as many low bits as the rest needs."""
    entries = list(range(length))
    for first in range(length - 1):
        rest = length - first
        mask = (1 << (rest - 1).bit_length()) - 1
        word = next(words) & mask
        while word >= rest:
            word = next(words) & mask
        entries[first], entries[first + word] = entries[first + word], entries[first]
    return entries


def _by_remainder(words: Iterator[int], length: int) -> list[int]:
    """Swap each entry with one up to it, chosen by the remainder of a division."""
    entries = list(range(length))
    for last in range(1, length):
        count = last + 1
        whole = _WORD // count * count
        word = next(words)
        while word >= whole:
            word = next(words)
        other = word % count
        entries[last], entries[other] = entries[other], entries[last]
    return entries


_ONE_BY_ONE: dict[CppLibrary, Callable[[Iterator[int], int], list[int]]] = {
    CppLibrary.LIBSTDCXX_OLD: _by_division,
    CppLibrary.LIBCXX: _by_low_bits,
    CppLibrary.MSVC: _by_remainder,
}
