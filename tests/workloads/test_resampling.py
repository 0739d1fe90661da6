"""Resampling: replicates of few parts vary as the metric over them does."""

from __future__ import annotations

import numpy as np
import pytest

from inferometer.workloads.resampling import spread_replicates

stats = pytest.importorskip("scipy.stats")


@pytest.mark.parametrize("parts", [6, 20, 200])
def test_replicates_of_a_mean_have_students_quantiles(parts: int) -> None:
    source = np.random.default_rng(3)
    shares = source.normal(0.3, 0.05, parts)
    drawn = shares[source.integers(0, parts, (40_000, parts))].mean(axis=1)
    found = spread_replicates(0.35, drawn, parts)
    half = stats.t.ppf(0.975, parts - 1) * shares.std(ddof=1) / np.sqrt(parts)
    low, high = np.quantile(found, [0.025, 0.975])
    assert found.mean() == pytest.approx(0.35)
    assert (high - low) / 2 == pytest.approx(half, rel=0.04)
