"""Issue: the only room with a clock. It takes a plan and a system, and fills a ledger."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen.effective import EffectiveSettings
from inferometer.loadgen.incident import IncidentKind
from inferometer.loadgen.ledger import NEVER_DUE, Ledger
from inferometer.loadgen.query import SystemUnderTest, query_maker
from inferometer.loadgen.settings import Settings
from inferometer.loadgen.stop_checks import NEVER, StopChecks, StopRule
from inferometer.loadgen.vocabulary import Mode, Scenario

__all__ = ["Issuer"]


class Issuer:
    """Issues one series of queries.

    After `run`, ``scheduled_ns`` (int64 [planned queries]) says from when, in ns after the
    start, each query's latency counts; ``None`` means from the moment it was issued.
    ``tick_counts`` (v0.5 multi-stream only) says by how many ticks the grid advanced
    before each query.
    """

    def __init__(
        self,
        settings: Settings,
        effective: EffectiveSettings,
        sut: SystemUnderTest,
        ledger: Ledger,
        rule: StopRule | None = None,
    ):
        self._settings = settings
        self._effective = effective
        self._sut = sut
        self._ledger = ledger
        self._plan = ledger.plan
        self._make = query_maker(sut, ledger)
        self._is_accuracy = self._plan.mode is Mode.ACCURACY
        self._checks = StopChecks(effective, settings.era, ledger, rule)
        self.scheduled_ns: NDArray[np.int64] | None = None
        self.tick_counts: NDArray[np.int64] | None = None

    def run(self) -> None:
        """Issue the series, flush, and wait until everything is answered.

        Errors of the system are taken down in the ledger, never raised. Whatever ends
        the series, what was recorded until then stays in the ledger.
        """
        ledger = self._ledger
        try:
            ledger.begin()
            self._begin_checks()
            self._loop()()
            self._note_ran_out()
            if not ledger.stopping:
                self._sut.flush()
                ledger.wait_until_outstanding(0)
        except KeyboardInterrupt:
            ledger.stop(IncidentKind.INTERRUPTED, signal="SIGINT")
        except BaseException as error:
            # Even SystemExit: the recording has to outlive whatever a callback raises.
            ledger.fail(error)

    def _begin_checks(self) -> None:
        if self._is_accuracy:
            self._checks.count_mark = self._checks.time_mark_ns = NEVER
        else:
            self._checks.begin(self._ledger.start_ns)

    def _loop(self) -> Callable[[], None]:
        match self._plan.scenario:
            case Scenario.SERVER:
                return self._server
            case Scenario.OFFLINE:
                return self._offline
            case Scenario.MULTI_STREAM if self._settings.era.is_v05:
                return self._ticks
            case Scenario.MULTI_STREAM_FREE:
                return self._free
            case _:
                return self._back_to_back

    def _note_ran_out(self) -> None:
        ledger = self._ledger
        is_paced = self._plan.scenario is Scenario.SERVER
        has_reason = self._checks.has_ended or ledger.stopping
        if not (self._is_accuracy or is_paced or has_reason):
            ledger.note(IncidentKind.RAN_OUT_OF_QUERIES, issued=ledger.issued_count)

    def _back_to_back(self) -> None:
        """Issue each query once the one before is complete."""
        ledger, checks = self._ledger, self._checks
        now, make, issue = ledger.now_ns, self._make, self._sut.issue
        issued, outstanding = ledger.issued_ns, ledger.outstanding
        count_mark, time_mark_ns = checks.count_mark, checks.time_mark_ns
        for number in range(self._plan.query_count):
            if outstanding and not ledger.wait_until_outstanding(0):
                return
            query = make(number)
            outstanding[number] = query
            stamp = now()
            issued[number] = stamp
            ledger.issued_count = number + 1
            issue(query)
            if number >= count_mark or stamp >= time_mark_ns:
                if checks.check(number + 1, stamp):
                    return
                count_mark, time_mark_ns = checks.count_mark, checks.time_mark_ns
            if ledger.stopping:
                return

    def _server(self) -> None:
        """Issue each query when it is due, whether or not earlier ones are complete."""
        plan, ledger = self._plan, self._ledger
        assert plan.schedule_ns is not None
        self.scheduled_ns = plan.schedule_ns
        if self._settings.server_coalesce_queries:
            self._server_coalesced()
            return
        checks, start_ns = self._checks, ledger.start_ns
        now, sleep_until, interrupted = ledger.now_ns, ledger.clock.sleep_until, ledger.is_stopping
        make, issue = self._make, self._sut.issue
        issued, outstanding = ledger.issued_ns, ledger.outstanding
        max_async = 0 if self._is_accuracy else self._effective.max_async_queries
        count_mark, time_mark_ns = checks.count_mark, checks.time_mark_ns
        for number, offset in enumerate(plan.schedule_ns.data):
            query = make(number)
            outstanding[number] = query
            due = start_ns + offset
            stamp = now()
            if stamp < due:
                ledger.next_due_ns = due
                stamp = sleep_until(due, interrupted)
                ledger.next_due_ns = NEVER_DUE
            if ledger.stopping:
                outstanding.pop(number, None)
                return
            issued[number] = stamp
            ledger.issued_count = number + 1
            issue(query)
            if max_async and len(outstanding) > max_async:
                self._stop_for_outstanding(number + 1)
                return
            if number >= count_mark or stamp >= time_mark_ns:
                if checks.check(number + 1, stamp):
                    return
                count_mark, time_mark_ns = checks.count_mark, checks.time_mark_ns

    def _server_coalesced(self) -> None:
        """Issue all queries that are due in one call."""
        plan, ledger, checks = self._plan, self._ledger, self._checks
        assert plan.schedule_ns is not None
        due_times = (plan.schedule_ns + ledger.start_ns).tolist()
        issue_many = getattr(self._sut, "issue_many", None)
        max_async = 0 if self._is_accuracy else self._effective.max_async_queries
        number, count = 0, plan.query_count
        while number < count:
            stamp = ledger.now_ns()
            if stamp < due_times[number]:
                stamp = self._sleep_until(due_times[number])
            if ledger.stopping:
                return
            batch: list[Any] = []
            while number < count and (not batch or due_times[number] <= stamp):
                query = self._make(number)
                ledger.outstanding[number] = query
                ledger.issued_ns[number] = stamp
                batch.append(query)
                number += 1
            ledger.issued_count = number
            self._issue_batch(batch, issue_many)
            if max_async and len(ledger.outstanding) > max_async:
                self._stop_for_outstanding(number)
                return
            is_due = number > checks.count_mark or stamp >= checks.time_mark_ns
            if is_due and checks.check(number, stamp):
                return

    def _sleep_until(self, due_ns: int) -> int:
        """Sleep until a due time, telling completing threads when that is."""
        ledger = self._ledger
        ledger.next_due_ns = due_ns
        stamp = ledger.clock.sleep_until(due_ns, ledger.is_stopping)
        ledger.next_due_ns = NEVER_DUE
        return stamp

    def _issue_batch(self, batch: list[Any], issue_many: Any) -> None:
        if issue_many is not None:
            issue_many(batch)
            return
        for query in batch:
            self._sut.issue(query)

    def _stop_for_outstanding(self, issued: int) -> None:
        outstanding = len(self._ledger.outstanding)
        self._checks.end(IncidentKind.TOO_MANY_OUTSTANDING, issued=issued, outstanding=outstanding)

    def _offline(self) -> None:
        """Issue everything at once; latency counts from the start of the series."""
        ledger = self._ledger
        self.scheduled_ns = np.zeros(self._plan.query_count, np.int64)
        for number in range(self._plan.query_count):
            query = self._make(number)
            ledger.outstanding[number] = query
            stamp = ledger.now_ns()
            ledger.issued_ns[number] = stamp
            ledger.issued_count = number + 1
            self._sut.issue(query)
            if number >= self._checks.count_mark and self._checks.check(number + 1, stamp):
                return
            if ledger.stopping:
                return

    def _ticks(self) -> None:
        """v0.5 MultiStream: issue on a grid of ticks, skipping those that come too soon."""
        ledger, plan = self._ledger, self._plan
        rate = self._effective.target_qps
        advanced = ledger.store.zeros("ticks", plan.query_count)
        self.tick_counts = advanced
        self.scheduled_ns = ledger.store.zeros("scheduled", plan.query_count)
        in_flight: deque[int] = deque()
        tick = 0
        for number in range(plan.query_count):
            if self._wait_for_room(in_flight, number) is None:
                return
            now_ns = ledger.now_ns()
            before = tick
            tick += 1
            while (due := ledger.start_ns + int(tick / rate * 1e9)) < now_ns:
                tick += 1
            advanced[number] = tick - before
            stamp = self._sleep_until(due)
            if ledger.stopping or self._issue_one(number, due, stamp):
                return

    def _free(self) -> None:
        """v0.5 MultiStreamFree: issue as soon as fewer than the limit are outstanding."""
        ledger, plan = self._ledger, self._plan
        self.scheduled_ns = ledger.store.zeros("scheduled", plan.query_count)
        self.tick_counts = ledger.store.zeros("ticks", plan.query_count)
        in_flight: deque[int] = deque()
        for number in range(plan.query_count):
            freed_ns = self._wait_for_room(in_flight, number)
            if freed_ns is None or self._issue_one(
                number, freed_ns or ledger.now_ns(), ledger.now_ns()
            ):
                return

    def _wait_for_room(self, in_flight: deque[int], number: int) -> int | None:
        """Wait for the oldest query if too many are in flight.

        Gives when the awaited query completed, 0 if none was awaited, ``None`` if the
        series has to end.
        """
        in_flight.append(number)
        if len(in_flight) <= self._effective.max_async_queries:
            return 0
        oldest = in_flight.popleft()
        if not self._ledger.wait_for(oldest):
            return None
        size = self._plan.samples_per_query
        return int(self._ledger.completed_array[oldest * size : (oldest + 1) * size].max())

    def _issue_one(self, number: int, due_ns: int, stamp: int) -> bool:
        """Issue one v0.5 multi-stream query; tell whether the series has to end."""
        ledger, checks = self._ledger, self._checks
        assert self.scheduled_ns is not None
        self.scheduled_ns[number] = due_ns - ledger.start_ns
        query = self._make(number)
        ledger.outstanding[number] = query
        ledger.issued_ns[number] = stamp
        ledger.issued_count = number + 1
        self._sut.issue(query)
        due = number >= checks.count_mark or stamp >= checks.time_mark_ns
        return (due and checks.check(number + 1, stamp)) or ledger.stopping
