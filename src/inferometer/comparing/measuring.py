"""Measuring: in each block every option runs once, in a fresh process, in a random order."""

from __future__ import annotations

import dataclasses
import math
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from inferometer.comparing.brief_listener import BriefListener
from inferometer.comparing.folder import block_place, write_plan
from inferometer.comparing.int8 import make_int8
from inferometer.comparing.outcome import failure_of, offline_rates
from inferometer.comparing.plan import Candidate, Group, Plan
from inferometer.comparing.recorded import load_comparison
from inferometer.loadgen import InferometerError, Mode, Scenario
from inferometer.runs import (
    Effort,
    Listener,
    RunRequest,
    Session,
    run_supervised,
)
from inferometer.runs.effort import Pace, server_rate
from inferometer.runs.folder import INTERRUPTED
from inferometer.tuning.gain import fewest_pairs
from inferometer.workloads import get_workload

__all__ = ["Run", "measure_plan"]

Run = Callable[[RunRequest, Listener], Session]
"""Runs a request in a fresh process, and gives its session."""

_FIRST_LOOK = Effort(budget_s=0.5, least_s=0.3)
_MOST_FAILURES = 2


def measure_plan(
    plan: Plan,
    folder: Path,
    listener: Listener,
    run: Run = run_supervised,
    clock: Callable[[], float] = time.monotonic,
) -> Plan:
    """Measure everything of a plan that isn't in its folder yet; give the plan as it was kept.

    How many blocks are run depends on time alone, and with a precision on how wide the
    intervals are, never on where they lie. Raises KeyboardInterrupt if it was interrupted;
    what is finished is in the folder then, and can be gone on with.
    """
    bench = _Bench(plan, folder, listener, run, clock)
    write_plan(folder, plan)
    bench.prepare()
    bench.measure()
    return bench.plan


