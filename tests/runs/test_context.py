"""Context: what is recorded of the circumstances, and how little it takes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inferometer.loadgen import Interval, Recording
from inferometer.runs.context import ContextWatch
from inferometer.runs.data_hash import data_sha256
from inferometer.runs.machine_state import Counters, look, shares_between
from inferometer.runs.scores_file import SCORES, with_scores, write_scores
from inferometer.workloads import AccuracyResult
from tests.support import Library, short_settings, simulate


class Photos(Library):
    """A library of seeded photos in either layout."""

    def __init__(self, seed: int, layout: str = "NCHW", total: int = 64):
        super().__init__(total)
        photos = np.random.default_rng(seed).uniform(0, 1, (total, 3, 4, 5)).astype(np.float32)
        self._photos = photos if layout == "NCHW" else photos.transpose(0, 2, 3, 1)

    def inputs(self, indices: NDArray[np.integer[Any]]) -> Mapping[str, NDArray[Any]]:
        return {"photo": self._photos[indices]}


def test_the_same_samples_have_the_same_hash_in_either_layout() -> None:
    assert data_sha256(Photos(1)) == data_sha256(Photos(1, "NHWC"))


def test_other_samples_or_more_of_them_have_another_hash() -> None:
    hashes = {data_sha256(Photos(1)), data_sha256(Photos(2)), data_sha256(Photos(1, total=32))}
    assert len(hashes) == 3


def test_a_library_is_left_as_it_was() -> None:
    library = Photos(1)
    data_sha256(library)
    loaded = sum(1 if name == "load" else -1 for name, _ in library.calls)
    assert loaded == 0


def test_a_library_without_samples_has_no_hash() -> None:
    assert data_sha256(Photos(1, total=0)) == ""


def counters(**changes: Any) -> Counters:
    values: dict[str, Any] = {
        "at_s": 0.0,
        "own_cpu_s": 0.0,
        "busy_s": 0.0,
        "steal_s": 0.0,
        "total_s": 0.0,
        "pressure_s": {},
        "throttled_s": None,
    }
    return Counters(**{**values, **changes})


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (
            {"own_cpu_s": 2.0, "busy_s": 3.0, "total_s": 10.0, "steal_s": 1.0},
            {"own_load": 0.2, "other_load": 0.1, "steal": 0.1},
        ),
        # The clocks of the process are finer than those of the machine.
        ({"own_cpu_s": 2.0, "busy_s": 1.9, "total_s": 10.0}, {"own_load": 0.2, "other_load": 0.0}),
        ({"at_s": 4.0, "pressure_s": {"memory": 1.0}}, {}),
        ({"at_s": 4.0, "throttled_s": 1.0}, {}),
    ],
)
def test_shares_of_the_time(after: dict[str, Any], expected: dict[str, float]) -> None:
    found = shares_between(counters(), counters(**after))
    assert {name: found[name] for name in expected} == expected


def test_waiting_is_a_share_of_the_time_between() -> None:
    before = counters(pressure_s={"memory": 1.0}, throttled_s=0.5)
    after = counters(at_s=4.0, pressure_s={"memory": 3.0}, throttled_s=1.5)
    assert shares_between(before, after) == {"memory_pressure": 0.5, "throttled": 0.25}


def test_nothing_is_told_that_can_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = Path("/nowhere")
    for name in ("_STAT", "_PRESSURE", "_GOVERNOR"):
        monkeypatch.setattr(f"inferometer.runs.machine_state.{name}", nowhere)
    monkeypatch.setattr("inferometer.runs.machine_state._THROTTLED", ())
    assert "governor" not in look()
    assert shares_between(Counters.now(), Counters.now()) == {}


def test_a_recording_keeps_what_was_seen(tmp_path: Path) -> None:
    watch = ContextWatch()
    recording = watch.noted_in(simulate(short_settings()).recording)
    again = Recording.load(recording.save(tmp_path / "recording.npz"))
    assert again.notes["context"] == recording.notes["context"]
    assert set(again.notes["context"]) == {"before", "during", "after", "settings_sha256"}


def accuracy(**scores: Any) -> AccuracyResult:
    return AccuracyResult("top-1", 0.5, Interval(0.4, 0.6), 4, 0, 0, 0, None, "x", **scores)


@pytest.mark.parametrize("name", ["sample_scores", "replicates"])
def test_scores_come_back(tmp_path: Path, name: str) -> None:
    values = np.array([1.0, 0.0, 1.0, 0.0])
    write_scores(tmp_path, accuracy(**{name: values}))
    found = with_scores(accuracy(), tmp_path)
    assert getattr(found, name).tolist() == values.tolist()


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04", bytes(range(64))])
def test_missing_or_damaged_scores_only_cost_the_paired_test(
    tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / SCORES).write_bytes(content)
    assert with_scores(accuracy(), tmp_path).sample_scores is None
