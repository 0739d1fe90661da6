"""Replicated models: samples for all copies, and whole runs by copies in processes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inferometer.loadgen import Mode, Scenario, SettingsError
from inferometer.runs import Effort, Runner, RunRequest, ServingOptions
from inferometer.runs.kept_request import request_from, request_mapping
from inferometer.runs.replica import WorkloadReplica
from inferometer.runs.replicated import (
    SpreadLibrary,
    check_serving,
    most_in_flight,
    recipe_of,
    samples_of,
    takes_own_samples,
)
from inferometer.serving import ReplicaError
from inferometer.workloads import WorkloadOptions
from tests.runs.sessions import Quiet
from tests.serving.replica_doubles import ScriptedReplicas
from tests.support import Library


class Inputs(Library):
    """Samples of one shape, or as long as their index says."""

    def __init__(self, *, is_ragged: bool = False):
        super().__init__()
        self._is_ragged = is_ragged

    def inputs(self, indices: NDArray[np.integer[Any]]) -> Mapping[str, NDArray[Any]]:
        width = int(indices.max()) + 1 if self._is_ragged else 2
        return {"x": np.repeat(indices[:, None], width, axis=1).astype(np.float32)}


def request(tmp_path: Path, **serving: Any) -> RunRequest:
    return RunRequest(
        "pocket-mobilenet",
        tmp_path / "run",
        workload_options=WorkloadOptions(count=64),
        serving=ServingOptions(**serving),
        scenarios=(Scenario.OFFLINE,),
        modes=(Mode.ACCURACY,),
        effort=Effort(budget_s=0.5, least_s=0.2),
    )


def test_samples_of_one_shape_are_given_to_all_copies() -> None:
    found = samples_of(Inputs(), np.array([5, 3, 5]))
    assert found.indices.tolist() == [3, 5]
    assert found.inputs is not None
    assert found.inputs["x"].tolist() == [[3.0, 3.0], [5.0, 5.0]]


def test_samples_of_different_shapes_are_loaded_by_each_copy() -> None:
    assert samples_of(Inputs(is_ragged=True), np.arange(4)).inputs is None


@pytest.mark.parametrize("has_each_load", [False, True])
def test_each_load_goes_to_the_copies(has_each_load: bool) -> None:
    taken = []

    class Replicas(ScriptedReplicas):
        def take(self, samples: Any) -> None:
            taken.append(samples)

    replicas = Replicas(2, lambda *_: None)
    library = SpreadLibrary(Inputs(), replicas, has_each_load=has_each_load)
    library.load(np.array([2, 1]))
    assert [one.indices.tolist() for one in taken] == [[1, 2]]
    assert (taken[0].inputs is None) == has_each_load
    library.unload(np.array([2, 1]))


def test_a_copy_answers_as_the_workload_itself_does(tmp_path: Path) -> None:
    asked = request(tmp_path, kind="processes")
    replica = WorkloadReplica(recipe_of(asked).argument)
    loaded = replica._loaded
    own = loaded.library
    indices = np.arange(8)
    own.load(indices)
    expected = np.asarray(loaded.handle(indices))
    given = samples_of(own, indices)
    own.unload(indices)
    assert given.inputs is not None
    replica.take(given)
    picked = np.array([6, 1, 2])
    assert np.array_equal(np.asarray(replica.answer(picked).responses), expected[picked])
    replica.take(type(given)(indices))
    assert np.array_equal(np.asarray(replica.answer(picked).responses), expected[picked])
    loaded.close()


def test_options_of_a_serving_are_kept_with_the_request(tmp_path: Path) -> None:
    asked = request(tmp_path, kind="ray", extra={"address": "auto"})
    assert (
        request_from(request_mapping(asked), asked.output, resumes=False).serving == asked.serving
    )


def test_words_are_checked() -> None:
    with pytest.raises(SettingsError, match="given or own"):
        takes_own_samples(ServingOptions(extra={"samples": "some"}))
    with pytest.raises(SettingsError, match="in_flight"):
        most_in_flight(ServingOptions(extra={"in_flight": "0"}))
    with pytest.raises(SettingsError, match="has no option 'cpus'"):
        check_serving(ServingOptions("processes", extra={"cpus": "1"}))
    with pytest.raises(SettingsError, match="is for the servings"):
        check_serving(ServingOptions(extra={"cpus": "1"}))
    check_serving(ServingOptions("processes", extra={"restarts": "1", "samples": "own"}))


def test_without_ray_the_message_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ReplicaError, match=r"pip install 'inferometer\[ray\]'"):
        check_serving(ServingOptions("ray"))


@pytest.mark.slow
def test_a_run_by_copies_in_processes_is_as_accurate(tmp_path: Path) -> None:
    asked = request(tmp_path, kind="processes", workers=2, max_batch_size=4)
    session = Runner(asked, Quiet()).run()
    pool = Runner(request(tmp_path / "pool", kind="pool", workers=1), Quiet()).run()
    (test,), (other,) = session.tests, pool.tests
    assert test.accuracy is not None
    assert other.accuracy is not None
    assert test.accuracy.value == other.accuracy.value
    assert not [found for found in test.findings if found.rule.severity.value == "error"]
    assert test.recording.notes["serving"]["replicas"] == 2
