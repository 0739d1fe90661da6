"""Find: search and verification on a real system, recorded in a folder."""

from __future__ import annotations

import dataclasses
import math
import time
from pathlib import Path

from inferometer.capacity.asked import Asked, Wishes
from inferometer.capacity.bench import Bench, SearchError
from inferometer.capacity.found import Found
from inferometer.capacity.known import Known
from inferometer.capacity.observation import Observation
from inferometer.capacity.question import Question, question_of
from inferometer.capacity.recorded import (
    VERIFYING,
    recorded_trials,
    unfinished_places,
    verification_folder,
)
from inferometer.capacity.search import Goal, Outcome
from inferometer.loadgen import Scenario
from inferometer.runs import Listener, RunRequest, TestResult
from inferometer.runs.described import described_session
from inferometer.runs.folder import SESSION, write_json
from inferometer.runs.folder_lock import folder_lock
from inferometer.runs.identity import changes, identity_of
from inferometer.runs.loaded import LoadedWorkload
from inferometer.runs.resuming import set_aside

__all__ = ["find", "go_on", "show"]

_FIRST_LOAD = 0.6
_FURTHEST = 256.0
_MOST_STREAMS = 4096


def find(request: RunRequest, scenario: Scenario, wishes: Wishes, listener: Listener) -> Found:
    """Search the highest load that keeps the bound, then verify it.

    Every run is recorded in ``request.output``, and ``search.json`` is written before the
    first and after each stage. An interrupt ends it; what is known by then is given. Raises
    what loading the model raises, `SettingsError` for what can't be searched, and
    `SearchError` if a run fails.
    """
    request = request.for_scenario(scenario)
    loaded = LoadedWorkload(request, listener.note)
    try:
        loaded.follow_loading(listener.note)
        loaded.warm_up()
        with folder_lock(request.output):
            asked = _asked(request, scenario, wishes, loaded)
            return _Finding(asked, loaded, listener).run()
    finally:
        loaded.close()


def go_on(folder: Path, listener: Listener) -> Found:
    """Go on with a search that was cut off; runs that came to their end count.

    Those that didn't are moved aside. Raises `SearchError` if what is measured isn't as it
    was, and what `find` raises.
    """
    asked = Asked.read(folder)
    loaded = LoadedWorkload(asked.request, listener.note)
    try:
        loaded.follow_loading(listener.note)
        changed = list(changes(asked.identity, identity_of(asked.request, loaded)))
        if changed:
            raise SearchError(
                f"{folder} can't be gone on with, because what it measures isn't as it was: "
                f"{'; '.join(changed)}. Put it back, or start anew with another --output"
            )
        loaded.warm_up()
        with folder_lock(folder):
            aside = set_aside(folder, unfinished_places(folder))
            if aside is not None:
                listener.note(f"what was cut off lies in {aside}")
            return _Finding(asked, loaded, listener).run()
    finally:
        loaded.close()


def show(folder: Path) -> Found:
    """Give what a search came to, all of it computed anew from its recordings.

    Raises `SearchError` for a folder that holds no search.
    """
    asked = Asked.read(folder)
    known = Known(asked, _unmeasured)
    trials = recorded_trials(folder, asked.question)
    known.count(tuple(trial for trial, _ in trials))
    return known.found


def _unmeasured(_load: float) -> Observation:
    raise AssertionError("what is only shown runs nothing")


class _Finding:
    """One search; what is known when it is interrupted is not lost."""

    def __init__(self, asked: Asked, loaded: LoadedWorkload, listener: Listener):
        self._asked = asked
        self._loaded = loaded
        self._listener = listener
        request = asked.request
        self._bench = Bench(loaded, asked.question, request.output, listener, request.label)
        self._known = Known(asked, self._bench.measure)
        self._kept = recorded_trials(request.output, asked.question)
        self._bench.trials = [trial for trial, _ in self._kept]
        self._known.count(tuple(self._bench.trials))

    def run(self) -> Found:
        self._write()
        try:
            self._known.search.run()
            self._write()
            if self._known.search.outcome is not Outcome.NEVER and self._asked.wishes.verify:
                self._verify()
        except KeyboardInterrupt:
            self._known.search.outcome = Outcome.INTERRUPTED
        finally:
            self._write()
        return self._known.found

    def _verify(self) -> None:
        """Run at the given load, in a folder that is a session of its own for each try."""
        question = self._asked.question
        for number, load in self._known.verifying.attempts():
            folder = verification_folder(number)
            place = folder / question.scenario.value / "performance"
            self._bench.begin_stage(VERIFYING, place)
            self._bench.results = [
                result for trial, result in self._kept if trial.folder.parent == place
            ]
            self._listener.note(f"verifying {load:g} {question.unit}")
            self._known.verifying.attempt(load)
            self._write_session(folder, self._bench.results)

    def _write_session(self, place: Path, tests: list[TestResult]) -> None:
        request = self._asked.request
        session = dataclasses.replace(
            described_session(request, self._loaded),
            folder=request.output / place,
            tests=tuple(tests),
        )
        write_json(session.folder / SESSION, session.to_mapping())

    def _write(self) -> None:
        """Write what is known by now."""
        self._known.trials = tuple(self._bench.trials)
        self._known.write()


def _asked(
    request: RunRequest, scenario: Scenario, wishes: Wishes, loaded: LoadedWorkload
) -> Asked:
    """Put together what is searched, by how fast the system seems."""
    question = question_of(
        request,
        loaded.workload.info,
        scenario,
        loaded.pace,
        run_s=wishes.run_s,
        bound_ms=wishes.bound_ms,
        percentile=wishes.percentile,
    )
    session = described_session(request, loaded)
    head = {
        "command": request.command,
        "label": request.label,
        "started_at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "system": dict(session.system),
        "backend_description": dict(session.backend),
    }
    goal = _goal(question, wishes, loaded)
    return Asked(request, wishes, question, goal, head, identity_of(request, loaded))


def _goal(question: Question, wishes: Wishes, loaded: LoadedWorkload) -> Goal:
    """Say where to begin and between which loads to look, from how fast the system seems."""
    rate = loaded.pace.samples_per_s
    if question.is_whole:
        saturation = max(1.0, rate * question.bound.limit_ns / 1e9)
        least, most = 1.0, float(_MOST_STREAMS)
    else:
        saturation = rate
        least, most = saturation / _FURTHEST / 4, saturation * _FURTHEST
    start = wishes.start or saturation * _FIRST_LOAD
    return Goal(
        start=start,
        least=min(least, start),
        most=max(most, start),
        pass_share=wishes.pass_share,
        confidence=wishes.confidence,
        precision=wishes.precision,
        is_whole=question.is_whole,
        saturation=saturation if math.isfinite(saturation) else None,
        most_runs=wishes.most_runs,
        budget_s=wishes.budget_s,
    )
