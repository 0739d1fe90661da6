"""Replica serving: batches spread over copies of the model, any of which may die."""

from __future__ import annotations

import enum
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from queue import Empty, Queue

from inferometer.loadgen import Query
from inferometer.serving.batch import Piece, complete_batch, indices_of
from inferometer.serving.reissue import Assignments
from inferometer.serving.replicas import (
    Answered,
    Back,
    Event,
    Gone,
    Lost,
    Raised,
    ReplicaError,
    Replicas,
    nobody,
)

__all__ = ["ReplicaServing", "ReplicaServingOptions"]


class _Signal(enum.Enum):
    FLUSH = "flush"
    STOP = "stop"


@dataclass(frozen=True)
class ReplicaServingOptions:
    """How batches form and are spread.

    max_batch_size:
        Most samples in one call.
    max_wait_s:
        How long a batch that isn't full waits for more; 0 takes what is there.
    split_queries:
        Share the samples of one query among the replicas.
    most_in_flight:
        Most batches that a replica has at a time: with 2, the next is there when one is done.
    """

    max_batch_size: int = 32
    max_wait_s: float = 0.0
    split_queries: bool = False
    most_in_flight: int = 2

    def __post_init__(self) -> None:
        if self.max_batch_size < 1 or self.max_wait_s < 0 or self.most_in_flight < 1:
            raise ValueError(
                f"{self}: max_batch_size and most_in_flight have to be at least 1, max_wait_s "
                "at least 0"
            )


@dataclass(frozen=True)
class _Batch:
    """Pieces that go together."""

    pieces: Sequence[Piece]

    @property
    def samples(self) -> int:
        return sum(stop - start for _, start, stop in self.pieces)


