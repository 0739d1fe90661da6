"""Bench: whole runs at a load on a loaded workload, each recorded in a folder of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from inferometer.capacity.found import Trial
from inferometer.capacity.observation import Observation
from inferometer.capacity.question import Question
from inferometer.capacity.reading import Bound, observation_of
from inferometer.capacity.sure_miss import SureMiss
from inferometer.loadgen import InferometerError, RunOptions, Scenario, SeriesRecord, Verdict
from inferometer.runs import Listener, TestResult
from inferometer.runs.loaded import LoadedWorkload
from inferometer.runs.recorder import record_test

__all__ = ["Bench", "SearchError", "read_series"]

_HANGS_AFTER_S = 60.0
_KEEPS_UP = 0.93
_FEWEST_SERVED = 20


class SearchError(InferometerError):
    """A run of a search failed; what was recorded before stays in its folder."""


class Bench:
    """Runs at loads. ``trials`` keeps every run, ``results`` those of the present stage.

    Raises `SearchError` if the system failed, and KeyboardInterrupt.
    """

    def __init__(
        self,
        loaded: LoadedWorkload,
        question: Question,
        output: Path,
        listener: Listener,
        label: str,
    ):
        self._loaded = loaded
        self._question = question
        self._output = output
        self._listener = listener
        self._label = label
        self.stage = "search"
        self.place = Path("search")
        self.trials: list[Trial] = []
        self.results: list[TestResult] = []

    def begin_stage(self, stage: str, place: Path) -> None:
        """Put what follows into another folder."""
        self.stage, self.place, self.results = stage, place, []

    def measure(self, load: float) -> Observation:
        """Run in full length at a load, or until the bound is surely missed."""
        question, number = self._question, len(self.trials) + 1
        queries = question.queries(load)
        rule = SureMiss(
            question.scenario,
            question.bound.limit_ns,
            question.bound.allowed(queries),
            queries,
            question.length.seconds,
        )
        place = self.place / f"run_{len(self.results) + 1}"
        self._listener.begin(
            f"{self.stage} {number}: {load:g} {question.unit}", self._about_s(load)
        )
        result = self._record(load, number, rule, place)
        one = self._read(load, queries, rule, result)
        self.trials.append(Trial(one, place, queries, self.stage))
        self.results.append(result)
        self._listener.end(result)
        return one

    def _about_s(self, load: float) -> float:
        if self._question.scenario is Scenario.SERVER:
            return self._question.queries(load) / load
        return self._question.length.seconds

    def _record(self, load: float, number: int, rule: SureMiss, place: Path) -> TestResult:
        question = self._question
        serving, description = self._loaded.serve(question.scenario)
        settings = question.at(load, number).replace(outstanding_limit_s=_HANGS_AFTER_S)
        options = RunOptions(
            rule=rule,
            progress=self._listener.progress,
            notes={
                "serving": description,
                "backend": dict(self._loaded.backend_description),
                "search": self.stage,
            },
        )
        try:
            result, outcome = record_test(
                serving,
                self._loaded.library,
                settings,
                self._output / place,
                self._label,
                options,
            )
        finally:
            serving.close()
        if result.was_interrupted:
            raise KeyboardInterrupt
        if outcome.error is not None or result.has_failed or result.verdict is None:
            raise SearchError(
                f"{self._output / place}: the run at {load:g} {question.unit} failed: "
                f"{outcome.error or 'nothing came back'}"
            ) from outcome.error
        return result

    def _read(self, load: float, queries: int, rule: SureMiss, result: TestResult) -> Observation:
        series = result.recording.performance
        assert series is not None
        assert result.verdict is not None
        return read_series(
            load,
            series,
            result.verdict,
            self._question.bound,
            whole_queries=queries,
            was_stopped=rule.has_missed,
        )


def read_series(
    load: float,
    series: SeriesRecord,
    verdict: Verdict,
    bound: Bound,
    *,
    whole_queries: int,
    was_stopped: bool,
) -> Observation:
    """Read a recorded series; the verdict says whether it met its bound, where it has one."""
    met = verdict.perf_constraints_met
    if met is not None:
        met = met and verdict.early_stopping_met is not False and not was_stopped
    is_server = verdict.scenario is Scenario.SERVER
    one = observation_of(
        load,
        series.query_latency_ns,
        bound,
        whole_queries=whole_queries,
        length=series.query_count / whole_queries if was_stopped else 1.0,
        seconds=series.stop_ns / 1e9,
        has_met=met,
        was_stopped=was_stopped,
    )
    return replace(one, served=_served(series, load)) if was_stopped and is_server else one


def _served(series: SeriesRecord, load: float) -> float | None:
    """Give the rate of answers in the second half of the issuing, if it was below the load."""
    issued_ns = int(series.scheduled_ns[-1])
    if issued_ns <= 0:
        return None
    done = series.completed_ns
    count = int(np.count_nonzero((done > issued_ns // 2) & (done <= issued_ns)))
    rate = count / (issued_ns / 2e9)
    return rate if count >= _FEWEST_SERVED and rate < _KEEPS_UP * load else None
