"""Lanes: independent replicas simulated side by side, one event of each at a step.

Every query is simulated, by the policy of the pool; what makes it fast is that a step moves
thousands of replicas at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from inferometer.simulating.distribution import Reals
from inferometer.simulating.lane_arrivals import Arrivals, given_arrivals, random_arrivals
from inferometer.simulating.lane_conditions import LaneConditions
from inferometer.simulating.sampler import Sampler
from inferometer.simulating.system import SimulatedSystem

__all__ = ["Counting", "LaneTotals", "can_run_in_lanes", "replay_lanes", "run_lanes"]

Integers = NDArray[np.int64]

_WARM_UP = 0.2
_COMPACT_EVERY = 64
_OF_LANES = ("_groups", "_base", "_head", "_now", "_busy", "_ended", "_left", "_first", "_size")


@dataclass
class LaneTotals:
    """What all lanes together did, besides their latencies.

    span_ns:
        Simulated time, added up over the lanes.
    """

    queries: int = 0
    calls: int = 0
    busy_ns: float = 0.0
    span_ns: float = 0.0


class Counting(Protocol):
    """What latencies are given to, ns, with the group of each; `Tally` is one."""

    def add(self, latency_ns: Reals, group: Integers) -> None:
        """Take in latencies."""
        ...


def can_run_in_lanes(system: SimulatedSystem) -> bool:
    """Tell whether the replicas of a system can be simulated each by itself.

    Workers that wait together for fuller batches take turns at what comes; only the event by
    event simulation follows that.
    """
    batching = system.batching
    waits_together = batching.max_wait_ns > 0 and batching.workers > 1 and batching.max_batch > 1
    return system.is_independent and not waits_together


def run_lanes(
    system: SimulatedSystem,
    rate_qps: float,
    groups: Integers,
    queries: int,
    random: np.random.Generator,
    tally: Counting,
) -> LaneTotals:
    """Simulate some replicas, ``rate_qps`` queries a second each, so many queries each.

    ``groups`` is int64 [lanes], the group of each for the tally. The first fifth of the queries
    of each lane fills it up, and isn't counted.
    """
    arrivals = random_arrivals(system, rate_qps, len(groups), queries, random)
    lanes = _Lanes(system, arrivals, groups, int(queries * _WARM_UP), random, tally)
    lanes.run()
    totals = lanes.totals
    totals.queries = queries * len(groups)
    totals.span_ns = float(arrivals[:, queries - 1].sum())
    return totals


def replay_lanes(
    system: SimulatedSystem,
    arrivals: Sequence[Arrivals],
    random: np.random.Generator,
    tally: Counting,
) -> None:
    """Simulate a replica for each of some arrivals; all queries count.

    The group of a latency is the number of its lane.
    """
    came, due = (
        given_arrivals(system, [getattr(one, name) for one in arrivals])
        for name in ("came_ns", "due_ns")
    )
    factors = np.array([one.factor for one in arrivals])
    lanes = _Lanes(system, came, np.arange(len(arrivals)), 0, random, tally, factors, due)
    lanes.run()


class _Lanes:
    """The state of all lanes. Arrays of one entry a lane, or [lanes, workers]."""

    def __init__(
        self,
        system: SimulatedSystem,
        due: Reals,
        groups: Integers,
        warm: int,
        random: np.random.Generator,
        tally: Counting,
        factors: Reals | None = None,
        counted_from: Reals | None = None,
    ):
        self._system, self._random, self._tally = system, random, tally
        self._most = system.batching.max_batch
        self._wait_ns = system.batching.max_wait_ns if self._most > 1 else 0.0
        workers, lanes = system.batching.workers, len(groups)
        self._width = due.shape[1]
        self._due = due.ravel()
        self._counted_from = self._due if counted_from is None else counted_from.ravel()
        self._warm = warm
        self._slow = np.array([system.service.slowness(n) for n in range(workers + 1)])
        self._groups = groups
        self._base = np.arange(lanes) * self._width
        self._head = self._base.copy()
        self._now = np.zeros(lanes)
        self._busy = np.zeros(lanes, np.int64)
        self._ended = np.zeros(lanes)
        self._left = np.full((lanes, workers), math.inf)
        self._first = np.zeros((lanes, workers), np.int64)
        self._size = np.zeros((lanes, workers), np.int64)
        sampler = Sampler(system.service, self._most)
        self._conditions = LaneConditions(
            system.service, (lanes, workers), sampler, random, factors
        )
        self.totals = LaneTotals()

    def run(self) -> None:
        """Simulate until every query of every lane is answered."""
        step = 0
        while len(self._now):
            is_moving = self._step()
            step += 1
            if step % _COMPACT_EVERY == 0 or not is_moving.any():
                self._keep(is_moving)

    def _step(self) -> NDArray[np.bool_]:
        """Move each lane to its next event; tell which lanes had one."""
        first_done = self._left.argmin(axis=1)
        rows = np.arange(len(self._now))
        slow = self._slow[self._busy]
        done_at = self._now + self._left[rows, first_done] * slow
        start_at = self._next_start()
        starts = start_at <= done_at
        when = np.where(starts, start_at, done_at)
        is_moving = when < math.inf
        passed = np.where(is_moving, when, self._now) - self._now
        self.totals.busy_ns += float((passed * self._busy).sum())
        self._conditions.pass_time(passed, self._busy)
        self._left -= (passed / slow)[:, None]
        self._now += passed
        ending = np.flatnonzero(is_moving & ~starts)
        if len(ending):
            self._end(ending, first_done[ending])
        starting = np.flatnonzero(is_moving & starts)
        if len(starting):
            self._start(starting)
        return is_moving

    def _next_start(self) -> Reals:
        """Give when each lane's next batch is closed, if no call ends before."""
        start = np.maximum(self._now, self._due[self._head])
        if self._wait_ns:
            # The batch is closed when it is full, and after the wait at the latest; one that is
            # full already when the worker is free starts at once.
            full = np.maximum(start, self._due[self._head + self._most - 1])
            start = np.minimum(start + self._wait_ns, full)
        has_worker = self._busy < self._left.shape[1]
        found: Reals = np.where(has_worker, start, math.inf)
        return found

    def _start(self, rows: Integers) -> None:
        head, now = self._head[rows], self._now[rows]
        is_free, conditions = np.isinf(self._left[rows]), self._conditions
        woken = self._are_woken(rows, head, now) if conditions.asks_woken else None
        size = self._batch_sizes(head, now + conditions.gathers_ns(woken))
        if conditions.coldness is None:
            slot = is_free.argmax(axis=1)
        else:
            slot = conditions.coldness.longest_idle(rows, is_free)
        work = conditions.begin(rows, slot, size, now, woken)
        self._left[rows, slot] = work
        self._first[rows, slot], self._size[rows, slot] = head, size
        self._busy[rows] += 1
        self._head[rows] = head + size
        self.totals.calls += len(rows)

    def _are_woken(self, rows: Integers, head: Integers, now: Reals) -> NDArray[np.bool_]:
        """Tell whose worker waited for the batch that it closes now."""
        found: NDArray[np.bool_]
        found = now > self._ended[rows] if self._wait_ns else self._due[head] >= now
        return found

    def _batch_sizes(self, head: Integers, now: Reals) -> Integers:
        """Give how many have come by now, up to the largest batch; at least the first."""
        low, high = np.ones(len(head), np.int64), np.full(len(head), self._most)
        for _ in range(self._most.bit_length() if self._most > 1 else 0):
            middle = (low + high + 1) // 2
            has_come = self._due[head + middle - 1] <= now
            low = np.where(has_come, middle, low)
            high = np.where(has_come, high, np.maximum(low, middle - 1))
        return low

    def _end(self, rows: Integers, slot: Integers) -> None:
        first, size, now = self._first[rows, slot], self._size[rows, slot], self._now[rows]
        self._left[rows, slot] = math.inf
        self._busy[rows] -= 1
        self._ended[rows] = now
        self._conditions.end(rows, slot, now)
        if self._most > 1:
            starts = np.repeat(np.cumsum(size) - size, size)
            place = np.repeat(first, size) + np.arange(int(size.sum())) - starts
            rows, now = np.repeat(rows, size), np.repeat(now, size)
        else:
            place = first
        latency = now - self._counted_from[place]
        counts = place - self._base[rows] >= self._warm
        self._tally.add(
            latency[counts] + self._on_the_way(int(counts.sum())), self._groups[rows[counts]]
        )

    def _on_the_way(self, count: int) -> Reals | float:
        """Give what the network adds to each latency."""
        network = self._system.network
        if network.is_instant:
            return 0.0
        constant = sum(network.constant_ns)
        request = network.request.draw(self._random, count)
        return request + network.response.draw(self._random, count) + constant

    def _keep(self, rows: NDArray[np.bool_]) -> None:
        """Let lanes go that have no event left."""
        if rows.all():
            return
        for name in _OF_LANES:
            setattr(self, name, getattr(self, name)[rows])
        self._conditions.keep(rows)