class ReplicaServing:
    """Gives batches to the replica with the fewest, and completes what they answer.

    What a dead replica had is issued once more, to another, and put on record. The run ends
    as failed if a batch is lost twice, if a replica raises an error, and if none is left.
    One thread of its own does everything; `issue` only hands over.
    """

    def __init__(
        self,
        replicas: Replicas,
        options: ReplicaServingOptions | None = None,
        name: str = "replicas",
    ):
        self._replicas = replicas
        self._options = options or ReplicaServingOptions()
        self.name = name
        self._events: Queue[Event | Piece | _Signal] = Queue()
        self._pieces: deque[tuple[Piece, float]] = deque()
        self._waiting_samples = 0
        self._is_flushing = False
        self._sent_ns: dict[int, int] = {}
        self._last: Query | None = None
        present = replicas.listen(self._events.put)
        self._assignments: Assignments[_Batch] = Assignments(
            replicas.count, present, self._options.most_in_flight
        )
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="inferometer-replicas", daemon=True)
        self._thread.start()

    def issue(self, query: Query) -> None:
        """Queue a query, whole or in pieces."""
        size = len(query)
        piece = self._options.max_batch_size
        if self._options.split_queries:
            piece = min(piece, -(-size // self._replicas.count))
        for start in range(0, size, piece):
            self._events.put((query, start, min(start + piece, size)))

    def issue_many(self, queries: list[Query]) -> None:
        """Queue several queries that are due together."""
        for query in queries:
            self.issue(query)

    def flush(self) -> None:
        """Answer what has come without waiting for fuller batches."""
        self._events.put(_Signal.FLUSH)

    def close(self) -> None:
        """End the thread; the replicas stay, for another serving."""
        self._replicas.listen(nobody)
        self._events.put(_Signal.STOP)
        self._thread.join()

    def _work(self) -> None:
        while True:
            event = self._next_event()
            if event is _Signal.STOP:
                return
            try:
                self._take(event)
                self._spread()
            except BaseException as error:
                self._fail(error)

    def _next_event(self) -> Event | Piece | _Signal | None:
        """Take the next event; ``None`` once a batch has waited for as long as it may."""
        if not self._pieces or self._assignments.free() is None or not self._options.max_wait_s:
            return self._events.get()
        left_s = self._pieces[0][1] + self._options.max_wait_s - time.monotonic()
        try:
            return self._events.get(timeout=max(left_s, 1e-6))
        except Empty:
            return None

    def _take(self, event: Event | Piece | _Signal | None) -> None:
        match event:
            case tuple():
                self._take_piece(event)
            case Answered():
                self._complete(event)
            case Raised(ticket=ticket, error=error):
                if self._assignments.answered(ticket) is not None:
                    self._fail(error)
            case Lost() | Gone():
                self._take_loss(event)
            case Back(replica=replica):
                self._assignments.back(replica)
            case _Signal.FLUSH:
                self._is_flushing = True

    def _take_piece(self, piece: Piece) -> None:
        query, start, stop = piece
        self._is_flushing = False
        self._last = query
        self._pieces.append((piece, time.monotonic()))
        self._waiting_samples += stop - start
        if self._failure is not None:
            query.fail(self._failure)

    def _take_loss(self, event: Lost | Gone) -> None:
        """Have what a replica had issued again, and put that on record.

        The run ends if a batch was lost before, or no replica is left.
        """
        is_gone = isinstance(event, Gone)
        assignments = self._assignments
        losses = assignments.gone(event.replica) if is_gone else assignments.lost(event.replica)
        again = sum(batch.samples for batch in losses.reissued)
        query = losses.reissued[0].pieces[0][0] if losses.reissued else self._last
        if query is not None and not is_gone:
            query.note_replica_lost(event.replica, again, event.what)
        if losses.given_up:
            samples = sum(batch.samples for batch in losses.given_up)
            self._fail(
                ReplicaError(
                    f"{samples} samples were lost twice, with two replicas that died over them; "
                    f"of the last: {event.what}"
                )
            )
        if assignments.is_hopeless:
            self._fail(ReplicaError(f"no replica is left; of the last: {event.what}"))

    def _complete(self, event: Answered) -> None:
        batch = self._assignments.answered(event.ticket)
        sent_ns = self._sent_ns.pop(event.ticket, 0)
        if batch is None:
            return
        answer = event.answer
        # What the way to the replica and back took is counted with the wait.
        began = max(sent_ns, batch.pieces[0][0].now_ns() - answer.call_ns)
        for query, start, stop in batch.pieces:
            query.note_phases(began, answer.preprocess_ns, answer.infer_ns, slice(start, stop))
        complete_batch(batch.pieces, answer.responses, batch.samples)

    def _fail(self, error: BaseException) -> None:
        """End the run: nothing may wait for what won't be answered."""
        self._failure = self._failure or error
        if self._last is not None:
            self._last.fail(error)

    def _spread(self) -> None:
        """Give out what there is, as long as a replica may have more."""
        while self._assignments.has_again or self._is_batch_ready():
            replica = self._assignments.free()
            if replica is None:
                return
            if self._assignments.has_again:
                ticket, batch = self._assignments.begin_again(replica)
            else:
                batch = self._formed()
                ticket = self._assignments.begin(replica, batch)
            self._sent_ns[ticket] = batch.pieces[0][0].now_ns()
            self._replicas.send(replica, ticket, indices_of(batch.pieces))

    def _is_batch_ready(self) -> bool:
        """Tell whether what waits is a full batch, or has waited for long enough."""
        if not self._pieces:
            return False
        wait_s = self._options.max_wait_s
        is_full = self._waiting_samples >= self._options.max_batch_size
        is_alone = self._options.split_queries or self._is_flushing or not wait_s
        return is_full or is_alone or time.monotonic() - self._pieces[0][1] >= wait_s

    def _formed(self) -> _Batch:
        """Take the next batch from what waits."""
        first, _ = self._pieces.popleft()
        pieces, count = [first], first[2] - first[1]
        # Putting shares of a query together again would leave other replicas without any.
        while self._pieces and not self._options.split_queries:
            size = self._pieces[0][0][2] - self._pieces[0][0][1]
            if count + size > self._options.max_batch_size:
                break
            pieces.append(self._pieces.popleft()[0])
            count += size
        self._waiting_samples -= count
        return _Batch(pieces)
