"""Session: runs a whole test, from settings to a recording."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen.arrays import MemoryStore
from inferometer.loadgen.clock import MonotonicClock, VirtualClock
from inferometer.loadgen.effective import EffectiveSettings, derive
from inferometer.loadgen.errors import SettingsError
from inferometer.loadgen.find_peak import FindPeak, PeakSeries
from inferometer.loadgen.issue import Issuer
from inferometer.loadgen.journal import SeriesStart
from inferometer.loadgen.judging import meets_bound
from inferometer.loadgen.ledger import Ledger
from inferometer.loadgen.plan import LoadableSet, Plan, loadable_sets, make_plan, planned_for
from inferometer.loadgen.process_state import TimingOptions, punctual_thread, quiet_interpreter
from inferometer.loadgen.query import SampleLibrary, SystemUnderTest, name_of
from inferometer.loadgen.recording import Message, Recording, SeriesRecord, Step
from inferometer.loadgen.responses import ResponseWriter
from inferometer.loadgen.run_options import RunOptions, RunOutcome, SeriesProgress
from inferometer.loadgen.settings import Settings
from inferometer.loadgen.stamps import Circumstances, Stamps, make_record
from inferometer.loadgen.stop_checks import StopRule, TellingRule
from inferometer.loadgen.stop_outlook import planned_outlook
from inferometer.loadgen.supervisor import run_here, supervise
from inferometer.loadgen.vocabulary import Mode, Scenario

__all__ = ["run_test"]

_SERVER_SWITCH_INTERVAL_S = 5e-5


def run_test(
    sut: SystemUnderTest,
    library: SampleLibrary,
    settings: Settings,
    options: RunOptions | None = None,
) -> RunOutcome:
    """Run one test and give what happened; judging it is another step.

    Raises `SettingsError` or `PlanError` before anything is issued. What the system does
    wrong is recorded, not raised.
    """
    options = options or RunOptions()
    messages = list(options.messages)
    if settings.test05:
        settings = _with_test05_seeds(settings)
        messages.append(Message("test05", "Test05 flag detected Overriding random seeds"))
    effective = derive(settings, library.total_sample_count, library.performance_sample_count)
    if effective.problems and not options.tolerate_problems:
        raise SettingsError("; ".join(effective.problems))
    messages.extend(Message("invalid_settings", problem) for problem in effective.problems)
    writer = ResponseWriter(options.response_path)
    session = _Session(sut, library, settings, effective, options, writer)
    session.add_messages(messages)
    session.run()
    return RunOutcome(session.recording(), writer.reader(), session.error)


def _with_test05_seeds(settings: Settings) -> Settings:
    return settings.replace(
        mode=Mode.PERFORMANCE,
        qsl_rng_seed=settings.test05_qsl_rng_seed,
        sample_index_rng_seed=settings.test05_sample_index_rng_seed,
        schedule_rng_seed=settings.test05_schedule_rng_seed,
    )


def _default_timing(settings: Settings) -> TimingOptions:
    """Give a server run a short switch interval: its arrivals don't wait for the system."""
    if settings.scenario is Scenario.SERVER:
        return TimingOptions(switch_interval_s=_SERVER_SWITCH_INTERVAL_S)
    return TimingOptions()


class _LibraryError(Exception):
    """The sample library raised an error, which is the cause."""


