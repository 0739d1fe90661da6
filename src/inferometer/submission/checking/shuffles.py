"""Shuffles: how the C++ libraries that LoadGen is built with bring a list into random order.

The standard fixes the engine, but neither the shuffle nor how bounded integers are drawn. So
the same seed gives other orders on Android, on Windows, or with an old GCC.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import IntegerFlavour
from inferometer.loadgen.random_stream import RandomStream
from inferometer.loadgen.swaps import swapped_backwards, swapped_forwards

__all__ = ["MOST_SHUFFLED", "CppLibrary", "shuffled"]

MOST_SHUFFLED = 4_000_000
"""Longest list that is shuffled here; translation's library has 3,903,900 samples."""

_MOST_KEPT = 200_000
"""Longest list of which many orders are kept."""

_WORD = 2**32
_BLOCK = 1 << 16

Integers = NDArray[np.int64]


class CppLibrary(enum.Enum):
    """A C++ library, and the years of GCC where that matters."""

    LIBSTDCXX = "libstdc++ of GCC 7 to 10"
    LIBSTDCXX_NEW = "libstdc++ of GCC 11 and later"
    LIBSTDCXX_OLD = "libstdc++ before GCC 7"
    LIBCXX = "libc++"
    MSVC = "Microsoft's library"


def shuffled(library: CppLibrary, seed: int, length: int) -> Integers:
    """Shuffle 0 … length-1 with an engine seeded anew; int64 [length], not to be written to.

    Raises `ValueError` for a list longer than `MOST_SHUFFLED`.
    """
    if length > MOST_SHUFFLED:
        raise ValueError(f"a list of {length} is too long to shuffle")
    return (_many_kept if length <= _MOST_KEPT else _one_kept)(library, seed, length)


def _shuffled(library: CppLibrary, seed: int, length: int) -> Integers:
    order = _WAYS[library](seed, length)
    order.setflags(write=False)
    return order


_many_kept = functools.lru_cache(maxsize=64)(_shuffled)
_one_kept = functools.lru_cache(maxsize=1)(_shuffled)


def _of_libstdcxx(flavour: IntegerFlavour, seed: int, length: int) -> Integers:
    return RandomStream(seed, flavour).permutation(length)


def _by_division(seed: int, length: int) -> Integers:
    """Swap each entry with one up to it, chosen by dividing the range into equal parts."""
    bounds = np.arange(2, length + 1)
    return swapped_backwards(RandomStream(seed, IntegerFlavour.SCALING).integers(bounds))[:length]


def _by_low_bits(seed: int, length: int) -> Integers:
    """Swap each entry with one from it on, chosen by as many low bits as the rest needs."""
    rests = np.arange(length, 1, -1)
    words = _Words(seed)
    chosen, at = [np.empty(0, np.int64)], 0
    while at < len(rests):
        mask = (1 << (int(rests[at]) - 1).bit_length()) - 1
        # Down to half of the range the bits stay as many.
        part = rests[at : min(at + _BLOCK, len(rests) - mask // 2)]
        chosen.append(words.below(part, mask))
        at += len(part)
    return swapped_forwards(np.arange(len(rests)) + np.concatenate(chosen))[:length]


def _by_remainder(seed: int, length: int) -> Integers:
    """Swap each entry with one up to it, chosen by the remainder of a division."""
    counts = np.arange(2, length + 1)
    words = _Words(seed)
    chosen = [np.empty(0, np.int64)]
    for at in range(0, len(counts), _BLOCK):
        part = counts[at : at + _BLOCK]
        chosen.append(words.below(_WORD // part * part, _WORD - 1) % part)
    return swapped_backwards(np.concatenate(chosen))[:length]


class _Words:
    """The engine's 32-bit numbers, those that are refused passed over."""

    def __init__(self, seed: int):
        self._stream = RandomStream(seed)
        self._ahead = np.empty(0, np.int64)

    def below(self, limits: Integers, mask: int) -> Integers:
        """Give for each limit the next number whose bits in ``mask`` are below it."""
        while True:
            words = self._ahead & mask
            good = _accepted(words, limits)
            places = np.flatnonzero(good)[: len(limits)]
            if len(places) == len(limits):
                self._ahead = self._ahead[places[-1] + 1 :]
                return words[places]
            more = self._stream.words(max(1024, len(limits))).astype(np.int64)
            self._ahead = np.concatenate([self._ahead, more])


def _accepted(words: Integers, limits: Integers) -> NDArray[np.bool_]:
    """Tell which numbers are accepted, when each one accepted calls up the next limit.

    Which limit a number meets hangs on those before it only; so where nothing changes any
    more, all are right.
    """
    turn = np.minimum(np.arange(len(words)), len(limits) - 1)
    while True:
        good = words < limits[turn]
        after = np.minimum(np.cumsum(good) - good, len(limits) - 1)
        if np.array_equal(after, turn):
            return good
        turn = after


_WAYS: dict[CppLibrary, Callable[[int, int], Integers]] = {
    CppLibrary.LIBSTDCXX: functools.partial(_of_libstdcxx, IntegerFlavour.SCALING),
    CppLibrary.LIBSTDCXX_NEW: functools.partial(_of_libstdcxx, IntegerFlavour.LEMIRE),
    CppLibrary.LIBSTDCXX_OLD: _by_division,
    CppLibrary.LIBCXX: _by_low_bits,
    CppLibrary.MSVC: _by_remainder,
}
