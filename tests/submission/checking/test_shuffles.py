"""Shuffles of the C++ libraries, against what published logs of the round loaded."""

from __future__ import annotations

import pytest

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
