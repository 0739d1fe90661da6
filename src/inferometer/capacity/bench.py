"""Bench: whole runs at a load on a loaded workload, each recorded in a folder of its own."""

from __future__ import annotations

from pathlib import Path

from inferometer.capacity.observation import Observation
from inferometer.capacity.question import Question
from inferometer.capacity.recorded import SEARCHING, read_series
from inferometer.capacity.sure_miss import SureMiss
from inferometer.capacity.trial import Trial
from inferometer.loadgen import InferometerError, RunOptions, Scenario
from inferometer.runs import Listener, TestResult
from inferometer.runs.loaded import LoadedWorkload
from inferometer.runs.recorder import record_test

__all__ = ["Bench", "SearchError"]

_HANGS_AFTER_S = 60.0


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
        self.stage = SEARCHING
        self.place = Path(SEARCHING)
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
        place = self._free_place()
        self._listener.begin(
            f"{self.stage} {number}: {load:g} {question.unit}", self._about_s(load)
        )
        result = self._record(load, number, rule, place)
        series, verdict = result.recording.performance, result.verdict
        assert series is not None
        assert verdict is not None
        one = read_series(load, series, verdict, question)
        self.trials.append(Trial(one, place, queries, self.stage))
        self.results.append(result)
        self._listener.end(result)
        return one

    def _free_place(self) -> Path:
        """Give the next folder in which nothing lies, neither from before nor cut off."""
        number = len(self.results) + 1
        while (self._output / self.place / f"run_{number}").exists():
            number += 1
        return self.place / f"run_{number}"

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
