"""Checks of how many times as fast one setup is said to be as another."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.random import Generator

from benchmarks.coverage.tally import Experiment, Outcome, single
from inferometer.comparing.ratio import paired_ratio, unpaired_ratio
from inferometer.tuning import gain_of

__all__ = ["ratio_checks"]


def ratio_checks() -> Iterator[Experiment]:
    """Give how many times as good one setup is: from pairs of runs, and from runs apart.

    Of two setups that don't differ, an interval that leaves out 1 claims a false difference.
    """
    why = "so few runs have only few intervals, none of which has exactly 95 %"
    for pairs in (6, 12, 24):
        for name in ("normal", "heavy-tailed"):
            trial = partial(_gain, pairs, name)
            yield single("ratios", f"{pairs} pairs, {name} noise", 8000, trial, why)
    for runs in (5, 12):
        trial = partial(_apart, runs)
        yield single("ratios", f"{runs} and {runs} runs at different times", 8000, trial, why)
    for blocks in (6, 12):
        name = f"same against itself, {blocks} blocks on a machine that drifts"
        yield single("ratios", name, 8000, partial(_same, blocks), why)


def _gain(pairs: int, noise: str, source: Generator) -> Outcome:
    drawn = source.normal(size=pairs) if noise == "normal" else source.standard_t(2, pairs)
    found = gain_of([(1.0, 1.1 * float(np.exp(0.02 * one))) for one in drawn])
    assert found is not None
    return Outcome(found.low <= 1.1 <= found.high)


def _apart(runs: int, source: Generator) -> Outcome:
    first, second = np.exp(0.02 * source.standard_t(3, (2, runs)))
    found = unpaired_ratio(first.tolist(), second.tolist(), 0.95)
    assert found is not None
    return Outcome(not found.shows_difference)


def _same(blocks: int, source: Generator) -> Outcome:
    """Compare runs in pairs whose machine slows down and is disturbed, in random order."""
    drift = np.cumsum(source.exponential(0.01, 2 * blocks))
    times = np.exp(drift + 0.02 * source.standard_t(2, 2 * blocks)).reshape(blocks, 2)
    turned = source.random(blocks) < 0.5
    first = np.where(turned, times[:, 1], times[:, 0])
    second = np.where(turned, times[:, 0], times[:, 1])
    found = paired_ratio(first.tolist(), second.tolist(), 0.95)
    assert found is not None
    return Outcome(not found.shows_difference)
