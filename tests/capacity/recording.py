"""A search on a simulated system, on the virtual clock, recorded as on a real one."""

from __future__ import annotations

from pathlib import Path

from inferometer.capacity import Asked, Bound, Goal, Observation, Question, Trial, Wishes
from inferometer.capacity.known import Known
from inferometer.capacity.question import Length
from inferometer.capacity.recorded import SEARCHING, VERIFYING, read_series, verification_folder
from inferometer.capacity.sure_miss import SureMiss
from inferometer.loadgen import Era, RunOptions, Scenario, Settings, VirtualClock
from inferometer.runs import RunRequest
from inferometer.runs.recorder import record_test
from inferometer.serving import SimulatedSUT
from tests.support import Library

BOUND_NS = 10_000_000
HEAD = {
    "system": {},
    "backend_description": {},
    "label": "quick",
    "started_at": "2026-01-01T00:00:00",
    "command": "",
}


def asked_of(folder: Path) -> Asked:
    """Ask for the highest rate of a server that takes 2 ms a query."""
    settings = Settings(
        scenario=Scenario.SERVER,
        era=Era.V05,
        server_target_latency_ns=BOUND_NS,
        server_target_latency_percentile=0.97,
        min_query_count=300,
    )
    bound = Bound.of(Era.V05, BOUND_NS, 0.97)
    question = Question(settings, bound, Length(1.0, 300), by_the_book=False)
    goal = Goal(200.0, 1.0, 1e4, saturation=500.0, most_runs=6)
    request = RunRequest("pocket-mobilenet", folder, scenarios=(Scenario.SERVER,))
    return Asked(request, Wishes(verify=3), question, goal, HEAD, {})


class Recorded:
    """Records each run where a search would; can be interrupted after some."""

    def __init__(self, folder: Path, interrupts_after: int = 10**6):
        self.asked = asked_of(folder)
        self.known = Known(self.asked, self.measure)
        self.trials: list[Trial] = []
        self.place, self.stage = Path(SEARCHING), SEARCHING
        self.left = interrupts_after

    def run(self) -> Known:
        """Search, then verify; what is known is written whatever happens."""
        try:
            self.known.search.run()
            for number, load in self.known.verifying.attempts():
                self.place = verification_folder(number) / "Server" / "performance"
                self.stage = VERIFYING
                self.known.verifying.attempt(load)
        finally:
            self.known.trials = tuple(self.trials)
            self.known.write()
        return self.known

    def measure(self, load: float) -> Observation:
        """Run at a load and record it."""
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        question, clock = self.asked.question, VirtualClock()
        queries = question.queries(load)
        allowed = question.bound.allowed(queries)
        rule = SureMiss(Scenario.SERVER, BOUND_NS, allowed, queries, 1.0)
        number = 1 + sum(trial.folder.parent == self.place for trial in self.trials)
        place = self.place / f"run_{number}"
        result, _ = record_test(
            SimulatedSUT(clock, 2_000_000),
            Library(64),
            question.at(load, len(self.trials) + 1),
            self.asked.request.output / place,
            "quick",
            RunOptions(clock=clock, rule=rule),
        )
        assert result.recording.performance is not None
        assert result.verdict is not None
        one = read_series(load, result.recording.performance, result.verdict, question)
        self.trials.append(Trial(one, place, queries, self.stage))
        return one
