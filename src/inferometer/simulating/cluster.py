"""Cluster: a described system as a system under test on the virtual clock, event by event."""

from __future__ import annotations

from collections import deque

import numpy as np

from inferometer.loadgen import VirtualClock
from inferometer.simulating.distribution import Distribution
from inferometer.simulating.replica import Call, Replica
from inferometer.simulating.routing import router_of
from inferometer.simulating.sampler import Sampler, SingleDraws
from inferometer.simulating.system import Routing, SimulatedSystem
from inferometer.simulating.worker import Answerable, Line, Piece, Policy, Span

__all__ = ["Cluster"]

_AT_ONCE = 4096


class Cluster:
    """Replicas behind a router. It is driven by the load generator, or by itself.

    Batches are formed exactly as `PoolServing` does. What was at a replica that died is issued
    again, or never answered, as the description says.

    split_queries:
        Share the samples of one query among a replica's workers, as for MultiStream.
    """

    def __init__(
        self,
        system: SimulatedSystem,
        clock: VirtualClock,
        seed: int = 0,
        *,
        split_queries: bool = False,
    ):
        self.name = system.name
        self._system, self._clock = system, clock
        batching = system.batching
        split_over = batching.workers if split_queries else 0
        self._policy = Policy(batching.max_batch, round(batching.max_wait_ns), split_over)
        streams = [np.random.default_rng(one) for one in np.random.SeedSequence(seed).spawn(5)]
        self._router = router_of(system.routing, system.replicas, streams[0])
        self._random = streams[1]
        draws = SingleDraws(Sampler(system.service, batching.max_batch), streams[2])
        self._is_shared = system.routing is Routing.SHARED_QUEUE
        shared = Line(self._policy, clock)
        self.replicas = [
            Replica(
                number,
                system,
                shared if self._is_shared else Line(self._policy, clock),
                draws,
                self._random,
                self._answer,
            )
            for number in range(system.replicas)
        ]
        constant = system.network.constant_ns
        self._request = _Delays(system.network.request, constant[0], streams[3])
        self._response = _Delays(system.network.response, constant[1], streams[4])
        self._unroutable: deque[Span] = deque()
        self.lost = self.retried = self.calls = self.samples = 0
        if system.failures is not None:
            for replica in self.replicas:
                self._plan_death(replica)

    @property
    def busy_ns(self) -> float:
        """Time that all workers together were busy."""
        return sum(replica.busy_ns for replica in self.replicas)

    def issue(self, query: Answerable) -> None:
        """Send a query to a replica."""
        self._send(Span(query, 0, len(query), self._clock.now_ns()))

    def flush(self) -> None:
        """Answer what has come without waiting for fuller batches."""
        lines = [self.replicas[0].line] if self._is_shared else [r.line for r in self.replicas]
        for line in lines:
            line.flush()

    def close(self) -> None:
        """Do nothing: there are no threads."""

    def _send(self, span: Span) -> None:
        number = self._router.choose()
        if number is None:
            self._unroutable.append(span)
            return
        span.replica = number
        self._router.moved(number, 1)
        delay = self._request.next_ns()
        if delay:
            self._clock.call_later(delay, lambda: self._deliver(span))
        else:
            self._deliver(span)

    def _deliver(self, span: Span) -> None:
        replica = self.replicas[span.replica]
        if not (replica.is_alive or self._is_shared):
            self._lose((span, span.start, span.stop))
            return
        for piece in self._policy.pieces(span):
            replica.line.put(piece)

    def _answer(self, _: Replica, call: Call) -> None:
        """Answer the samples of a call that has ended, over the network."""
        worker, service = call.worker, self._system.service
        self.calls += 1
        self.samples += worker.count
        took = self._clock.now_ns() - call.began_ns
        before = round(service.preprocess_ns * worker.count)
        model = max(0, took - before - round(service.postprocess_ns * worker.count))
        for piece in worker.batch:
            span, start, stop = piece
            span.query.note_phases(call.began_ns, before, model, slice(start, stop))
            delay = self._response.next_ns()
            if delay:
                self._clock.call_later(delay, lambda piece=piece: self._complete(piece))  # type: ignore[misc]
            else:
                self._complete(piece)

    def _complete(self, piece: Piece) -> None:
        span, start, stop = piece
        self._settle(piece)
        is_whole = stop - start == len(span.query)
        span.query.complete(None, None if is_whole else slice(start, stop))

    def _settle(self, piece: Piece) -> None:
        span, start, stop = piece
        span.left -= stop - start
        if not span.left:
            self._router.moved(span.replica, -1)

    def _lose(self, piece: Piece) -> None:
        """Issue samples again once their time is over, or give them up."""
        span, start, stop = piece
        self._settle(piece)
        failures = self._system.failures
        assert failures is not None
        if not failures.retry_s:
            self.lost += stop - start
            return
        self.retried += stop - start
        now = self._clock.now_ns()
        again_ns = max(now, span.sent_ns + round(failures.retry_s * 1e9))
        again = Span(span.query, start, stop, again_ns)
        self._clock.call_at(again_ns, lambda: self._send(again))

    def _plan_death(self, replica: Replica) -> None:
        assert self._system.failures is not None
        lives_s = self._random.exponential(self._system.failures.between_s)
        self._clock.call_later(round(lives_s * 1e9), lambda: self._die(replica))

    def _die(self, replica: Replica) -> None:
        failures = self._system.failures
        assert failures is not None
        lost = replica.die()
        if not self._is_shared:
            lost += replica.line.pieces
            replica.line.pieces.clear()
        gone_ns = round(self._random.exponential(failures.repair_s) * 1e9)
        detect_ns = round(failures.detect_s * 1e9)
        if detect_ns < gone_ns:
            self._clock.call_later(
                detect_ns, lambda: self._router.set_there(replica.number, is_there=False)
            )
        self._clock.call_later(gone_ns, lambda: self._revive(replica))
        for piece in lost:
            self._lose(piece)

    def _revive(self, replica: Replica) -> None:
        self._router.set_there(replica.number, is_there=True)
        replica.revive()
        self._plan_death(replica)
        for _ in range(len(self._unroutable)):
            self._send(self._unroutable.popleft())


class _Delays:
    """Delays of a network, whole ns, drawn many at once."""

    def __init__(self, found: Distribution, constant_ns: float, random: np.random.Generator):
        self._found, self._constant_ns, self._random = found, constant_ns, random
        self._is_nothing = not (found.mean or constant_ns)
        self._left: list[int] = []

    def next_ns(self) -> int:
        """Give a delay."""
        if self._is_nothing:
            return 0
        if not self._left:
            drawn = self._found.draw(self._random, _AT_ONCE) + self._constant_ns
            self._left = np.rint(drawn).astype(np.int64).tolist()
        return self._left.pop()