class _Bench:
    """Runs a plan, and keeps it up to date on disk."""

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        listener: Listener,
        run: Run,
        clock: Callable[[], float],
    ):
        self.plan = plan
        self._folder = folder
        self._listener = listener
        self._brief = BriefListener(listener)
        self._run = run
        self._clock = clock
        self._began = clock()
        self._failures: dict[tuple[str, str], int] = {}

    def prepare(self) -> None:
        """Measure the accuracy of everyone once, and find a Server rate that suits them all."""
        for name in [group.name for group in self.plan.groups]:
            group = self._group(name)
            rates: list[float] = []
            for candidate in list(group.running):
                place = block_place(self._folder, group, candidate, None)
                session = self._first_session(name, candidate, place)
                if session is not None:
                    rates += offline_rates(session)
            self._choose_rate(name, rates)

    def _first_session(self, name: str, candidate: Candidate, place: Path) -> Session | None:
        if place.exists():
            if name in self.plan.orders:
                return None
            _set_aside(self._folder, place)
        self._listener.note(f"{name}, {candidate.label}: accuracy")
        request = dataclasses.replace(
            candidate.request,
            output=place,
            scenarios=(Scenario.OFFLINE,),
            modes=(Mode.ACCURACY, Mode.PERFORMANCE),
            effort=_FIRST_LOOK,
        )
        try:
            make_int8(request, self._listener.note)
            session = self._run(request, self._listener)
        except InferometerError as error:
            self._fail(name, candidate, str(error))
            return None
        self._check_interrupted(session)
        failure = failure_of(session)
        if failure:
            self._fail(name, candidate, failure)
            return None
        return session

    def _choose_rate(self, name: str, rates: list[float]) -> None:
        """Take the usual Server rate of the slowest, unless a rate was asked for."""
        group = self._group(name)
        is_asked = any(
            "server_target_qps" in one.request.settings(Scenario.SERVER) for one in group.candidates
        )
        if Scenario.SERVER not in self.plan.scenarios or is_asked or group.server_target_qps:
            return
        if rates:
            first = group.running[0].request
            bound_ns = get_workload(
                first.workload, first.workload_options
            ).info.server_latency_bound_ns
            rate = server_rate(Pace(0.0, min(rates)), bound_ns)
            self._keep_group(dataclasses.replace(group, server_target_qps=rate))
            self._listener.note(f"{name}: Server at {rate:g}/s for all")

    def measure(self) -> None:
        """Run the blocks, group by group, looking now and then whether they are enough."""
        for look in range(1, self.plan.looks + 1):
            for number, group in enumerate(self.plan.groups):
                left = len(self.plan.groups) - number
                self._measure_group(group.name, self.plan.blocks * look, left)
            if look < self.plan.looks and self._is_precise():
                self._listener.note(f"precise enough after {self.plan.blocks * look} blocks")
                return

    def _measure_group(self, name: str, wanted: int, groups_left: int) -> None:
        """Run blocks of a group until there are as many as wanted, or its time is over."""
        began = self._clock()
        limit_s = self._share_s(groups_left)
        fewest = fewest_pairs(self.plan.confidence)
        longest_s = 0.0
        self._drop_unfinished(name)
        first = done = len(self.plan.orders.get(name, ()))
        while done < wanted and len(self._group(name).running) > 1:
            begun = self._clock()
            if done >= fewest and begun - began + longest_s > limit_s:
                self._listener.note(f"{name}: the time is used up after {done} blocks")
                return
            left_s = (begun - began) / (done - first) * (wanted - done) if done > first else 0.0
            left = f", about {left_s / 60:.0f} min left" if left_s > 90 else ""
            self._listener.note(f"{name}: block {done + 1} of {wanted}{left}")
            self._run_block(name, done)
            longest_s = max(longest_s, self._clock() - begun)
            if done == 0 and limit_s < math.inf and longest_s * fewest > limit_s:
                self._listener.note(
                    f"{name}: the least that has an interval, {fewest} blocks, takes about "
                    f"{longest_s * fewest:.0f} s, longer than its share of the budget"
                )
            done += 1

    def _share_s(self, groups_left: int) -> float:
        if self.plan.budget_s is None:
            return math.inf
        spent_s = self._clock() - self._began
        return max(0.0, self.plan.budget_s - spent_s) / groups_left

    def _drop_unfinished(self, name: str) -> None:
        """Set aside what there is of a block that was cut off; it is run again."""
        group, block = self._group(name), len(self.plan.orders.get(name, ()))
        for candidate in group.candidates:
            place = block_place(self._folder, group, candidate, block)
            if place.exists():
                _set_aside(self._folder, place)

    def _run_block(self, name: str, block: int) -> None:
        group = self._group(name)
        order = self.plan.order_of(group, block)
        for candidate in order:
            place = block_place(self._folder, group, candidate, block)
            request = self.plan.request_for(candidate, group, block, place)
            try:
                session = self._run(request, self._brief)
            except InferometerError as error:
                self._fail(name, candidate, str(error))
                continue
            self._check_interrupted(session)
            failure = failure_of(session)
            if failure:
                key = (name, candidate.label)
                self._failures[key] = self._failures.get(key, 0) + 1
                if self._failures[key] >= _MOST_FAILURES:
                    self._fail(name, candidate, failure)
        # Only now does the block count: cut off, it is run again as a whole.
        rows = [*self.plan.orders.get(name, ()), [one.label for one in order]]
        self._keep(dataclasses.replace(self.plan, orders={**self.plan.orders, name: rows}))

    def _is_precise(self) -> bool:
        """Whether every interval is as narrow as asked."""
        assert self.plan.precision is not None
        found = load_comparison(self._folder)
        widths = [
            pair.ratio.half_width
            for group in found.groups
            for scenario in group.scenarios
            for pair in scenario.pairs
            if pair.ratio is not None
        ]
        return bool(widths) and max(widths) <= self.plan.precision

    def _group(self, name: str) -> Group:
        return next(group for group in self.plan.groups if group.name == name)

    def _fail(self, name: str, candidate: Candidate, why: str) -> None:
        group = self._group(name)
        self._listener.note(f"{name}, {candidate.label}: left out: {why}")
        failed = {**group.failed, candidate.label: why}
        self._keep_group(dataclasses.replace(group, failed=failed))

    def _keep_group(self, changed: Group) -> None:
        groups = tuple(changed if one.name == changed.name else one for one in self.plan.groups)
        self._keep(dataclasses.replace(self.plan, groups=groups))

    def _keep(self, plan: Plan) -> None:
        self.plan = plan
        write_plan(self._folder, plan)

    @staticmethod
    def _check_interrupted(session: Session) -> None:
        if any(test.was_interrupted for test in session.tests):
            raise KeyboardInterrupt


def _set_aside(folder: Path, place: Path) -> None:
    """Move what was cut off out of the way; it stays there as evidence."""
    number = 1
    while (folder / INTERRUPTED / str(number)).exists():
        number += 1
    target = folder / INTERRUPTED / str(number) / place.relative_to(folder)
    target.parent.mkdir(parents=True)
    shutil.move(place, target)
