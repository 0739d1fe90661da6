"""Shuffles of the C++ libraries, against what published logs of the round loaded."""

from __future__ import annotations

import numpy as np
import pytest

from inferometer.loadgen.random_stream import RandomStream
from inferometer.submission.checking.shuffles import MOST_SHUFFLED, CppLibrary, shuffled
from tests.support import V05_SEEDS

_PUBLISHED = [
    # closed/Alibaba, alibaba_HanGuang, resnet, and alibaba_cloud_t4, ssd-large
    (CppLibrary.LIBSTDCXX_OLD, 1600, [257, 183, 1526, 701, 555, 1110]),
    (CppLibrary.LIBSTDCXX_OLD, 5000, [1873, 183, 1526, 701, 1720, 1110]),
    # closed/dividiti, mate10pro (Android)
    (CppLibrary.LIBCXX, 1024, [143, 865, 217, 945, 776, 316]),
    # closed/Intel, ICL-I3 (Windows), ssd-small
    (CppLibrary.MSVC, 5000, [180, 4, 3705, 4849, 2107, 2400]),
    # closed/Intel, clx-9282 (Linux), mobilenet
    (CppLibrary.LIBSTDCXX, 50_000, [32084, 48428, 11861, 17386, 952, 42450]),
]


@pytest.mark.parametrize(("library", "length", "first"), _PUBLISHED)
def test_published_orders(library: CppLibrary, length: int, first: list[int]) -> None:
    assert shuffled(library, V05_SEEDS["qsl_rng_seed"], length)[:6].tolist() == first


@pytest.mark.parametrize("library", CppLibrary)
@pytest.mark.parametrize("length", [0, 1, 2, 3, 257, 1000])
def test_each_is_a_permutation(library: CppLibrary, length: int) -> None:
    assert sorted(shuffled(library, 7, length).tolist()) == list(range(length))


def test_too_long_lists_are_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        shuffled(CppLibrary.MSVC, 1, MOST_SHUFFLED + 1)


def _one_by_one(library: CppLibrary, seed: int, length: int) -> list[int]:
    """Shuffle as the libraries' sources do it, one number after the other."""
    words = iter(RandomStream(seed).words(4 * length + 100).tolist())
    entries = list(range(length))
    for step in range(1, length):
        count = length - step + 1 if library is CppLibrary.LIBCXX else step + 1
        if library is CppLibrary.LIBSTDCXX_OLD:
            part = (2**32 - 1) // count
            other = next(w for w in words if w < part * count) // part
        elif library is CppLibrary.MSVC:
            other = next(w for w in words if w < 2**32 // count * count) % count
        else:
            mask = (1 << (count - 1).bit_length()) - 1
            other = step - 1 + next(w & mask for w in words if w & mask < count)
        here = step - 1 if library is CppLibrary.LIBCXX else step
        entries[here], entries[other] = entries[other], entries[here]
    return entries


@pytest.mark.parametrize("library", [CppLibrary.LIBSTDCXX_OLD, CppLibrary.LIBCXX, CppLibrary.MSVC])
@pytest.mark.parametrize("length", [2, 3, 64, 65, 1000, 70_001])
def test_as_one_by_one(library: CppLibrary, length: int) -> None:
    assert shuffled(library, 7, length).tolist() == _one_by_one(library, 7, length)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("library", "first"),
    [
        (CppLibrary.LIBSTDCXX, [500720, 2507976, 3330777, 1594825]),
        (CppLibrary.LIBSTDCXX_NEW, [500720, 2507951, 3330739, 1594780]),
        (CppLibrary.LIBSTDCXX_OLD, [500720, 2507976, 3330777, 1594825]),
        (CppLibrary.LIBCXX, [1456271, 1339233, 1661872, 3390215]),
        (CppLibrary.MSVC, [2818765, 1294506, 1091297, 142014]),
    ],
)
def test_the_library_of_translation(library: CppLibrary, first: list[int]) -> None:
    order = shuffled(library, V05_SEEDS["qsl_rng_seed"], 3_903_900)
    assert order[:4].tolist() == first
    assert np.array_equal(np.sort(order), np.arange(len(order)))
