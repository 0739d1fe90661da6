"""Bench: runs tests of a subject through the load generator, each on a fresh system."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from inferometer.loadgen import (
    Mode,
    Query,
    RunOptions,
    Scenario,
    Settings,
    SystemUnderTest,
    run_test,
)
from inferometer.runs.machine_state import Counters, shares_between
from inferometer.submission.audit.alterations import (
    ExchangedLibrary,
    NoticingLibrary,
    RenamedLibrary,
)
from inferometer.submission.audit.effort import AuditEffort
from inferometer.submission.audit.observation import Observation
from inferometer.submission.audit.subject import Running, Sizes, Subject
from inferometer.workloads import InputLibrary

__all__ = ["Bench"]

_OUTSTANDING_LIMIT_S = 60.0


class Bench:
    """Runs the tests that audits ask for.

    Both modes, and every alteration of samples or settings, go the same way: `run`. What it
    is asked to do differs only in data.
    """

    def __init__(
        self,
        subject: Subject,
        effort: AuditEffort | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ):
        self.subject = subject
        self.effort = effort or AuditEffort()
        self.tell = tell
        self.test_count = 0
        self._baselines: dict[Scenario, Observation] = {}

    def sizes(self, scenario: Scenario) -> Sizes:
        """Give how much work is enough in a scenario."""
        return self.subject.sizes(scenario)

    def settings(
        self, scenario: Scenario, mode: Mode = Mode.PERFORMANCE, **changes: Any
    ) -> Settings:
        """Give settings of a test of the usual size, with the announced seeds.

        Every answer is kept, so that a system can't tell from that which test it is, unless
        ``changes`` say otherwise.
        """
        sizes, seeds = self.sizes(scenario), self.subject.seeds
        offline = scenario is Scenario.OFFLINE
        values: dict[str, Any] = {
            "qsl_rng_seed": seeds.qsl,
            "sample_index_rng_seed": seeds.sample_index,
            "schedule_rng_seed": seeds.schedule,
            "min_duration_ms": 0,
            "min_query_count": sizes.samples if offline else sizes.queries,
            "performance_sample_count_override": sizes.samples,
            "accuracy_sample_count_override": sizes.samples,
            "accuracy_log_probability": 1.0 if mode is Mode.PERFORMANCE else 0.0,
            "server_target_qps": sizes.server_qps,
            "multi_stream_samples_per_query": sizes.per_query,
            "outstanding_limit_s": _OUTSTANDING_LIMIT_S,
            **changes,
        }
        return Settings(scenario=scenario, mode=mode, **values)

    def run(
        self,
        settings: Settings,
        alter: Callable[[InputLibrary], InputLibrary] | None = None,
        *,
        watches: bool = False,
    ) -> Observation:
        """Start the system, run one test, watch it for a while if so asked, and end it."""
        self.test_count += 1
        library = self.subject.library()
        if alter is not None:
            library = alter(library)
        running = self.subject.start(library, settings.scenario)
        try:
            sut: SystemUnderTest = running.sut
            if isinstance(library, NoticingLibrary):
                sut = _Announced(sut, library.begin)
            before = Counters.now()
            outcome = run_test(sut, library, settings, RunOptions(clock=running.clock))
            seen = Observation.of(outcome)
            if running.clock is None:
                shares = shares_between(before, Counters.now())
                seen = dataclasses.replace(seen, other_load=shares.get("other_load", 0.0))
            if watches:
                seen = self._watched(seen, running)
        finally:
            running.close()
        if isinstance(library, ExchangedLibrary):
            seen = dataclasses.replace(seen, stands_for=library.stands_for)
        return seen

    def baseline(self, scenario: Scenario) -> Observation:
        """Give an accuracy-mode test over the samples that performance tests load, run once."""
        if scenario not in self._baselines:
            self._baselines[scenario] = self.run(self.settings(scenario, Mode.ACCURACY))
        return self._baselines[scenario]

    def renamed(self, settings: Settings, name: str) -> Observation:
        """Run a test on samples of another name."""
        return self.run(settings, lambda library: RenamedLibrary(library, name))

    def exchanged(self, settings: Settings, seed: int) -> Observation:
        """Run a test during which samples change places."""
        return self.run(settings, lambda library: ExchangedLibrary(library, seed))

    def _watched(self, seen: Observation, running: Running) -> Observation:
        before = running.processor_ns()
        running.idle(self.effort.watch_ns)
        return dataclasses.replace(
            seen,
            processor_after_ns=running.processor_ns() - before,
            watched_ns=self.effort.watch_ns,
        )


class _Announced:
    """A system that somebody is told about when it gets its first query."""

    def __init__(self, sut: SystemUnderTest, begin: Callable[[], None]):
        self._sut = sut
        self._begin: Callable[[], None] | None = begin
        self.name = getattr(sut, "name", type(sut).__name__)

    def issue(self, query: Query) -> None:
        """Tell, the first time, and pass the query on."""
        if self._begin is not None:
            self._begin()
            self._begin = None
        self._sut.issue(query)

    def flush(self) -> None:
        """Pass it on."""
        self._sut.flush()
