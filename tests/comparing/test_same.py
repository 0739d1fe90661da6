"""A real model against itself, in fresh processes: no difference beyond what chance allows."""

from __future__ import annotations

import argparse

import pytest
from benchmarks.same import most_by_chance, trial

pytest.importorskip("onnxruntime")


def test_chance_allows_one_in_twenty() -> None:
    assert most_by_chance(20) == 4
    assert most_by_chance(100) == 11


@pytest.mark.slow
@pytest.mark.realtime
@pytest.mark.timeout(900)
def test_a_model_against_itself() -> None:
    """Of two trials at 5 %, both claim a difference once in four hundred times."""
    options = argparse.Namespace(
        workload="pocket-mobilenet",
        backend="onnxruntime",
        scenario="SingleStream",
        options=2,
        blocks=7,
        seconds=0.2,
    )
    claimed = [trial(options, number)["claimed"] for number in range(2)]
    assert sum(claimed) <= most_by_chance(2)
