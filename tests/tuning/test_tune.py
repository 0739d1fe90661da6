"""Tuning of a real model: it ends, it is honest about its trials, and it can be interrupted."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from inferometer.backends import BackendError, BackendOptions
from inferometer.cli.output import SilentListener
from inferometer.loadgen import Scenario
from inferometer.runs import RunRequest, SystemOptions
from inferometer.tuning import Outcome, gain_of, tune
from inferometer.tuning.bench import Bench
from inferometer.tuning.candidates import Space, spelled_out
from inferometer.tuning.shelf import KeptLibrary, Shelf
from tests.support import Library

pytestmark = pytest.mark.realtime


def request_of(*scenarios: Scenario) -> RunRequest:
    return RunRequest("pocket-mobilenet", Path("unused"), scenarios=scenarios)


def test_the_gain_is_that_of_the_fresh_runs_alone() -> None:
    tuning = tune(request_of(Scenario.OFFLINE), 4.0, SilentListener())
    (found,) = tuning.scenarios
    stages = [trial.stage for trial in found.trials]
    assert "search" in stages
    assert stages == sorted(stages)  # the search is over before the first fresh run
    fresh = [trial for trial in found.trials if trial.stage == "validation"]
    if found.found is None:
        assert found.outcome is Outcome.DEFAULTS_BEST
        assert not fresh
        return
    by_lap: dict[int, dict[bool, float]] = {}
    for trial in fresh:
        assert trial.reading is not None
        by_lap.setdefault(trial.lap, {})[trial.options == found.found] = trial.reading.goodness
    pairs = [(values[False], values[True]) for values in by_lap.values() if len(values) == 2]
    assert gain_of(pairs) == found.gain
    is_better = found.gain is not None and found.gain.low > 1.0
    assert (found.outcome is Outcome.TUNED) == is_better
    assert found.options == (found.found if is_better else found.default)


@pytest.mark.slow
def test_every_scenario_can_be_measured() -> None:
    shelf = Shelf(request_of(), SilentListener().note)
    for scenario in (Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM, Scenario.SERVER):
        default = spelled_out(SystemOptions(), Space(scenario, cores=2))
        bench = Bench(request_of(scenario), scenario, shelf, default)
        for value in (
            bench.search_trial(default, bench.least_s, 1),
            bench.fresh_trial(default, default, bench.least_s, 1),
        ):
            assert value is not None
            assert value > 0
        assert [trial.stage for trial in bench.trials] == ["search", "validation"]
        assert all(trial.reading is not None for trial in bench.trials)
    shelf.clear()


def test_a_setup_that_cannot_be_loaded_is_recorded_and_the_default_has_to_work() -> None:
    shelf = Shelf(request_of(), SilentListener().note)
    default = spelled_out(SystemOptions(), Space(Scenario.SINGLE_STREAM, cores=2))
    wrong = dataclasses.replace(default, backend=BackendOptions(threads=1, extra={"no": "such"}))
    bench = Bench(request_of(), Scenario.SINGLE_STREAM, shelf, default)
    assert bench.search_trial(wrong, 0.1, 1) is None
    assert "no option 'no'" in bench.trials[0].error
    with pytest.raises(BackendError):
        Bench(request_of(), Scenario.SINGLE_STREAM, shelf, wrong).search_trial(wrong, 0.1, 1)


def test_models_that_only_serve_differently_are_loaded_once() -> None:
    shelf = Shelf(request_of(), SilentListener().note)
    options = spelled_out(SystemOptions(), Space(Scenario.OFFLINE, cores=2))
    first = shelf.take(options)
    small = dataclasses.replace(options.serving, max_batch_size=1)
    assert shelf.take(SystemOptions(options.backend, small)) is first
    assert first.max_batch_size == 1
    two = dataclasses.replace(options.backend, threads=2)
    assert shelf.take(SystemOptions(two, small)) is not first
    shelf.clear()


def test_an_interrupt_ends_it_and_keeps_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object) -> float:
        raise KeyboardInterrupt

    monkeypatch.setattr(Bench, "search_trial", interrupted)
    tuning = tune(request_of(Scenario.OFFLINE, Scenario.SERVER), 5.0, SilentListener())
    assert tuning.was_interrupted
    (found,) = tuning.scenarios
    assert found.outcome is Outcome.INTERRUPTED
    assert found.options == found.default


def test_a_kept_library_loads_each_sample_once() -> None:
    library = Library()
    kept = KeptLibrary(library)  # type: ignore[arg-type]
    import numpy as np

    for wanted in ([0], [0, 1, 1, 2], [2, 1]):
        kept.load(np.array(wanted))
        kept.unload(np.array(wanted))
    assert library.calls == [("load", [0]), ("load", [0, 1, 2])]
