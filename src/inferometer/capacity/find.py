"""Find: search and verification on a real system, recorded in a folder."""

from __future__ import annotations

import dataclasses
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inferometer.capacity.bench import Bench
from inferometer.capacity.found import Found
from inferometer.capacity.question import Question, question_of
from inferometer.capacity.search import Goal, Outcome, Search
from inferometer.loadgen import Scenario
from inferometer.runs import Listener, RunRequest, TestResult
from inferometer.runs.described import described_session
from inferometer.runs.folder import SESSION, write_json
from inferometer.runs.loaded import LoadedWorkload

__all__ = ["SEARCH", "Wishes", "find"]

SEARCH = "search.json"
"""The file of a search folder that names every run and what they came to."""

_FIRST_LOAD = 0.6
_FURTHEST = 256.0
_MOST_STREAMS = 4096


@dataclass(frozen=True)
class Wishes:
    """What the user asks of a search, beside the request.

    run_s:
        Length of a whole run; ``None`` for the round's, or five seconds.
    start:
        First load; ``None`` for one sized by how fast the system seems.
    verify:
        How many runs in a row have to pass at the load that is given; 0 for none.
    budget_s:
        The search ends after so many seconds of load; the verification comes on top.
    """

    precision: float = 0.1
    confidence: float = 0.95
    pass_share: float = 0.9
    bound_ms: float | None = None
    percentile: float | None = None
    run_s: float | None = None
    start: float | None = None
    verify: int = 5
    budget_s: float = 120.0
    most_runs: int = 15


def find(request: RunRequest, scenario: Scenario, wishes: Wishes, listener: Listener) -> Found:
    """Search the highest load that keeps the bound, then verify it.

    Every run is recorded in ``request.output``, and ``search.json`` is written after each
    stage. An interrupt ends it; what is known by then is given. Raises what loading the model
    raises, `SettingsError` for what can't be searched, and `SearchError` if a run fails.
    """
    request = request.for_scenario(scenario)
    loaded = LoadedWorkload(request, listener.note)
    try:
        loaded.follow_loading(listener.note)
        loaded.warm_up()
        question = question_of(
            request,
            loaded.workload.info,
            scenario,
            loaded.pace,
            run_s=wishes.run_s,
            bound_ms=wishes.bound_ms,
            percentile=wishes.percentile,
        )
        return _Finding(request, loaded, question, wishes, listener).run()
    finally:
        loaded.close()


class _Finding:
    """One search; what is known when it is interrupted is not lost."""

    def __init__(
        self,
        request: RunRequest,
        loaded: LoadedWorkload,
        question: Question,
        wishes: Wishes,
        listener: Listener,
    ):
        self._request = request
        self._loaded = loaded
        self._listener = listener
        self._verify = wishes.verify
        self._bench = Bench(loaded, question, request.output, listener, request.label)
        goal = _goal(question, wishes, loaded)
        self._search = Search(goal, self._bench.measure)
        self._found = Found(
            workload=request.workload,
            backend=request.backend,
            question=question,
            goal=goal,
            outcome=Outcome.INTERRUPTED,
            folder=request.output,
            head=self._head(),
        )

    def run(self) -> Found:
        try:
            self._search.run()
            self._write()
            if self._search.outcome is not Outcome.NEVER:
                self._give()
        except KeyboardInterrupt:
            self._search.outcome = Outcome.INTERRUPTED
        finally:
            self._write()
        return self._found

    def _give(self) -> None:
        """Verify the load, and say how often it passes by all runs, these included."""
        load: float | None = self._search.given
        verified, place = 0, None
        if self._verify:
            load, verified, place = self._verified()
        belief = self._search.belief
        if load is None or belief is None:
            return
        confidence = self._search.goal.confidence
        self._found = dataclasses.replace(
            self._found,
            load=load,
            verified=verified,
            verified_folder=place,
            pass_share=belief.pass_share(load),
            sure_pass_share=belief.sure_pass_share(load, confidence),
        )

    def _verified(self) -> tuple[float | None, int, Path | None]:
        """Run at the given load, in a folder that is a session of its own for each try."""
        scenario = self._found.question.scenario.value
        for number, load in enumerate(self._search.loads_to_verify(), start=1):
            place = Path(f"verified_{number}")
            self._bench.begin_stage("verification", place / scenario / "performance")
            self._listener.note(f"verifying {load:g} {self._found.question.unit}")
            if self._search.passes(load, self._verify):
                self._write_session(place, self._bench.results)
                return load, self._verify, place
            self._write_session(place, self._bench.results)
        return None, 0, None

    def _write_session(self, place: Path, tests: list[TestResult]) -> None:
        session = dataclasses.replace(
            described_session(self._request, self._loaded),
            folder=self._request.output / place,
            tests=tuple(tests),
        )
        write_json(session.folder / SESSION, session.to_mapping())

    def _write(self) -> None:
        """Write what is known by now."""
        search = self._search
        self._found = dataclasses.replace(
            self._found,
            outcome=search.outcome,
            estimate=search.estimate if search.belief is not None else None,
            trials=tuple(self._bench.trials),
        )
        write_json(self._request.output / SEARCH, self._found.to_mapping())

    def _head(self) -> dict[str, Any]:
        session = described_session(self._request, self._loaded)
        return {
            "format": 1,
            "command": self._request.command,
            "label": self._request.label,
            "started_at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "system": dict(session.system),
            "backend_description": dict(session.backend),
        }


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
