"""Conditions: what calls of a replica take longer by, for what was before them."""

from __future__ import annotations

import math

import numpy as np

from inferometer.simulating.sampler import SingleDraws
from inferometer.simulating.service import Cold, ServiceTime
from inferometer.simulating.speeds import Speed

__all__ = ["LEAST_LEFT", "Coldness", "Conditions", "RecentUse"]

LEAST_LEFT = 0.05
"""The least share of its mean that a call takes, however much calls scatter."""


class Coldness:
    """How cold a worker is: a share, 1 at first."""

    def __init__(self, cold: Cold, now_ns: float):
        self._cold, self._value, self._at_ns = cold, 1.0, now_ns

    def begin(self, now_ns: float) -> float:
        """Give the share after the idle time that ends now."""
        kept = math.exp((self._at_ns - now_ns) / self._cold.cools_ns)
        self._value, self._at_ns = 1.0 - (1.0 - self._value) * kept, now_ns
        return self._value

    def end(self, now_ns: float) -> None:
        """Be as warm as the busy time that ends now made it."""
        self._value *= math.exp((self._at_ns - now_ns) / self._cold.warms_ns)
        self._at_ns = now_ns


class RecentUse:
    """The share of its workers that a replica kept busy lately."""

    def __init__(self, memory_s: float, workers: int):
        self._memory_ns, self._workers = memory_s * 1e9, workers
        self._sum = self._weight = 0.0

    def pass_time(self, passed_ns: float, running: int) -> None:
        """Take in that so many workers were busy for so long."""
        kept = math.exp(-passed_ns / self._memory_ns)
        self._sum = running / self._workers * (1.0 - kept) + self._sum * kept
        self._weight = 1.0 - kept + self._weight * kept

    @property
    def idle(self) -> float:
        """The share that was idle."""
        # There is nothing before the beginning, so weights are divided by what they add up to.
        return 1.0 - (self._sum / self._weight if self._weight else 0.0)


class Conditions:
    """Conditions of one replica, event by event. Workers are told apart by their number."""

    def __init__(
        self,
        service: ServiceTime,
        workers: int,
        draws: SingleDraws,
        random: np.random.Generator,
        now_ns: int,
    ):
        self._service, self._workers, self._draws = service, workers, draws
        self._random = random
        self._speed = Speed(service.drift, random)
        self._use = RecentUse(service.memory_s, workers) if service.asks_use else None
        self._coldness: list[Coldness] = []
        self.be_fresh(now_ns)

    def be_fresh(self, now_ns: int) -> None:
        """Have all workers cold."""
        cold = self._service.cold
        if cold is not None:
            self._coldness = [Coldness(cold, now_ns) for _ in range(self._workers)]

    def pass_time(self, passed_ns: int, running: int) -> None:
        """Take in that so many workers were busy for so long."""
        if self._use is not None:
            self._use.pass_time(passed_ns, running)

    def begin(
        self, worker: int, size: int, now_ns: int, factor: float, *, is_woken: bool
    ) -> tuple[float, float]:
        """Give the work, ns, of a call that begins: of the model, times a factor, and besides."""
        service = self._service
        idle = 0.0 if self._use is None else self._use.idle
        work = self._draws.next_ns(size, is_woken=is_woken)
        if service.slack is not None and service.slack.scatter:
            mean = self._draws.mean_ns(size)
            work = max(LEAST_LEFT * mean, mean + (work - mean) * (1 + service.slack.scatter * idle))
        work *= self._speed.at(now_ns, idle) * factor
        if service.slack is not None:
            work *= 1.0 + service.slack.excess * idle
        besides = service.wake_ns if is_woken else 0.0
        besides += self.stalls_ns(work)
        if service.cold is not None:
            besides += service.cold.extra_ns * self._coldness[worker].begin(now_ns)
        return work, besides

    def stalls_ns(self, work_ns: float) -> float:
        """Draw how long so much work stalls, ns."""
        stalls = self._service.stalls
        return 0.0 if stalls is None else float(stalls.draw(self._random, np.array([work_ns]))[0])

    def end(self, worker: int, now_ns: int) -> None:
        """Take in that the call of a worker has ended."""
        if self._coldness:
            self._coldness[worker].end(now_ns)
