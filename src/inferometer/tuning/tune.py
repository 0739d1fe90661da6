"""Tune: search, then fresh runs, for each scenario within its share of the time."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import psutil

from inferometer.backends import get_backend
from inferometer.loadgen import Scenario, Settings
from inferometer.runs import (
    Listener,
    RunRequest,
    SystemOptions,
    describe_system,
    usable_cores,
)
from inferometer.tuning.bench import Bench
from inferometer.tuning.candidates import Space, axes_of, described, spelled_out
from inferometer.tuning.gain import gain_of
from inferometer.tuning.search import Limits, Search
from inferometer.tuning.shelf import Shelf
from inferometer.tuning.tuned import Outcome, TunedScenario, Tuning, identity_of
from inferometer.tuning.validate import measured_pairs

__all__ = ["tune"]

_SEARCH_SHARE = 0.5
_SERVER_WEIGHT = 3.0
_LOAD_LOOK_S = 0.3
_BUSY_LOAD = 0.3
_USUAL_TRIAL_S = 0.25
_LONGEST_TRIAL_S = 3.0
_MACHINE = ("processor", "architecture", "usable_cores", "memory_gib", "operating_system", "python")


def tune(
    request: RunRequest,
    budget_s: float,
    listener: Listener,
    clock: Callable[[], float] = time.monotonic,
) -> Tuning:
    """Tune every scenario of a request.

    The time is shared among the scenarios, Server taking three shares, since each of its trials
    is a few runs. It counts from when the model and the samples are loaded for the first time.
    An interrupt ends the tuning; the scenarios that are done stay. Raises what loading the
    model raises, and what running the defaults does.
    """
    load = _other_load(listener)
    shelf = Shelf(request, listener.note)
    tuning = _begin(request, shelf, load)
    waiting = list(request.chosen_scenarios)
    end_s = clock() + budget_s
    while waiting and not tuning.was_interrupted:
        weights = [_SERVER_WEIGHT if one is Scenario.SERVER else 1.0 for one in waiting]
        share_s = max(0.0, end_s - clock()) * weights[0] / sum(weights)
        found = _ScenarioTuning(request, shelf, waiting.pop(0), listener, clock).run(share_s)
        listener.note(f"{found.scenario.value}: {found.summary}")
        tuning = dataclasses.replace(
            tuning,
            scenarios=(*tuning.scenarios, found),
            was_interrupted=found.outcome is Outcome.INTERRUPTED,
        )
    shelf.clear()
    return tuning


def _other_load(listener: Listener) -> float:
    """Give the share of the processor that is in use before anything runs here."""
    load = psutil.cpu_percent(_LOAD_LOOK_S) / 100
    if load > _BUSY_LOAD:
        listener.note(
            f"{load:.0%} of the processor is in use: more threads then win a larger share of it "
            "from other programs; what is found may not hold on a quiet machine"
        )
    return load


def _begin(request: RunRequest, shelf: Shelf, load: float) -> Tuning:
    system = describe_system()
    return Tuning(
        identity=identity_of(request),
        machine={
            **{name: system[name] for name in _MACHINE if name in system},
            "load_before": round(load, 2),
        },
        versions={
            "inferometer": system["packages"].get("inferometer", ""),
            "backend": str(shelf.description.get("version", "")),
        },
        made_at=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        command=request.command,
    )


class _ScenarioTuning:
    """Tunes one scenario; what is known when it is interrupted is not lost."""

    def __init__(
        self,
        request: RunRequest,
        shelf: Shelf,
        scenario: Scenario,
        listener: Listener,
        clock: Callable[[], float],
    ):
        self._listener = listener
        self._clock = clock
        self._shelf = shelf
        self._space = _space(request, shelf, scenario)
        default = spelled_out(request.system_options, self._space)
        self._bench = Bench(request, scenario, shelf, default, clock)
        self._found = TunedScenario(scenario, Outcome.INTERRUPTED, default)

    def run(self, seconds: float) -> TunedScenario:
        """Search in a part of the time, and compare in the rest."""
        end_s = self._clock() + seconds
        try:
            self._search(seconds * _SEARCH_SHARE)
            # What was loaded for the search must not take part in the fresh runs.
            self._shelf.clear()
            if self._found.found is None:
                self._note(outcome=Outcome.DEFAULTS_BEST)
            else:
                self._compare(self._found.found, max(0.0, end_s - self._clock()))
        except KeyboardInterrupt:
            self._note(outcome=Outcome.INTERRUPTED)
        return dataclasses.replace(self._found, trials=tuple(self._bench.trials))

    def _note(self, **changes: Any) -> None:
        self._found = dataclasses.replace(self._found, **changes)

    def _search(self, seconds: float) -> None:
        name = self._found.scenario.value
        least_s = self._bench.least_s
        search: Search[SystemOptions] = Search(
            self._bench.search_trial,
            Limits(seconds, least_s, max(least_s, _USUAL_TRIAL_S)),
            self._clock,
            lambda text: self._listener.note(f"{name}: {text}"),
            described,
        )
        default = self._found.default
        found = search.run(default, axes_of(self._space))
        self._note(
            found=None if found.best == default else found.best,
            tried=found.tried,
            left_out=found.left_out,
        )

    def _compare(self, found: SystemOptions, seconds: float) -> None:
        bench, default = self._bench, self._found.default
        self._listener.note(
            f"{self._found.scenario.value}: comparing {described(found)} with the defaults, "
            f"{described(default)}"
        )
        pairs = measured_pairs(
            lambda each_s, number: bench.fresh_trial(default, found, each_s, number),
            lambda each_s, number: bench.fresh_trial(found, default, each_s, number),
            seconds,
            bench.least_s,
            max(bench.least_s, _LONGEST_TRIAL_S),
            self._clock,
        )
        gain = gain_of(pairs)
        outcome = Outcome.NO_TIME
        if gain is not None:
            outcome = Outcome.TUNED if gain.is_certain else Outcome.NOT_CONFIRMED
        self._note(outcome=outcome, gain=gain, **self._values(found))

    def _values(self, found: SystemOptions) -> dict[str, Any]:
        """Give the metric with the medians of both over the fresh runs."""
        readings = [
            (trial.options, trial.reading)
            for trial in self._bench.trials
            if trial.stage == "validation" and trial.reading is not None
        ]
        if not readings:
            return {}

        def median(options: SystemOptions) -> float | None:
            values = [reading.value for one, reading in readings if one == options]
            return statistics.median(values) if values else None

        first = readings[0][1]
        return {
            "metric": first.metric,
            "unit": first.unit,
            "default_value": median(self._found.default),
            "found_value": median(found),
        }


def _space(request: RunRequest, shelf: Shelf, scenario: Scenario) -> Space:
    """Say what can be tried; options of the backend that the user set stay as they are."""
    declared = getattr(get_backend(request.backend), "tunable", {})
    fixed: Sequence[str] = tuple(request.backend_options.extra)
    return Space(
        scenario=scenario,
        cores=usable_cores(),
        largest_batch=shelf.info.largest_batch,
        model_bytes=shelf.model_bytes,
        samples_per_query=Settings(scenario=scenario).multi_stream_samples_per_query,
        bound_ms=shelf.info.server_latency_bound_ns / 1e6,
        tunable={name: values for name, values in declared.items() if name not in fixed},
    )
