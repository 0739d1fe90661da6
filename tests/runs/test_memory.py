"""Growth of memory: what is called a leak, and what isn't."""

from __future__ import annotations

import dataclasses

import pytest

from inferometer.loadgen import Recording
from inferometer.runs.findings import findings_of_test
from inferometer.runs.memory import MemoryWatch, steady_growth
from tests.support import short_settings, simulate

MIB = 2**20


@pytest.fixture(scope="module")
def recording() -> Recording:
    return simulate(short_settings()).recording


def noted(recording: Recording, during_mib: list[int], after_mib: int) -> Recording:
    memory = {
        "before_bytes": 100 * MIB,
        "after_bytes": after_mib * MIB,
        "during_bytes": [value * MIB for value in during_mib],
    }
    return dataclasses.replace(recording, notes={**recording.notes, "memory": memory})


@pytest.mark.parametrize(
    ("during_mib", "after_mib", "is_leak"),
    [
        ([110, 150, 190, 230], 230, True),
        ([110, 170, 230], 230, True),
        ([110, 110, 190, 270], 270, True),
        ([110, 110, 110, 110], 110, False),
        ([110, 130, 150, 170], 170, False),  # less than 64 MiB
        ([2000, 2040, 2080, 2120], 300, False),  # less than a tenth
        ([110, 230, 230, 230], 230, False),  # a work space that fills once
        ([110, 110, 230, 230], 230, False),
        ([110, 110, 110, 230], 230, False),
        ([110, 150, 190, 230], 110, False),  # given back
        ([110, 230], 230, False),  # seen too seldom to tell
        ([], 300, False),
    ],
)
def test_only_memory_that_grows_throughout_and_stays_is_a_leak(
    during_mib: list[int], after_mib: int, is_leak: bool, recording: Recording
) -> None:
    seen = steady_growth(noted(recording, during_mib, after_mib))
    assert bool(seen) is is_leak
    if is_leak:
        assert seen.startswith(f"from 110 to {during_mib[-1]} MiB in the course of 100 samples")


def test_it_is_a_warning_of_a_performance_test(recording: Recording) -> None:
    leaking = noted(recording, [110, 150, 190, 230], 230)
    (found,) = [f for f in findings_of_test(leaking, None, None) if "memory" in f.rule.id]
    assert found.to_mapping()["severity"] == "warning"
    assert not steady_growth(recording)


def test_a_long_test_is_looked_at_ever_more_seldom(recording: Recording) -> None:
    watch = MemoryWatch()
    told: list[object] = []
    progress = watch.following(told.append)
    assert progress is not None
    for _ in range(1000):
        progress(None)  # type: ignore[arg-type]
    note = watch.noted_in(recording).notes["memory"]
    assert len(told) == 1000
    assert 32 <= len(note["during_bytes"]) <= 128
    assert note["before_bytes"] > MIB
    assert watch.following(None) is None
