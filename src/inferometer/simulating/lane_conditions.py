"""Lane conditions: what calls take longer by, for what was before them, many replicas at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inferometer.simulating.conditions import LEAST_LEFT
from inferometer.simulating.distribution import Reals
from inferometer.simulating.sampler import Sampler
from inferometer.simulating.service import Cold, ServiceTime
from inferometer.simulating.speeds import LaneSpeeds

__all__ = ["LaneConditions"]

Integers = NDArray[np.int64]


class LaneConditions:
    """Conditions of each lane, as `Conditions` has them of one replica.

    ``factors``, float64 [lanes], is what the model's times are multiplied by in each.
    """

    def __init__(
        self,
        service: ServiceTime,
        shape: tuple[int, int],
        sampler: Sampler,
        random: np.random.Generator,
        factors: Reals | None = None,
    ):
        lanes, workers = shape
        self._service, self._sampler, self._random = service, sampler, random
        self._factors = factors
        drift, cold = service.drift, service.cold
        self._speed = None if drift is None else LaneSpeeds(drift, lanes, random)
        self._use = _LaneUse(service.memory_s, lanes, workers) if service.asks_use else None
        self.coldness = None if cold is None else _LaneColdness(cold, lanes, workers)
        self.asks_woken = bool(service.wake_ns) or sampler.tells_woken

    def gathers_ns(self, is_woken: NDArray[np.bool_] | None) -> Reals | float:
        """Give how long calls that begin take what comes into their batch."""
        if is_woken is None:
            return self._service.gathering_ns(is_woken=False)
        each = (self._service.gathering_ns(is_woken=kind) for kind in (True, False))
        return np.where(is_woken, *each)

    def pass_time(self, passed_ns: Reals, running: Integers) -> None:
        """Take in how many workers of each lane were busy for how long."""
        if self._use is not None:
            self._use.pass_time(passed_ns, running)

    def begin(
        self,
        rows: Integers,
        slots: Integers,
        size: Integers,
        now_ns: Reals,
        is_woken: NDArray[np.bool_] | None,
    ) -> Reals:
        """Give the work, ns, of calls that workers of some lanes begin, float64 [rows].

        ``is_woken`` is needed if ``asks_woken``.
        """
        work = self._sampler.draw(self._random, size, is_woken)
        idle = 0.0 if self._use is None else self._use.idle(rows)
        slack = self._service.slack
        if slack is not None and slack.scatter:
            mean = self._sampler.means_ns(size)
            work = np.maximum(LEAST_LEFT * mean, mean + (work - mean) * (1 + slack.scatter * idle))
        if self._speed is not None:
            work *= self._speed.at(rows, now_ns, idle)
        if self._factors is not None:
            work *= self._factors[rows]
        if slack is not None:
            work *= 1.0 + slack.excess * idle
        if self._service.stalls is not None:
            work += self._service.stalls.draw(self._random, work)
        if self._service.wake_ns:
            assert is_woken is not None
            work += self._service.wake_ns * is_woken
        if self.coldness is not None:
            work += self.coldness.begin(rows, slots, now_ns)
        return work

    def end(self, rows: Integers, slots: Integers, now_ns: Reals) -> None:
        """Take in that calls have ended."""
        if self.coldness is not None:
            self.coldness.end(rows, slots, now_ns)

    def keep(self, rows: NDArray[np.bool_]) -> None:
        """Let lanes go."""
        if self._factors is not None:
            self._factors = self._factors[rows]
        for part in (self._speed, self._use, self.coldness):
            if part is not None:
                part.keep(rows)


class _LaneColdness:
    """How cold each worker of each lane is, [lanes, workers]."""

    def __init__(self, cold: Cold, lanes: int, workers: int):
        self._cold = cold
        self._value = np.ones((lanes, workers))
        self._at = np.zeros((lanes, workers))

    def longest_idle(self, rows: Integers, is_free: NDArray[np.bool_]) -> Integers:
        """Give the free worker of each of some lanes that has waited longest."""
        found: Integers = np.where(is_free, self._at[rows], np.inf).argmin(axis=1)
        return found

    def begin(self, rows: Integers, slots: Integers, now: Reals) -> Reals:
        kept = np.exp((self._at[rows, slots] - now) / self._cold.cools_ns)
        value: Reals = 1.0 - (1.0 - self._value[rows, slots]) * kept
        self._value[rows, slots], self._at[rows, slots] = value, now
        return value * self._cold.extra_ns

    def end(self, rows: Integers, slots: Integers, now: Reals) -> None:
        kept = np.exp((self._at[rows, slots] - now) / self._cold.warms_ns)
        self._value[rows, slots] *= kept
        self._at[rows, slots] = now

    def keep(self, rows: NDArray[np.bool_]) -> None:
        self._value, self._at = self._value[rows], self._at[rows]


class _LaneUse:
    """The share of its workers that each lane kept busy lately."""

    def __init__(self, memory_s: float, lanes: int, workers: int):
        self._memory_ns, self._workers = memory_s * 1e9, workers
        self._sum, self._weight = np.zeros(lanes), np.zeros(lanes)

    def pass_time(self, passed: Reals, running: Integers) -> None:
        kept = np.exp(passed / -self._memory_ns)
        self._sum = running / self._workers * (1.0 - kept) + self._sum * kept
        self._weight = 1.0 - kept + self._weight * kept

    def idle(self, rows: Integers) -> Reals:
        weight = self._weight[rows]
        use = np.divide(self._sum[rows], weight, out=np.zeros(len(rows)), where=weight > 0)
        found: Reals = 1.0 - use
        return found

    def keep(self, rows: NDArray[np.bool_]) -> None:
        self._sum, self._weight = self._sum[rows], self._weight[rows]