class _Session:
    """The state of one running test."""

    def __init__(
        self,
        sut: SystemUnderTest,
        library: SampleLibrary,
        settings: Settings,
        effective: EffectiveSettings,
        options: RunOptions,
        writer: ResponseWriter,
    ):
        self._sut = sut
        self._library = library
        self._settings = settings
        self._effective = effective
        self._timing = options.timing or _default_timing(settings)
        self._clock = options.clock or MonotonicClock(
            self._timing.spin_ns,
            arrival_spin_ns=self._timing.arrival_spin_ns,
            hand_off=self._timing.hand_off,
            has_own_core=self._timing.core is not None,
        )
        self._rule = options.rule
        self._journal = options.journal
        self._progress = options.progress
        self._on_calling_thread = options.on_calling_thread
        self._writer = writer
        asked_ns = self._clock.now_ns()
        self._sut_name = name_of(sut)
        named_ns = self._clock.now_ns() - asked_ns
        self._notes = {
            "process_id": os.getpid(),
            "sut_name_duration_ns": named_ns,
            **options.notes,
        }
        if isinstance(self._rule, TellingRule):
            self._notes["stop_rule"] = dict(self._rule.describe())
        self._notes_at_end = options.notes_at_end
        self._messages: list[Message] = []
        self._records: list[SeriesRecord] = []
        self._chronicle: list[Step] = []
        self._result_series: int | None = None
        self._next_sample_id = 0
        self._wall_start_s = time.time()
        self._has_ended = False
        self.error: BaseException | None = None

    def add_messages(self, messages: Sequence[Message]) -> None:
        """Take in what was said about the settings."""
        self._messages.extend(messages)

    def run(self) -> None:
        """Run the series that the mode asks for.

        An error of the sample library ends the test and is kept; what was recorded until
        then stays.
        """
        try:
            self._run_mode(self._settings.mode)
        except _LibraryError as failure:
            self.error = failure.__cause__

    def _run_mode(self, mode: Mode) -> None:
        if mode in (Mode.ACCURACY, Mode.SUBMISSION):
            self._run_accuracy()
        if mode in (Mode.PERFORMANCE, Mode.SUBMISSION) and not self._has_ended:
            self._run_performance()
        if mode is Mode.FIND_PEAK:
            self._run_find_peak()

    def recording(self) -> Recording:
        """Give everything recorded so far."""
        return Recording(
            settings=self._settings,
            sut_name=self._sut_name,
            library_name=self._library.name,
            total_sample_count=self._library.total_sample_count,
            performance_sample_count=self._library.performance_sample_count,
            series=tuple(self._records),
            wall_start_s=self._wall_start_s,
            messages=tuple(self._messages),
            chronicle=tuple(self._chronicle),
            result_series=self._result_series,
            notes={**self._notes, **self._notes_at_end()},
        )

    def _run_accuracy(self) -> None:
        for number, loaded in enumerate(self._sets(Mode.ACCURACY, self._effective)):
            self._load(loaded, number, Mode.ACCURACY)
            self._run_series(loaded, Mode.ACCURACY, self._effective, number)
            self._unload(loaded, number, Mode.ACCURACY)
            if self._has_ended:
                return

    def _run_performance(self) -> None:
        loaded = self._sets(Mode.PERFORMANCE, self._effective)[0]
        self._load(loaded)
        self._run_series(loaded, Mode.PERFORMANCE, self._effective)
        self._result_series = len(self._records) - 1
        self._report_latencies()
        self._unload(loaded)

    def _run_find_peak(self) -> None:
        if not FindPeak.is_supported(self._settings):
            self._chronicle.append(Step("unsupported"))
            return
        loaded: list[LoadableSet] = []

        def load(largest: float) -> None:
            loaded[:] = self._sets(Mode.FIND_PEAK, self._effective_at(largest))[:1]
            self._load(loaded[0])

        def run(at: float) -> bool | None:
            effective = self._effective_at(at)
            record = self._run_series(loaded[0], Mode.PERFORMANCE, effective)
            return None if self._has_ended else meets_bound(self._settings, effective, record)

        series = PeakSeries(
            load=load,
            run=run,
            unload=lambda: self._unload(loaded[0]),
            count=lambda: len(self._records),
            tell=lambda kind, values: self._chronicle.append(Step(kind, values)),
        )
        self._result_series = FindPeak(self._settings, self._effective, series).search()
        self._report_latencies()

    def _report_latencies(self) -> None:
        """Tell a system that wants to know the latencies of the series that counts."""
        report = getattr(self._sut, "report_latencies", None)
        if report is None or self._result_series is None or self._has_ended:
            return
        try:
            report(self._records[self._result_series].latency_ns)
        except Exception as error:
            self.error = error

    def _effective_at(self, load: float) -> EffectiveSettings:
        """Give the effective settings for another load of the find-peak search."""
        if self._settings.scenario is Scenario.SERVER:
            return dataclasses.replace(self._effective, target_qps=load)
        per_query = int(load)
        return dataclasses.replace(
            self._effective,
            samples_per_query=per_query,
            min_sample_count=self._effective.min_query_count * per_query,
        )

    def _sets(self, mode: Mode, effective: EffectiveSettings) -> list[LoadableSet]:
        return loadable_sets(
            effective,
            mode,
            self._library.total_sample_count,
            era=self._settings.era,
            flavour=self._settings.integer_flavour,
        )

    def _load(self, loaded: LoadableSet, number: int = 0, mode: Mode = Mode.PERFORMANCE) -> None:
        self._chronicle.append(self._step_of("load", loaded, number, mode))
        self._call_library(self._library.load, loaded)

    def _unload(self, loaded: LoadableSet, number: int = 0, mode: Mode = Mode.PERFORMANCE) -> None:
        self._chronicle.append(self._step_of("unload", loaded, number, mode))
        self._call_library(self._library.unload, loaded)

    def _call_library(self, call: Callable[[NDArray[np.int64]], None], loaded: LoadableSet) -> None:
        try:
            call(loaded.indices)
        except BaseException as error:
            # Even SystemExit: the recording has to outlive whatever a callback raises.
            kind = "interrupted" if isinstance(error, KeyboardInterrupt) else "library_failed"
            text = f"{type(error).__name__}: {error}".removesuffix(": ")
            self._messages.append(Message(kind, text))
            raise _LibraryError from error

    def _step_of(self, kind: str, loaded: LoadableSet, number: int, mode: Mode) -> Step:
        padding = len(loaded.indices) - loaded.distinct_count
        return Step(kind, (number, padding + 1, int(mode is Mode.ACCURACY)))

    def _run_series(
        self,
        loaded: LoadableSet,
        mode: Mode,
        effective: EffectiveSettings,
        set_number: int = 0,
    ) -> SeriesRecord:
        rule = self._rule if mode is Mode.PERFORMANCE else None
        planned_ms = int(rule.longest_s * 1000) if isinstance(rule, TellingRule) else 0
        plan = make_plan(
            planned_for(effective, planned_ms),
            mode,
            loaded,
            era=self._settings.era,
            flavour=self._settings.integer_flavour,
            first_sample_id=self._next_sample_id,
        )
        self._next_sample_id += plan.sample_count
        number = len(self._records)
        wall_start_s = time.time()
        start = SeriesStart(
            number=number,
            mode=mode.value,
            set_number=set_number,
            padded_for=len(loaded.indices) - loaded.distinct_count + 1,
            target_qps=effective.target_qps,
            samples_per_query=effective.samples_per_query,
            first_sample_id=plan.first_sample_id,
            wall_start_s=wall_start_s,
            planned_ms=planned_ms,
        )
        ledger = Ledger(
            plan,
            self._clock,
            store=MemoryStore() if self._journal is None else self._journal.store(start),
            writer=self._writer,
            outstanding_limit_s=self._settings.outstanding_limit_s,
            uses_tokens=effective.use_token_latencies,
        )
        issuer = Issuer(self._settings, effective, self._sut, ledger, rule)
        self._run_timed(issuer, ledger, self._teller(number, effective, rule))
        ledger.close()
        record = self._record(ledger, issuer, effective, wall_start_s)
        self._records.append(record)
        self._chronicle.append(Step("series", (number,)))
        self._has_ended = ledger.stopping_reason is not None
        self.error = ledger.error
        return record

    def _run_timed(
        self, issuer: Issuer, ledger: Ledger, tell: Callable[[Ledger], None] | None
    ) -> None:
        if isinstance(self._clock, VirtualClock):
            issuer.run()
            return

        def work() -> None:
            with punctual_thread(self._timing):
                issuer.run()

        with quiet_interpreter(self._timing):
            if self._on_calling_thread:
                run_here(work, ledger)
                return
            supervise(work, ledger, self._settings.outstanding_limit_s, tell)

    def _teller(
        self, number: int, effective: EffectiveSettings, rule: StopRule | None
    ) -> Callable[[Ledger], None] | None:
        if self._progress is None:
            return None
        told = self._progress

        def tell(ledger: Ledger) -> None:
            plan: Plan = ledger.plan
            started = ledger.start_ns or ledger.now_ns()
            elapsed_s = (ledger.now_ns() - started) / 1e9
            if isinstance(rule, TellingRule):
                outlook = rule.outlook()
            else:
                outlook = planned_outlook(effective, plan, ledger.issued_count, elapsed_s)
            told(
                SeriesProgress(
                    mode=plan.mode,
                    number=number,
                    issued_queries=ledger.issued_count,
                    planned_queries=plan.query_count,
                    planned_duration_s=plan.duration_ns / 1e9,
                    elapsed_s=elapsed_s,
                    needed_queries=outlook.needed_queries,
                    left_s=outlook.left_s(ledger.issued_count, elapsed_s),
                )
            )

        return tell

    def _record(
        self, ledger: Ledger, issuer: Issuer, effective: EffectiveSettings, wall_start_s: float
    ) -> SeriesRecord:
        stamps = Stamps(
            start_ns=ledger.start_ns,
            issued_count=ledger.issued_count,
            issued=ledger.issued_array,
            completed=ledger.completed_array,
            scheduled_ns=issuer.scheduled_ns,
            tick_counts=issuer.tick_counts,
            first_token=ledger.first_token_array,
            token_count=ledger.token_count_array,
            phases=ledger.phases,
        )
        around = Circumstances(
            wall_start_s=wall_start_s,
            wall_stop_s=time.time(),
            stop_ns=ledger.now_ns() - ledger.start_ns,
            target_qps=effective.target_qps,
            timing=self._timing_note(),
            incidents=ledger.incidents.kept(),
            incident_counts=ledger.incidents.counts(),
        )
        return make_record(ledger.plan, stamps, around)

    def _timing_note(self) -> dict[str, Any]:
        if isinstance(self._clock, VirtualClock):
            return {"clock": "virtual"}
        return {"clock": "monotonic", **dataclasses.asdict(self._timing)}
