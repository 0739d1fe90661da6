"""Spectrum of series: the transform against SciPy, and where it is flat."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.fft import dct

from inferometer.loadgen.spectrum import bin_sums, flat_part, mean_powers, scales_of


@pytest.mark.parametrize("bins", [16, 200, 1023])
def test_mean_powers_are_those_of_the_cosine_transform(bins: int) -> None:
    sums = np.random.default_rng(1).normal(size=bins)
    sums -= sums.mean()
    expected = dct(sums, norm="ortho")[1:] ** 2
    found = mean_powers(sums, 2.0)
    assert found == pytest.approx([expected[:scale].mean() / 2.0 for scale in scales_of(bins)])


def test_bins_leave_out_the_rest() -> None:
    assert bin_sums(np.arange(7), 3).tolist() == [-4.5, 4.5]


@pytest.mark.parametrize("bins", [16, 17, 200, 1024])
def test_scales_grow_to_all(bins: int) -> None:
    scales = scales_of(bins)
    assert scales[-1] == bins - 1
    assert (np.diff(scales) > 0).all()


def test_white_noise_is_flat_and_a_random_walk_rises_all_the_way() -> None:
    source = np.random.default_rng(2)
    last = len(scales_of(1000)) - 1
    found = []
    for _ in range(200):
        noise = source.normal(size=1000)
        noise -= noise.mean()
        found.append(flat_part(1000, mean_powers(noise, 1.0)) == last)
    assert sum(found) >= 190
    walk = np.cumsum(source.normal(size=1000))
    assert scales_of(1000)[flat_part(1000, mean_powers(walk - walk.mean(), 1.0))] < 10
