"""Re-issue: which replica has which batch, so that none is lost or answered twice."""

from __future__ import annotations

import itertools
from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["Assignments", "Losses"]

_MOST_LOSSES = 1
# Replicas outlive a test, and so may an answer: no two tests have a ticket in common.
_TICKETS = itertools.count()
_AWAY, _PRESENT, _GONE = "away", "present", "gone"

Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Losses(Generic[Batch]):
    """What a replica took with it: batches to issue again, and those lost before already."""

    reissued: tuple[Batch, ...]
    given_up: tuple[Batch, ...]


@dataclass(frozen=True)
class _Issued(Generic[Batch]):
    """A batch on its way, and how often it was lost before."""

    replica: int
    batch: Batch
    losses: int


class Assignments(Generic[Batch]):
    """Gives batches to the replica with the fewest, and again to another when one dies.

    A batch goes under a ticket. Only its last ticket counts, and only once: an answer that
    comes after a replica was taken for dead answers nothing. A batch that is lost a second
    time is given up, since it may be what kills the replicas.

    present:
        The replicas that take batches from the start; others may come.
    most_in_flight:
        Most batches that a replica has at a time.
    """

    def __init__(self, replicas: int, present: tuple[int, ...], most_in_flight: int):
        self._states = [_PRESENT if n in present else _AWAY for n in range(replicas)]
        self._loads = [0] * replicas
        self._most = most_in_flight
        self._issued: dict[int, _Issued[Batch]] = {}
        self._again: deque[tuple[Batch, int]] = deque()

    @property
    def has_again(self) -> bool:
        """Whether batches wait to be issued again; they go before new ones."""
        return bool(self._again)

    @property
    def is_hopeless(self) -> bool:
        """Whether every replica is gone for good."""
        return all(state is _GONE for state in self._states)

    @property
    def open_batches(self) -> list[Batch]:
        """The batches without an answer, on their way or waiting to be issued again."""
        return [one.batch for one in self._issued.values()] + [one for one, _ in self._again]

    def free(self) -> int | None:
        """Give the replica that has the fewest batches; ``None`` if each has as many as it may."""
        best, least = None, self._most
        for replica, load in enumerate(self._loads):
            if load < least and self._states[replica] is _PRESENT:
                best, least = replica, load
        return best

    def begin(self, replica: int, batch: Batch) -> int:
        """Give a batch to a replica; give its ticket."""
        return self._begin(replica, batch, 0)

    def begin_again(self, replica: int) -> tuple[int, Batch]:
        """Give a replica the batch that waits longest to be issued again; give its ticket too."""
        batch, losses = self._again.popleft()
        return self._begin(replica, batch, losses), batch

    def answered(self, ticket: int) -> Batch | None:
        """Take an answer; give its batch, or ``None`` if it isn't waited for any more."""
        issued = self._issued.pop(ticket, None)
        if issued is None:
            return None
        self._loads[issued.replica] -= 1
        return issued.batch

    def lost(self, replica: int) -> Losses[Batch]:
        """Take the death of a replica; it gets nothing until it is back."""
        if self._states[replica] is _PRESENT:
            self._states[replica] = _AWAY
        self._loads[replica] = 0
        tickets = [ticket for ticket, one in self._issued.items() if one.replica == replica]
        lost = [self._issued.pop(ticket) for ticket in tickets]
        reissued = [one for one in lost if one.losses < _MOST_LOSSES]
        self._again.extend((one.batch, one.losses + 1) for one in reissued)
        return Losses(
            tuple(one.batch for one in reissued),
            tuple(one.batch for one in lost if one.losses >= _MOST_LOSSES),
        )

    def back(self, replica: int) -> None:
        """Let a replica take batches, from now on or again."""
        if self._states[replica] is _AWAY:
            self._states[replica] = _PRESENT

    def gone(self, replica: int) -> Losses[Batch]:
        """Take that a replica won't come back; give what it still had."""
        losses = self.lost(replica)
        self._states[replica] = _GONE
        return losses

    def _begin(self, replica: int, batch: Batch, losses: int) -> int:
        ticket = next(_TICKETS)
        self._issued[ticket] = _Issued(replica, batch, losses)
        self._loads[replica] += 1
        return ticket
