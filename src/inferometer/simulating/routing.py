"""Routing: which replica a query is sent to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from inferometer.simulating.system import Routing

__all__ = ["Router", "router_of"]

_AT_ONCE = 4096


class Router(Protocol):
    """Chooses among the replicas that are thought to be there, by number."""

    def choose(self) -> int | None:
        """Give a replica; ``None`` if there is none."""
        ...

    def moved(self, replica: int, by: int) -> None:
        """Take in that a replica has so many more queries outstanding."""
        ...

    def set_there(self, replica: int, is_there: bool) -> None:
        """Take in that a replica is gone, or there again."""
        ...


class _Blind:
    """Chooses whatever is outstanding; keeps a list of who is there."""

    def __init__(self, replicas: int, random: np.random.Generator):
        self._random = random
        self.there = list(range(replicas))
        self._place = list(range(replicas))
        self._draws: list[float] = []

    def moved(self, replica: int, by: int) -> None:
        """Nothing is made of it."""

    def set_there(self, replica: int, is_there: bool) -> None:
        """Take a replica in, or out: the last one takes its place."""
        there, place = self.there, self._place
        if is_there == (place[replica] >= 0):
            return
        if is_there:
            place[replica] = len(there)
            there.append(replica)
            return
        last = there.pop()
        if last != replica:
            there[place[replica]] = last
            place[last] = place[replica]
        place[replica] = -1

    def anyone(self) -> int:
        """Give any replica that is there, each as likely."""
        if not self._draws:
            self._draws = self._random.random(_AT_ONCE).tolist()
        return self.there[int(self._draws.pop() * len(self.there))]


class _Random(_Blind):
    def choose(self) -> int | None:
        return self.anyone() if self.there else None


class _RoundRobin(_Blind):
    _next = -1

    def choose(self) -> int | None:
        if not self.there:
            return None
        self._next = (self._next + 1) % len(self.there)
        return self.there[self._next]


class _TwoChoices(_Blind):
    """The one with less outstanding of two that are drawn."""

    def __init__(self, replicas: int, random: np.random.Generator):
        super().__init__(replicas, random)
        self._outstanding = [0] * replicas

    def moved(self, replica: int, by: int) -> None:
        self._outstanding[replica] += by

    def choose(self) -> int | None:
        if not self.there:
            return None
        one, other = self.anyone(), self.anyone()
        return one if self._outstanding[one] <= self._outstanding[other] else other


class _LeastOutstanding(_Blind):
    """Any of those with the fewest outstanding; replicas lie in a bucket for each number."""

    def __init__(self, replicas: int, random: np.random.Generator):
        super().__init__(replicas, random)
        self._outstanding = [0] * replicas
        self._buckets: list[list[int]] = [list(range(replicas))]
        self._at = list(range(replicas))
        self._least = 0

    def moved(self, replica: int, by: int) -> None:
        if self._at[replica] >= 0:
            self._leave(replica)
        self._outstanding[replica] += by
        if self._place[replica] >= 0:
            self._enter(replica)

    def set_there(self, replica: int, is_there: bool) -> None:
        was = self._place[replica] >= 0
        super().set_there(replica, is_there)
        if is_there and not was:
            self._enter(replica)
        elif was and not is_there:
            self._leave(replica)

    def _enter(self, replica: int) -> None:
        number = self._outstanding[replica]
        while len(self._buckets) <= number:
            self._buckets.append([])
        self._at[replica] = len(self._buckets[number])
        self._buckets[number].append(replica)
        self._least = min(self._least, number)

    def _leave(self, replica: int) -> None:
        bucket = self._buckets[self._outstanding[replica]]
        last = bucket.pop()
        if last != replica:
            bucket[self._at[replica]] = last
            self._at[last] = self._at[replica]
        self._at[replica] = -1

    def choose(self) -> int | None:
        if not self.there:
            return None
        while not self._buckets[self._least]:
            self._least += 1
        bucket = self._buckets[self._least]
        if not self._draws:
            self._draws = self._random.random(_AT_ONCE).tolist()
        return bucket[int(self._draws.pop() * len(bucket))]


_KINDS: dict[Routing, Callable[[int, np.random.Generator], Router]] = {
    Routing.RANDOM: _Random,
    Routing.ROUND_ROBIN: _RoundRobin,
    Routing.TWO_CHOICES: _TwoChoices,
    Routing.LEAST_OUTSTANDING: _LeastOutstanding,
    # All replicas take from one queue; whom a query is sent to says nothing.
    Routing.SHARED_QUEUE: _RoundRobin,
}


def router_of(routing: Routing, replicas: int, random: np.random.Generator) -> Router:
    """Give what chooses among so many replicas."""
    return _KINDS[routing](replicas, random)
