"""Service time: how long a call takes by the size of its batch, and what makes it longer."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from inferometer.simulating.distribution import Distribution, Reals

__all__ = ["MEMORY_S", "BatchTime", "Cold", "Drift", "ServiceTime", "Slack", "Stalls"]

MEMORY_S = 0.5
"""How long it counts what a replica had to do, where nothing else is said."""


@dataclass(frozen=True)
class BatchTime:
    """What calls of one batch size take: a mean, ns, and a shape whose mean is 1.

    woken_shape:
        That of calls whose worker was idle; ``None`` if they scatter as the others do.
    """

    size: int
    mean_ns: float
    shape: Distribution
    woken_shape: Distribution | None = None


@dataclass(frozen=True)
class Drift:
    """A speed that wanders: what calls of a replica at about the same time have in common.

    Its logarithm is an Ornstein-Uhlenbeck process.

    spread:
        Standard deviation of the logarithm.
    period_s:
        How long it takes until little is left of what was.
    idle_spread:
        What the spread of a replica is more that had nothing to do lately.
    """

    spread: float
    period_s: float
    idle_spread: float = 0.0


@dataclass(frozen=True)
class Cold:
    """What a call takes besides on a worker that had time to get cold.

    A worker is cold by a share: while it is idle that nears 1, while it is busy it nears 0, both
    exponentially. A call takes that share of the extra, as it was when the call began.

    cools_ns, warms_ns:
        How long an idle worker keeps its warmth, and a busy one stays cold.
    """

    extra_ns: float
    cools_ns: float
    warms_ns: float


@dataclass(frozen=True)
class Slack:
    """How much longer calls take on a replica that had little to do lately.

    excess:
        By how much of its time a call is longer where nothing was busy; it falls to 0 where all
        workers were.
    memory_s:
        How fast what was is forgotten: the busy share is weighted exponentially.
    scatter:
        By how much of its distance from the mean a call lies further from it, likewise.
    """

    excess: float
    memory_s: float = MEMORY_S
    scatter: float = 0.0


@dataclass(frozen=True)
class Stalls:
    """What calls are held up by now and then: something else has their core.

    It takes as long whatever the call is, so that it isn't a part of how calls scatter.

    per_s:
        How often in a second of work.
    lasting:
        How long each lasts, ns.
    """

    per_s: float
    lasting: Distribution

    @property
    def share(self) -> float:
        """What they take, as a share of the work."""
        return self.per_s * self.lasting.mean / 1e9

    def draw(self, random: np.random.Generator, work_ns: Reals) -> Reals:
        """Draw how long calls of so much work stall, ns, float64 [calls]."""
        found = np.zeros(len(work_ns))
        places = np.repeat(np.arange(len(found)), random.poisson(work_ns * self.per_s / 1e9))
        np.add.at(found, places, self.lasting.draw(random, len(places)))
        return found


@dataclass(frozen=True)
class ServiceTime:
    """Times of calls, ns; means are those of calls on a busy, warm replica.

    rows:
        By ascending batch size. Between two sizes the mean is interpolated, beyond the last it
        grows with the slope of the last two; the shape is that of the nearest size.
    contention:
        By how much of its time alone a call is longer for each other call of its replica that
        runs beside it.
    wake_ns:
        What a call takes besides if its worker was idle: waking a thread.
    gather_ns:
        How long a call gathers its batch: what comes meanwhile joins it. While a worker wakes it
        does so as well. It is a part of the call.
    stalls:
        What holds calls up now and then, besides how they scatter.
    preprocess_ns, postprocess_ns:
        For each sample, before and after the model, in the same worker.
    """

    rows: tuple[BatchTime, ...]
    contention: float = 0.0
    drift: Drift | None = None
    wake_ns: float = 0.0
    preprocess_ns: float = 0.0
    postprocess_ns: float = 0.0
    cold: Cold | None = None
    slack: Slack | None = None
    gather_ns: float = 0.0
    stalls: Stalls | None = None

    @classmethod
    def line(
        cls, setup_ns: float, per_sample_ns: float, shape: Distribution, contention: float = 0.0
    ) -> ServiceTime:
        """Give the times of calls whose mean is a setup and so much for each sample."""
        means = [BatchTime(n, setup_ns + n * per_sample_ns, shape) for n in (1, 2)]
        return cls(tuple(means), contention)

    def mean_ns(self, size: int) -> float:
        """Give the mean of a call alone with a batch of a size."""
        return self.model_mean_ns(size) + size * (self.preprocess_ns + self.postprocess_ns)

    def model_mean_ns(self, size: int) -> float:
        """Give the mean that the model takes of it."""
        sizes = [row.size for row in self.rows]
        means = [row.mean_ns for row in self.rows]
        if size > sizes[-1] and len(sizes) > 1:
            slope = (means[-1] - means[-2]) / (sizes[-1] - sizes[-2])
            return max(means[-1], means[-1] + slope * (size - sizes[-1]))
        if size < sizes[0]:
            return means[0] * size / sizes[0] if len(sizes) == 1 else means[0]
        if size > sizes[-1]:
            return means[0] * size / sizes[0]
        return float(np.interp(size, sizes, means))

    @property
    def asks_use(self) -> bool:
        """Whether it counts what a replica had to do lately."""
        return self.slack is not None or (self.drift is not None and self.drift.idle_spread > 0.0)

    @property
    def memory_s(self) -> float:
        """How long that counts."""
        return MEMORY_S if self.slack is None else self.slack.memory_s

    def gathering_ns(self, *, is_woken: bool) -> float:
        """Give how long a call that begins takes what comes into its batch."""
        return self.gather_ns + (self.wake_ns if is_woken else 0.0)

    def slowness(self, running: int) -> float:
        """Give how much longer calls take while so many run side by side."""
        return 1.0 + self.contention * max(0, running - 1)

    def best_rate(self, workers: int, max_batch: int) -> float:
        """Give the most samples a second that a replica can answer, at its best batch size."""
        slow = self.slowness(workers) * (1.0 + (self.stalls.share if self.stalls else 0.0))
        return max(workers * n / (self.mean_ns(n) * slow) * 1e9 for n in range(1, max_batch + 1))

    def nearest(self, size: int) -> int:
        """Give the number of the row whose size is nearest."""
        return int(np.argmin([abs(row.size - size) for row in self.rows]))

    def scaled(self, factor: float) -> ServiceTime:
        """Give the same where the model takes so many times as long."""
        rows = (replace(row, mean_ns=row.mean_ns * factor) for row in self.rows)
        return replace(self, rows=tuple(rows))
