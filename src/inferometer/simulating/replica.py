"""Replica: workers that answer batches, and share what they run on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from inferometer.loadgen import VirtualClock
from inferometer.simulating.conditions import Conditions
from inferometer.simulating.sampler import SingleDraws
from inferometer.simulating.system import SimulatedSystem
from inferometer.simulating.worker import Line, Piece, Worker

__all__ = ["Call", "Replica"]


@dataclass
class Call:
    """A call of the model that runs.

    model_ns:
        What the model would take alone; ``left_ns`` is what remains of all that it takes.
    """

    worker: Worker
    began_ns: int
    model_ns: float
    left_ns: float


class Replica:
    """One replica; ``done`` is called with it and a call that has ended, on its last ns.

    Calls that run side by side slow each other down by the contention, as long as they do.
    """

    def __init__(
        self,
        number: int,
        system: SimulatedSystem,
        line: Line,
        draws: SingleDraws,
        random: np.random.Generator,
        done: Callable[[Replica, Call], None],
    ):
        self.number, self.line = number, line
        self._clock: VirtualClock = line.clock
        self._service, self._slow_start = system.service, system.slow_start
        self._done = done
        self._calls: dict[Worker, Call] = {}
        self._since_ns = self._clock.now_ns()
        workers = system.batching.workers
        self._conditions = Conditions(system.service, workers, draws, random, self._since_ns)
        self._plan = 0
        self._fresh_ns: int | None = None
        self.is_alive = True
        self.busy_ns = 0.0
        self.workers = [Worker(line, self._run, each, self._grow) for each in range(workers)]
        for worker in self.workers:
            worker.rest()

    def die(self) -> list[Piece]:
        """Stop at once; give every piece that was taken or, unless shared, queued here."""
        self._advance()
        self.is_alive = False
        self._plan += 1
        self._calls.clear()
        return [piece for worker in self.workers for piece in worker.drop()]

    def revive(self) -> None:
        """Be there again, as fresh."""
        self.is_alive = True
        self._fresh_ns = self._since_ns = self._clock.now_ns()
        self._conditions.be_fresh(self._since_ns)
        for worker in self.workers:
            worker.rest()

    def _run(self, worker: Worker) -> None:
        now = self._clock.now_ns()
        self._advance()
        model, besides = self._conditions.begin(
            worker.number, worker.count, now, self._slow_factor(now), is_woken=worker.is_woken
        )
        gather_ns = self._service.gathering_ns(is_woken=worker.is_woken)
        self._calls[worker] = Call(worker, now + round(gather_ns), model, model + besides)
        self._replan()
        worker.gather(gather_ns)

    def _grow(self, worker: Worker) -> None:
        """Have a call take longer by what one more piece of its batch takes."""
        call, mean_ns = self._calls[worker], self._service.mean_ns
        grown = worker.batch[-1]
        before = mean_ns(worker.count - (grown[2] - grown[1]))
        self._advance()
        more = call.model_ns * (mean_ns(worker.count) / before - 1.0)
        call.model_ns += more
        call.left_ns += more + self._conditions.stalls_ns(more)
        self._replan()

    def _slow_factor(self, now: int) -> float:
        if self._slow_start is None or self._fresh_ns is None:
            return 1.0
        age = (now - self._fresh_ns) / 1e9 / self._slow_start.seconds
        return 1.0 + (self._slow_start.factor - 1.0) * max(0.0, 1.0 - age)

    def _advance(self) -> None:
        """Count down what is left of each call, up to now."""
        now = self._clock.now_ns()
        passed, self._since_ns = now - self._since_ns, now
        running = len(self._calls)
        if passed:
            self._conditions.pass_time(passed, running)
        if passed and running:
            self.busy_ns += passed * running
            share = passed / self._service.slowness(running)
            for call in self._calls.values():
                call.left_ns -= share

    def _replan(self) -> None:
        """Plan the end of the call that ends first."""
        self._plan += 1
        if not self._calls:
            return
        first = min(self._calls.values(), key=lambda call: call.left_ns)
        wait = max(0.0, first.left_ns) * self._service.slowness(len(self._calls))
        plan = self._plan
        self._clock.call_at(self._since_ns + round(wait), lambda: self._end(plan, first))

    def _end(self, plan: int, call: Call) -> None:
        if plan != self._plan:
            return
        self._advance()
        del self._calls[call.worker]
        self._conditions.end(call.worker.number, self._since_ns)
        self._done(self, call)
        call.worker.rest()
        self._advance()
        self._replan()
