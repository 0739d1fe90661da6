"""Random numbers, bit for bit those of the published LoadGen.

The engine is the 32-bit Mersenne Twister; the distributions are those of libstdc++,
whose exact number of draws per value is part of the contract: one value drawn more or
less shifts everything after it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.random import MT19937
from numpy.typing import NDArray

from inferometer.loadgen.swaps import swapped_backwards
from inferometer.loadgen.vocabulary import IntegerFlavour

__all__ = ["DEFAULT_SEED", "RandomStream", "poisson_gaps_ns", "shuffle_bounds"]

DEFAULT_SEED = 5489
"""What a default-constructed std::mt19937 is seeded with."""

_WORD = 2**32
_MAX_WORD = _WORD - 1
_PAIRED_SHUFFLE_LIMIT = 65_535
_DENSE_REJECTION = 1 / 64
_FIRST_BLOCK = 1024
_LONGEST_AT_ONCE = 1 << 18

Words = NDArray[np.uint64]
Integers = NDArray[np.int64]


class RandomStream:
    """One seeded engine, read in blocks.

    ``seed`` is taken modulo 2**32, as std::mt19937 does with a 64-bit seed. Every method
    consumes exactly the draws that the published LoadGen consumes for the same values.
    """

    def __init__(self, seed: int, flavour: IntegerFlavour = IntegerFlavour.LEMIRE):
        self._engine = MT19937()
        self._engine._legacy_seeding(seed & _MAX_WORD)
        self._flavour = flavour
        self._ahead: Words = np.empty(0, np.uint64)

    def words(self, count: int) -> Words:
        """Give the next ``count`` raw 32-bit outputs, as uint64 [count]."""
        taken = self._peek(count)
        self._drop(count)
        return taken

    def integers(self, bounds: Integers | NDArray[np.uint64]) -> Integers:
        """Draw one integer in [0, bound) for each bound, in order; int64 [len(bounds)].

        Bounds lie from 1 to 2**32 - 1. A bound of 1 still consumes a draw.
        """
        if len(bounds) > _LONGEST_AT_ONCE:
            starts = range(0, len(bounds), _LONGEST_AT_ONCE)
            return np.concatenate([self.integers(bounds[s : s + _LONGEST_AT_ONCE]) for s in starts])
        wide = np.asarray(bounds, np.uint64)
        chances = self._rejection_chances(wide)
        if chances.size and float(chances.mean()) > _DENSE_REJECTION:
            return self._integers_one_by_one(wide)
        values = np.empty(len(wide), np.int64)
        done, block = 0, _FIRST_BLOCK
        while done < len(wide):
            part = wide[done : done + block]
            found, accepted = self._scale(self._peek(len(part)), part)
            if accepted.all():
                good = used = len(part)
                block *= 2
            else:
                good = int(accepted.argmin())
                used = good + 1
                block = max(_FIRST_BLOCK // 4, block // 2)
            values[done : done + good] = found[:good]
            self._drop(used)
            done += good
        return values

    def integers_below(self, bound: int, count: int) -> Integers:
        """Draw ``count`` integers in [0, bound); int64 [count]."""
        kept: list[Integers] = []
        missing = count
        while missing:
            words = self._peek(missing)
            found, accepted = self._scale(words, np.full(1, bound, np.uint64))
            good = found[accepted]
            self._drop(missing)
            kept.append(good)
            missing -= len(good)
        return np.concatenate(kept) if kept else np.empty(0, np.int64)

    def canonical(self, count: int) -> NDArray[np.float64]:
        """Draw ``count`` doubles in [0, 1), two outputs each (std::generate_canonical)."""
        pairs = self.words(2 * count).astype(np.float64)
        reals = (pairs[0::2] + pairs[1::2] * float(_WORD)) / float(2**64)
        below_one: NDArray[np.float64] = np.minimum(reals, np.nextafter(1.0, 0.0))
        return below_one

    def skip_shuffle(self, length: int, times: int = 1) -> None:
        """Consume the draws of ``times`` shuffles of a list of ``length`` entries."""
        bounds = shuffle_bounds(length)
        if not len(bounds):
            return
        at_once = max(1, (1 << 20) // len(bounds))
        for start in range(0, times, at_once):
            self.integers(np.tile(bounds, min(at_once, times - start)))

    def permutation(self, length: int) -> Integers:
        """Shuffle 0 … length-1 once (std::shuffle); int64 [length]."""
        entries: Integers = self.permutations(length, 1)[0]
        return entries

    def permutations(self, length: int, times: int) -> Integers:
        """Shuffle 0 … length-1 ``times`` times, each from the start; int64 [times, length]."""
        bounds = shuffle_bounds(length)
        draws = self.integers(np.tile(bounds, times)).reshape(times, len(bounds))
        targets = _swap_targets(draws, length)
        if times >= 64:
            return _shuffle_rows(targets, length, times)
        rows = [swapped_backwards(row)[:length] for row in targets]
        return np.array(rows, np.int64).reshape(times, length)

    def _peek(self, count: int) -> Words:
        missing = count - len(self._ahead)
        if missing > 0:
            self._ahead = np.concatenate([self._ahead, self._engine.random_raw(missing)])
        return self._ahead[:count]

    def _drop(self, count: int) -> None:
        self._ahead = self._ahead[count:]

    def _rejection_chances(self, bounds: Words) -> NDArray[np.float64]:
        remainder = _WORD % bounds if self._lemire else _MAX_WORD % bounds
        chances: NDArray[np.float64] = remainder / float(_WORD)
        return chances

    @property
    def _lemire(self) -> bool:
        return self._flavour is IntegerFlavour.LEMIRE

    def _scale(self, words: Words, bounds: Words) -> tuple[Integers, NDArray[np.bool_]]:
        """Map raw outputs to [0, bound); the second array tells which are accepted."""
        if self._lemire:
            product = words * bounds
            accepted = (product & _MAX_WORD) >= _WORD % bounds
            return (product >> np.uint64(32)).astype(np.int64), accepted
        step = _MAX_WORD // bounds
        return (words // step).astype(np.int64), words < step * bounds

    def _integers_one_by_one(self, bounds: Words) -> Integers:
        """Draw where rejections are so frequent that blocks would be thrown away."""
        draws = _lemire_draws if self._lemire else _scaling_draws
        values, used = draws(lambda count: self._peek(count).tolist(), bounds)
        self._drop(used)
        return np.array(values, np.int64)


def _lemire_draws(peek: Callable[[int], list[int]], bounds: Words) -> tuple[list[int], int]:
    """Draw below each bound; give the values and how many words they took."""
    values: list[int] = []
    words, place = peek(2 * len(bounds)), 0
    for bound, least in zip(bounds.tolist(), (_WORD % bounds).tolist(), strict=True):
        while True:
            if place == len(words):
                words = peek(2 * place)
            product = words[place] * bound
            place += 1
            if product & 0xFFFFFFFF >= least:
                values.append(product >> 32)
                break
    return values, place


def _scaling_draws(peek: Callable[[int], list[int]], bounds: Words) -> tuple[list[int], int]:
    """Draw below each bound as older compilers do; otherwise like `_lemire_draws`."""
    values: list[int] = []
    words, place = peek(2 * len(bounds)), 0
    for bound, step in zip(bounds.tolist(), (_MAX_WORD // bounds).tolist(), strict=True):
        past = step * bound
        while True:
            if place == len(words):
                words = peek(2 * place)
            word = words[place]
            place += 1
            if word < past:
                values.append(word // step)
                break
    return values, place


def shuffle_bounds(length: int) -> Integers:
    """Give the bounds that std::shuffle of ``length`` entries draws below, in order.

    Up to 65,535 entries libstdc++ makes two swaps from one draw; beyond, one from one.
    """
    if length < 2:
        return np.empty(0, np.int64)
    if length > _PAIRED_SHUFFLE_LIMIT:
        return np.arange(2, length + 1, dtype=np.int64)
    first = np.arange(2 if length % 2 == 0 else 1, length, 2, dtype=np.int64)
    pairs = (first + 1) * (first + 2)
    return np.concatenate([[2], pairs]).astype(np.int64) if length % 2 == 0 else pairs


def _swap_targets(draws: Integers, length: int) -> Integers:
    """Turn draws into the partner of each entry 1 … length-1; int64 [rows, length-1]."""
    if length > _PAIRED_SHUFFLE_LIMIT or length < 2:
        return draws
    start = 2 if length % 2 == 0 else 1
    first = np.arange(start, length, 2, dtype=np.int64)
    targets = np.empty((len(draws), length - 1), np.int64)
    targets[:, : start - 1] = draws[:, : start - 1]
    paired = draws[:, start - 1 :]
    targets[:, start - 1 :: 2] = paired // (first + 2)
    targets[:, start::2] = paired % (first + 2)
    return targets


def _shuffle_rows(targets: Integers, length: int, times: int) -> Integers:
    """Do the same swap step of all shuffles together, for many short shuffles."""
    entries = np.tile(np.arange(length, dtype=np.int64), (times, 1))
    rows = np.arange(times)
    for here in range(1, length):
        there = targets[:, here - 1]
        kept = entries[:, here].copy()
        entries[:, here] = entries[rows, there]
        entries[rows, there] = kept
    return entries


def poisson_gaps_ns(uniform: NDArray[np.float64], rate_qps: float) -> Integers:
    """Turn uniform reals into gaps of a Poisson process, in whole ns; int64 [len(uniform)].

    Each gap is trunc(-ln(1 - u) / rate * 1e9) with the C library's logarithm. NumPy's
    differs from it in the last bit now and then, so the few gaps that such a difference
    could move across a whole number are computed once more, one by one.
    """
    gaps = -np.log(1.0 - uniform) / rate_qps * 1e9
    slack = gaps * 2.0**-48
    for place in np.flatnonzero(np.floor(gaps - slack) != np.floor(gaps + slack)):
        gaps[place] = -math.log(1.0 - float(uniform[place])) / rate_qps * 1e9
    if gaps.size and not float(gaps.max()) < 2.0**63:
        raise OverflowError(f"a rate of {rate_qps} queries a second gives gaps beyond 2**63 ns")
    return gaps.astype(np.int64)
