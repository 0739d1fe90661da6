"""Runner: takes a workload, a backend and scenarios, and leaves a session folder."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inferometer.backends import BackendOptions, get_backend
from inferometer.backends import Session as LoadedModel
from inferometer.loadgen import (
    Era,
    Mode,
    Responses,
    RunOptions,
    Scenario,
    SeriesProgress,
    Settings,
    StopRule,
)
from inferometer.logs import apply_config, builtin_config
from inferometer.rounds import Round
from inferometer.runs.effort import Effort, Pace, expected_performance, quick_settings, server_rate
from inferometer.runs.folder import SESSION, write_json
from inferometer.runs.recorder import record_test
from inferometer.runs.result import Session, TestResult
from inferometer.runs.system import describe_system, usable_cores
from inferometer.serving import InlineServing, PoolOptions, PoolServing
from inferometer.workloads import InputLibrary, Workload, get_workload

__all__ = ["Listener", "RunRequest", "Runner", "ServingOptions"]

_WARM_UP_CALLS = 5
_PROBE_S = 0.25
_SHARED_CORES_LOSS = 0.8
# Offline first: its throughput sizes what comes after it.
_EXECUTION_ORDER = (
    Scenario.OFFLINE,
    Scenario.SINGLE_STREAM,
    Scenario.MULTI_STREAM,
    Scenario.MULTI_STREAM_FREE,
    Scenario.SERVER,
)


@dataclass(frozen=True)
class ServingOptions:
    """How queries reach the model; ``None`` leaves a choice to the scenario.

    kind:
        ``inline`` answers on the issue thread, ``pool`` on workers that form batches. The
        default is inline for SingleStream and a pool for the others.
    workers:
        Worker threads of the pool; by default one for each usable core.
    """

    kind: str | None = None
    workers: int | None = None
    max_batch_size: int = 32
    max_wait_ms: float = 0.0


@dataclass(frozen=True)
class RunRequest:
    """Everything that a session of runs is asked to do.

    settings:
        Gives the settings that override the others, for each scenario.
    round:
        Run by the book of this round; ``None`` for a quick run.
    """

    workload: str
    output: Path
    backend: str = "onnxruntime"
    backend_options: BackendOptions = field(default_factory=BackendOptions)
    serving: ServingOptions = field(default_factory=ServingOptions)
    scenarios: tuple[Scenario, ...] = ()
    modes: tuple[Mode, ...] = (Mode.ACCURACY, Mode.PERFORMANCE)
    effort: Effort = field(default_factory=Effort)
    round: Round | None = None
    settings: Callable[[Scenario], Mapping[str, Any]] = lambda _: {}
    command: str = ""


class Listener(Protocol):
    """Is told how a session goes."""

    def note(self, text: str) -> None:
        """Take a remark for the user."""
        ...

    def begin(self, name: str, expected_s: float) -> None:
        """Take the start of a test and about how long it will take."""
        ...

    def progress(self, progress: SeriesProgress) -> None:
        """Take how far the test has come."""
        ...

    def end(self, result: TestResult) -> None:
        """Take a finished test."""
        ...


class Runner:
    """Runs the tests of one request, accuracy before performance in each scenario."""

    def __init__(self, request: RunRequest, listener: Listener):
        self._request = request
        self._listener = listener
        self._workload: Workload = get_workload(request.workload)
        backend = get_backend(request.backend)
        options = request.backend_options
        if options.threads is None:
            options = dataclasses.replace(options, threads=1)
        self._model: LoadedModel = backend.load(self._workload.model(backend.formats), options)
        self._library: InputLibrary = self._workload.library()
        self._notes: list[str] = []
        self._tests: list[TestResult] = []
        self._started_at = time.strftime("%Y-%m-%dT%H:%M:%S%z")
        self._pace = Pace(0.0, 0.0)

    def run(self) -> Session:
        """Run everything; stop early only when interrupted."""
        self._warm_up()
        planned = self._planned()
        self._say_expected(planned)
        for scenario, mode, number in planned:
            result = self._run_one(scenario, mode, number)
            self._tests.append(result)
            self._listener.end(result)
            self._write_session()
            if result.was_interrupted:
                break
        return self._session()

    # ---- what is run

    def _planned(self) -> list[tuple[Scenario, Mode, int]]:
        wanted = self._request.scenarios or self._default_scenarios()
        planned: list[tuple[Scenario, Mode, int]] = []
        for scenario in sorted(wanted, key=_EXECUTION_ORDER.index):
            for mode in self._request.modes:
                runs = self._performance_runs(scenario) if mode is Mode.PERFORMANCE else 1
                planned.extend((scenario, mode, number + 1) for number in range(runs))
        return planned

    def _default_scenarios(self) -> tuple[Scenario, ...]:
        if self._request.round is not None:
            return self._request.round.scenarios
        return tuple(s for s in Scenario if s is not Scenario.MULTI_STREAM_FREE)

    def _performance_runs(self, scenario: Scenario) -> int:
        chosen = self._request.round
        return 1 if chosen is None else chosen.runs.get(scenario, 1)

    def _say_expected(self, planned: list[tuple[Scenario, Mode, int]]) -> None:
        total_s = sum(self._expected_s(*self._settings(s, m)[:1], m) for s, m, _ in planned)
        if self._request.round is not None:
            self._note(f"by the book of round {self._request.round.name}: {_duration(total_s)}")

    def _run_one(self, scenario: Scenario, mode: Mode, number: int) -> TestResult:
        settings, rule = self._settings(scenario, mode)
        folder = self._request.output / scenario.value
        folder = folder / ("accuracy" if mode is Mode.ACCURACY else f"performance/run_{number}")
        name = f"{scenario.value} {'accuracy' if mode is Mode.ACCURACY else 'performance'}"
        if number > 1 or self._performance_runs(scenario) > 1:
            name += f" {number}" if mode is Mode.PERFORMANCE else ""
        self._listener.begin(name, self._expected_s(settings, mode))
        serving, description = self._serving(scenario)
        options = RunOptions(
            rule=rule,
            progress=self._listener.progress,
            notes={"serving": description, "backend": dict(self._model.description)},
        )
        scorer = self._workload.score if mode is Mode.ACCURACY else None
        try:
            result, _ = record_test(
                serving, self._library, settings, folder, self._label(), options, scorer
            )
        finally:
            serving.close()
        self._learn_pace(result)
        return result

    # ---- settings

    def _settings(self, scenario: Scenario, mode: Mode) -> tuple[Settings, StopRule | None]:
        """Give the settings of a test, and the rule that ends a quick one."""
        overrides = dict(self._request.settings(scenario))
        if self._request.round is not None:
            benchmark = self._workload.info.round_benchmark
            base = self._request.round.settings(scenario, benchmark)
            hints = expected_performance(base, self._pace)
            return base.replace(mode=mode, **{**hints, **overrides}), None
        base = self._quick_base(scenario, mode, overrides)
        if mode is Mode.ACCURACY:
            return base, None
        settings, rule = quick_settings(scenario, base, self._pace_of(scenario), self._request.effort)
        return settings.replace(**overrides), rule

    def _quick_base(
        self, scenario: Scenario, mode: Mode, overrides: Mapping[str, Any]
    ) -> Settings:
        era = Era(overrides.get("era", Era.CURRENT))
        seeded, _ = apply_config(
            Settings(era=era), builtin_config(era), "*", scenario.value, takes_seeds=True
        )
        base = Settings.from_mapping(
            {
                "era": era,
                "scenario": scenario,
                "mode": mode,
                "qsl_rng_seed": seeded.qsl_rng_seed,
                "sample_index_rng_seed": seeded.sample_index_rng_seed,
                "schedule_rng_seed": seeded.schedule_rng_seed,
                "server_target_latency_ns": self._workload.info.server_latency_bound_ns,
                "server_target_qps": server_rate(self._pace),
            }
        )
        return base.replace(**overrides)

    def _label(self) -> str:
        chosen = self._request.round
        if chosen is None:
            return "quick"
        changed = any(self._request.settings(scenario) for scenario in Scenario)
        return f"round {chosen.name}" + (", changed settings" if changed else "")

    def _expected_s(self, settings: Settings, mode: Mode) -> float:
        """Say about how long a test takes."""
        samples = self._library.total_sample_count
        if mode is Mode.ACCURACY:
            if settings.scenario is Scenario.SERVER:
                return samples / settings.server_target_qps
            return samples / max(self._pace.samples_per_s, 1.0)
        least_s = settings.min_duration_ms / 1e3
        if self._request.round is None:
            return max(least_s, self._request.effort.budget_s)
        match settings.scenario:
            case Scenario.SERVER:
                return max(least_s, settings.min_query_count / settings.server_target_qps)
            case Scenario.MULTI_STREAM if settings.era.is_v05:
                return max(least_s, settings.min_query_count / settings.multi_stream_target_qps)
            case Scenario.OFFLINE:
                wanted = 1.1 * least_s * settings.offline_expected_qps
                count = max(settings.min_query_count, wanted)
                return count / max(self._pace.samples_per_s, 1.0)
            case _:
                return max(least_s, settings.min_query_count * self._pace.query_latency_s)

    # ---- the system under test

    def _serving(self, scenario: Scenario) -> tuple[InlineServing | PoolServing, dict[str, Any]]:
        asked = self._request.serving
        kind = asked.kind or ("inline" if scenario is Scenario.SINGLE_STREAM else "pool")
        if kind == "inline":
            return InlineServing(self._handle, self._sut_name(kind)), {"kind": kind}
        options = PoolOptions(
            workers=asked.workers or usable_cores(),
            max_batch_size=asked.max_batch_size,
            max_wait_s=asked.max_wait_ms / 1e3,
            split_queries=scenario.is_multi_stream,
        )
        description = {"kind": kind, **dataclasses.asdict(options)}
        return PoolServing(self._handle, options, self._sut_name(kind)), description

    def _sut_name(self, kind: str) -> str:
        return f"{self._workload.info.name} {self._request.backend} {kind}"

    def _handle(self, indices: NDArray[np.integer[Any]]) -> Responses:
        outputs = self._model.run(self._library.inputs(indices))
        return self._workload.postprocess(outputs)

    # ---- how fast it is

    def _warm_up(self) -> None:
        """Run the model a few times, untimed, then measure about how fast it is."""
        batch = min(self._request.serving.max_batch_size, self._library.total_sample_count)
        samples = np.arange(batch)
        self._library.load(samples)
        for _ in range(_WARM_UP_CALLS):
            self._handle(samples[:1])
            self._handle(samples)
        one_s, all_s = self._time(samples[:1]), self._time(samples)
        self._library.unload(samples)
        workers = self._request.serving.workers or usable_cores()
        loss = _SHARED_CORES_LOSS if workers > 1 else 1.0
        self._pace = Pace(one_s, workers * loss * batch / all_s)

    def _time(self, samples: NDArray[np.int64]) -> float:
        calls, begun = 0, time.perf_counter()
        while time.perf_counter() - begun < _PROBE_S:
            self._handle(samples)
            calls += 1
        return (time.perf_counter() - begun) / calls

    def _pace_of(self, scenario: Scenario) -> Pace:
        if not scenario.is_multi_stream:
            return self._pace
        per_query = Settings().multi_stream_samples_per_query
        return dataclasses.replace(
            self._pace, query_latency_s=per_query / self._pace.samples_per_s
        )

    def _learn_pace(self, result: TestResult) -> None:
        """Take the throughput of an Offline test as what the system can do."""
        if result.scenario is not Scenario.OFFLINE or not result.recording.series:
            return
        spans = [series.completed_ns.max(initial=0) for series in result.recording.series]
        done = sum(int(series.is_complete.sum()) for series in result.recording.series)
        total_s = sum(int(span) for span in spans) / 1e9
        if done and total_s > 0:
            self._pace = dataclasses.replace(self._pace, samples_per_s=done / total_s)

    # ---- the session

    def _note(self, text: str) -> None:
        self._notes.append(text)
        self._listener.note(text)

    def _session(self) -> Session:
        info = self._workload.info
        return Session(
            folder=self._request.output,
            workload={
                "name": info.name,
                "title": info.title,
                "task": info.task,
                "metric": info.metric,
                "data_set": info.data_set,
                "samples": info.sample_count,
                "reference_accuracy": info.reference_accuracy,
                "target_accuracy": info.target_accuracy,
            },
            backend={"name": self._request.backend, **self._model.description},
            label=self._label(),
            system=describe_system(),
            command=self._request.command,
            started_at=self._started_at,
            tests=tuple(self._tests),
            notes=tuple(self._notes),
        )

    def _write_session(self) -> None:
        write_json(self._request.output / SESSION, self._session().to_mapping())


def _duration(seconds: float) -> str:
    """Write a duration as people say it."""
    if seconds < 90:
        return f"about {seconds:.0f} s"
    if seconds < 5400:
        return f"about {seconds / 60:.0f} min"
    return f"about {seconds / 3600:.1f} h"
