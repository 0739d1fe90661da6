"""Sure miss: the rule that ends a run once more queries are slow than a whole run may have."""

from __future__ import annotations

import numpy as np

from inferometer.loadgen import Ledger, Scenario

__all__ = ["SureMiss"]

_LOOKS = 100


class SureMiss:
    """Ends a performance series that can't meet its bound any more, and a whole one.

    A query counts as slow as soon as it has waited longer than the bound, answered or not.
    Nothing is guessed: the series would have missed its bound whatever came after.

    limit_ns, allowed:
        The bound, and how many queries of the whole series may be slower.
    queries, seconds:
        Least size of the whole series; closed loops end when they have reached both.
    """

    def __init__(
        self, scenario: Scenario, limit_ns: int, allowed: int, queries: int, seconds: float
    ):
        self._is_paced = scenario is Scenario.SERVER
        self._limit_ns = limit_ns
        self._allowed = allowed
        self._queries = queries
        self._whole_ns = int(seconds * 1e9)
        self.has_missed = False

    def next_look(self, issued: int, elapsed_ns: int) -> tuple[int, int]:
        """Look a hundred times, evenly by count and by time."""
        step = max(1, self._queries // _LOOKS)
        count = issued + (1 if issued >= self._queries else step)
        return count, elapsed_ns + max(1_000_000, self._whole_ns // _LOOKS)

    def wants_to_stop(self, ledger: Ledger, issued: int, elapsed_ns: int) -> str | None:
        """Give the reason to stop now, or ``None``."""
        slow = self._slow(ledger, issued)
        if slow > self._allowed:
            self.has_missed = True
            return f"{slow} queries are over the bound, and a whole run may have {self._allowed}"
        if self._is_paced or issued < self._queries or elapsed_ns < self._whole_ns:
            return None
        return "the run is as long as it has to be"

    def _slow(self, ledger: Ledger, issued: int) -> int:
        rows = ledger.completed_array[: issued * ledger.samples_per_query]
        done = rows.reshape(issued, -1)
        last = np.where((done > 0).all(axis=1), done.max(axis=1), ledger.now_ns())
        begun = ledger.issued_array[:issued]
        if self._is_paced and ledger.plan.schedule_ns is not None:
            begun = ledger.plan.schedule_ns[:issued] + ledger.start_ns
        return int(np.count_nonzero(last - begun > self._limit_ns))
