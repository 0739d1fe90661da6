"""Random numbers against the published vectors and a plain reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inferometer.loadgen.random_stream import RandomStream, poisson_gaps_ns, shuffle_bounds
from inferometer.loadgen.vocabulary import IntegerFlavour

QSL_SEED = 3133965575612453542
INDEX_SEED = 665484352860916858
SCHEDULE_SEED = 3622009729038561421


class Reference:
    """The published algorithms, one draw at a time."""

    def __init__(self, seed: int, flavour: IntegerFlavour):
        self._engine = np.random.MT19937()
        self._engine._legacy_seeding(seed & 0xFFFFFFFF)
        self._flavour = flavour

    def word(self) -> int:
        return int(self._engine.random_raw())

    def below(self, bound: int) -> int:
        top = 2**32 - 1
        if self._flavour is IntegerFlavour.LEMIRE:
            product = self.word() * bound
            if product & top < bound:
                threshold = (2**32 - bound) % bound
                while product & top < threshold:
                    product = self.word() * bound
            return product >> 32
        step = top // bound
        while (word := self.word()) >= step * bound:
            pass
        return word // step

    def shuffle(self, entries: list[int]) -> list[int]:
        count = len(entries)
        if count > 65_535:
            for here in range(1, count):
                self._swap(entries, here, self.below(here + 1))
            return entries
        here = 1
        if count and count % 2 == 0:
            self._swap(entries, 1, self.below(2))
            here = 2
        while here < count:
            first, second = divmod(self.below((here + 1) * (here + 2)), here + 2)
            self._swap(entries, here, first)
            self._swap(entries, here + 1, second)
            here += 2
        return entries

    @staticmethod
    def _swap(entries: list[int], one: int, other: int) -> None:
        entries[one], entries[other] = entries[other], entries[one]


def test_default_engine_begins_as_published() -> None:
    assert RandomStream(5489).words(4).tolist() == [
        3499211612,
        581869302,
        3890346734,
        3586334585,
    ]


@pytest.mark.parametrize(
    ("seed", "expected"),
    [(1, [9, 0, 2, 5, 7, 4, 6, 3, 1, 8]), (QSL_SEED, [6, 5, 7, 4, 9, 3, 8, 2, 1, 0])],
)
def test_shuffle_vectors(seed: int, expected: list[int]) -> None:
    assert RandomStream(seed).permutation(10).tolist() == expected


def test_integer_vector() -> None:
    found = RandomStream(INDEX_SEED).integers_below(1000, 8).tolist()
    assert found == [31, 696, 52, 907, 350, 208, 603, 253]


def test_canonical_vector() -> None:
    assert RandomStream(SCHEDULE_SEED).canonical(3).tolist() == [
        0.9982224972651119,
        0.8667888018437603,
        0.8155297545528434,
    ]


@pytest.mark.parametrize(
    ("seed", "offset"), [(0, 0.5928446165166826), (720381539243781796, 0.49069568815352677)]
)
def test_accuracy_log_offsets(seed: int, offset: float) -> None:
    assert RandomStream(seed).canonical(1)[0] == offset


def test_schedule_vector() -> None:
    gaps = poisson_gaps_ns(RandomStream(SCHEDULE_SEED).canonical(5), 1000.0)
    assert np.cumsum(gaps).tolist() == [6332545, 8348364, 10038631, 11504674, 13418164]


def test_only_the_low_word_of_a_seed_matters() -> None:
    assert RandomStream(7).words(3).tolist() == RandomStream(7 + (5 << 32)).words(3).tolist()


@pytest.mark.parametrize("flavour", IntegerFlavour)
@pytest.mark.parametrize("length", [0, 1, 2, 3, 10, 999, 1024, 40_000, 65_535, 65_536, 70_001])
def test_permutation_equals_the_reference(flavour: IntegerFlavour, length: int) -> None:
    reference, stream = Reference(length + 7, flavour), RandomStream(length + 7, flavour)
    assert stream.permutation(length).tolist() == reference.shuffle(list(range(length)))
    assert int(stream.words(1)[0]) == reference.word(), "it consumed another number of draws"


@given(
    st.integers(0, 2**64 - 1),
    st.integers(0, 300),
    st.integers(1, 80),
    st.sampled_from(IntegerFlavour),
)
@settings(max_examples=60, deadline=None)
def test_many_permutations_equal_many_single_ones(
    seed: int, length: int, times: int, flavour: IntegerFlavour
) -> None:
    reference, stream, skipping = (
        Reference(seed, flavour),
        RandomStream(seed, flavour),
        RandomStream(seed, flavour),
    )
    rows = stream.permutations(length, times)
    assert rows.tolist() == [reference.shuffle(list(range(length))) for _ in range(times)]
    skipping.skip_shuffle(length, times)
    assert skipping.words(2).tolist() == stream.words(2).tolist()


@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.integers(1, 2**32 - 1), max_size=200),
    st.sampled_from(IntegerFlavour),
)
@settings(max_examples=80, deadline=None)
def test_integers_equal_the_reference_for_any_bounds(
    seed: int, bounds: list[int], flavour: IntegerFlavour
) -> None:
    reference, stream = Reference(seed, flavour), RandomStream(seed, flavour)
    found = stream.integers(np.array(bounds, np.uint64))
    assert found.tolist() == [reference.below(bound) for bound in bounds]
    assert int(stream.words(1)[0]) == reference.word()


@given(st.integers(0, 2**32 - 1), st.integers(1, 2**32 - 1), st.integers(0, 500))
@settings(max_examples=60, deadline=None)
def test_one_bound_equals_many_equal_bounds(seed: int, bound: int, count: int) -> None:
    one, many = RandomStream(seed), RandomStream(seed)
    expected = many.integers(np.full(count, bound, np.uint64))
    assert one.integers_below(bound, count).tolist() == expected.tolist()


def test_shuffle_bounds_give_one_draw_for_two_swaps_up_to_65535() -> None:
    assert shuffle_bounds(5).tolist() == [2 * 3, 4 * 5]
    assert shuffle_bounds(4).tolist() == [2, 3 * 4]
    assert len(shuffle_bounds(65_535)) == 32_767
    assert len(shuffle_bounds(65_536)) == 65_535


@given(st.integers(0, 2**32 - 1), st.floats(1e-3, 1e7))
@settings(max_examples=40, deadline=None)
def test_gaps_equal_the_c_librarys_logarithm(seed: int, rate: float) -> None:
    import math

    reals = RandomStream(seed).canonical(300)
    expected = [int(-math.log(1.0 - u) / rate * 1e9) for u in reals.tolist()]
    assert poisson_gaps_ns(reals, rate).tolist() == expected


def test_a_rate_too_small_for_64_bits_is_refused() -> None:
    with pytest.raises(OverflowError, match="2\\*\\*63"):
        poisson_gaps_ns(np.array([0.5]), 1e-12)
