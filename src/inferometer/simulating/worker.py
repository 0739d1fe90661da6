"""Worker: takes pieces from a line and forms batches, by the policy of `PoolServing`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Protocol

from inferometer.loadgen import VirtualClock

__all__ = ["Answerable", "Line", "Piece", "Policy", "Span", "Worker"]


class Answerable(Protocol):
    """What a simulated system needs of a query; `Query` has it."""

    def __len__(self) -> int: ...

    def complete(self, responses: Any = None, positions: Any = None) -> None:
        """Take the answer of the query, or of the samples at these positions."""
        ...

    def note_phases(
        self, began: int, preprocess_ns: int, infer_ns: int, positions: slice | None = None
    ) -> None:
        """Take in what the batch took."""
        ...


class Span:
    """Samples of one query that are sent to a replica together.

    left:
        How many of them aren't answered yet.
    """

    __slots__ = ("left", "query", "replica", "sent_ns", "start", "stop")

    def __init__(self, query: Answerable, start: int, stop: int, sent_ns: int):
        self.query, self.start, self.stop, self.sent_ns = query, start, stop, sent_ns
        self.left = stop - start
        self.replica = -1


Piece = tuple[Span, int, int]
"""A span with the first and one past the last position that one batch answers."""


@dataclass(frozen=True)
class Policy:
    """How batches are formed.

    split_over:
        Share the samples of a query among so many workers, and put no shares together; 0 for
        batches of several queries.
    """

    max_batch: int
    max_wait_ns: int
    split_over: int = 0

    def pieces(self, span: Span) -> list[Piece]:
        """Cut a span into what single batches take."""
        size = span.stop - span.start
        most = self.max_batch
        if self.split_over:
            most = min(most, -(-size // self.split_over))
        ends = [*range(span.start, span.stop, most), span.stop]
        return [(span, a, b) for a, b in pairwise(ends)]


@dataclass
class Line:
    """A queue of pieces, and the workers that wait for one, the longest waiting first.

    Workers that are gathering have begun, and take what comes until their time is over.
    """

    policy: Policy
    clock: VirtualClock
    pieces: deque[Piece] = field(default_factory=deque)
    waiting: deque[Worker] = field(default_factory=deque)
    gathering: list[Worker] = field(default_factory=list)
    is_flushing: bool = False

    def put(self, piece: Piece) -> None:
        """Hand a piece to a worker that gathers, or has waited longest, or let it queue."""
        self.is_flushing = False
        if any(worker.join(piece) for worker in tuple(self.gathering)):
            return
        if self.waiting:
            worker = self.waiting.popleft()
            worker.is_woken = True
            worker.take(piece)
        else:
            self.pieces.append(piece)

    def flush(self) -> None:
        """Have batches that wait for more answered as they are."""
        self.is_flushing = True
        for worker in [worker for worker in self.waiting if worker.batch]:
            self.waiting.remove(worker)
            worker.close()


class Worker:
    """One worker of a replica. ``run`` is called with it once its batch is closed.

    A worker that waits for more samples stands behind those that began to wait earlier, as
    threads in front of a queue do. ``is_woken`` if it waited for the batch that it has; ``grew``
    is called with it when a batch that is being gathered took a piece more.
    """

    __slots__ = (
        "_deadline_ns",
        "_fills",
        "_gathers_until_ns",
        "_grew",
        "_held",
        "_line",
        "_run",
        "batch",
        "count",
        "is_woken",
        "number",
    )

    def __init__(
        self,
        line: Line,
        run: Callable[[Worker], None],
        number: int = 0,
        grew: Callable[[Worker], None] = lambda _: None,
    ):
        self._line, self._run, self.number, self._grew = line, run, number, grew
        self._gathers_until_ns = 0.0
        self.batch: list[Piece] = []
        self.count = 0
        self.is_woken = False
        self._held: Piece | None = None
        self._deadline_ns = 0
        self._fills = 0

    def rest(self) -> None:
        """Be free: take what is held or queued, or wait."""
        line = self._line
        self._stop_gathering()
        self.batch, self.count, self.is_woken = [], 0, False
        held, self._held = self._held, None
        if held is not None:
            self.take(held)
        elif line.pieces:
            self.take(line.pieces.popleft())
        else:
            line.waiting.append(self)

    def take(self, piece: Piece) -> None:
        """Take a piece: the first of a batch, or one more for it."""
        line, policy = self._line, self._line.policy
        if not self.batch:
            self._fills += 1
            self._deadline_ns = line.clock.now_ns() + policy.max_wait_ns
            if policy.max_wait_ns and not policy.split_over:
                fill = self._fills
                line.clock.call_at(self._deadline_ns, lambda: self._time_out(fill))
        if self._add(piece):
            self._fill()

    def _add(self, piece: Piece) -> bool:
        """Put a piece into the batch, or hold it and close the batch if it doesn't fit."""
        size = piece[2] - piece[1]
        if self.batch and self.count + size > self._line.policy.max_batch:
            self._held = piece
            self.close()
            return False
        self.batch.append(piece)
        self.count += size
        return True

    def _fill(self) -> None:
        line, policy = self._line, self._line.policy
        if policy.split_over:
            self.close()
            return
        while self.count < policy.max_batch and line.pieces:
            if not self._add(line.pieces.popleft()):
                return
        is_over = line.is_flushing or line.clock.now_ns() >= self._deadline_ns
        if self.count >= policy.max_batch or is_over:
            self.close()
        else:
            line.waiting.append(self)

    def _time_out(self, fill: int) -> None:
        """Close the batch that was begun so, if it still waits."""
        if fill == self._fills and self in self._line.waiting:
            self._line.waiting.remove(self)
            self.close()

    def gather(self, gather_ns: float) -> None:
        """Go on to take what comes, for some time after the batch was closed."""
        policy = self._line.policy
        if gather_ns > 0.0 and self.count < policy.max_batch and not policy.split_over:
            self._gathers_until_ns = self._line.clock.now_ns() + gather_ns
            self._line.gathering.append(self)

    def join(self, piece: Piece) -> bool:
        """Take one more piece into a batch that is being gathered, if it still is and it fits."""
        size = piece[2] - piece[1]
        if self._line.clock.now_ns() > self._gathers_until_ns or self._held is not None:
            self._stop_gathering()
            return False
        if self.count + size > self._line.policy.max_batch:
            return False
        self.batch.append(piece)
        self.count += size
        self._grew(self)
        return True

    def _stop_gathering(self) -> None:
        if self in self._line.gathering:
            self._line.gathering.remove(self)

    def close(self) -> None:
        """Have the batch answered."""
        self._fills += 1
        self._run(self)

    def drop(self) -> list[Piece]:
        """Give up everything that is taken, and wait for nothing."""
        self._stop_gathering()
        if self in self._line.waiting:
            self._line.waiting.remove(self)
        lost = self.batch + ([self._held] if self._held is not None else [])
        self.batch, self.count, self._held = [], 0, None
        self._fills += 1
        return lost
