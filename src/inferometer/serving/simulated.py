"""Simulated serving: a system that exists only on the virtual clock."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import Query, Responses, VirtualClock

__all__ = ["SimulatedSUT"]


class SimulatedSUT:
    """A system with some servers in parallel, each taking a given time for a query.

    It is the shipped fake for tests, ours and yours: exact, and without waiting.

    clock:
        The virtual clock that the test runs on.
    service_time_ns:
        Time that a query takes once a server is free: a number, or a function of the
        query.
    servers:
        Queries that are served at the same time; others wait in order.
    answer:
        Gives the responses for library indices, int [n]; by default each sample's index
        as 4 bytes.
    """

    def __init__(
        self,
        clock: VirtualClock,
        service_time_ns: int | Callable[[Query], int] = 1_000_000,
        servers: int = 1,
        answer: Callable[[NDArray[np.integer[Any]]], Responses] | None = None,
        name: str = "simulated",
    ):
        self.name = name
        self._clock = clock
        self._service_time_ns = service_time_ns
        self._answer = answer or _echo
        self._free_at = [0] * servers

    def issue(self, query: Query) -> None:
        """Plan the answer for when a server will have finished the query."""
        service = self._service_time_ns
        duration_ns = service if isinstance(service, int) else service(query)
        start_ns = max(self._clock.now_ns(), self._free_at[0])
        done_ns = start_ns + duration_ns
        heapq.heapreplace(self._free_at, done_ns)
        self._clock.call_at(done_ns, lambda: self._complete(query))

    def flush(self) -> None:
        """Do nothing: every answer is planned."""

    def close(self) -> None:
        """Do nothing: there are no threads."""

    def _complete(self, query: Query) -> None:
        query.complete(self._answer(query.indices) if query.wants_responses else None)


def _echo(indices: NDArray[np.integer[Any]]) -> Responses:
    return indices.astype("<i4").reshape(-1, 1)
