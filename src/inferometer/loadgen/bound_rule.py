"""Bound rule: ends a run as soon as it is decided whether its latency bound is met."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen.bound_decision import BoundAnswer, BoundDecision
from inferometer.loadgen.deviates import NORMAL_DEVIATE, student_deviate
from inferometer.loadgen.ledger import Ledger
from inferometer.loadgen.looks import Looks
from inferometer.loadgen.statistics import exceedance_dependence
from inferometer.loadgen.stop_outlook import StopOutlook

__all__ = ["BoundRule", "answer_of_latencies"]

_WORDS = {BoundAnswer.MET: "at most", BoundAnswer.MISSED: "above"}


def answer_of_latencies(
    decision: BoundDecision, latencies_ns: NDArray[np.int64], bound_ns: int
) -> tuple[BoundAnswer, int, float]:
    """Say what a series of latencies, int64 [n] in the order of time, tells of a bound.

    Gives the answer, how many are slower, and the correction for how much they cluster. It
    stays open where they resemble each other over a good part of the series.
    """
    slow = int(np.count_nonzero(latencies_ns > bound_ns))
    found = exceedance_dependence(latencies_ns, bound_ns, decision.fraction)
    # What is known of the clusters only roughly counts as if they were larger.
    correction = found.inflation * (student_deviate(found.freedom) / NORMAL_DEVIATE) ** 2
    if 2 * slow > len(latencies_ns):
        # A queue that only grows has nothing but one cluster; more than half is enough.
        return decision.answer(slow, len(latencies_ns)), slow, 1.0
    if found.is_too_long:
        return BoundAnswer.OPEN, slow, correction
    return decision.answer(slow, len(latencies_ns), correction), slow, correction


class BoundRule:
    """Ends a run once its bound is decided either way, or the budget is used up.

    A query counts once it was due for as long as the bound: then it is known whether it is
    slow, answered or not, so that those outstanding at the end take nothing away.
    """

    def __init__(self, decision: BoundDecision, bound_ns: int, looks: Looks):
        self._decision = decision
        self._bound_ns = bound_ns
        self._looks = looks
        self._needed: int | None = None

    @property
    def longest_s(self) -> float:
        """For how long queries have to be there."""
        return self._looks.longest_s

    def next_look(self, issued: int, elapsed_ns: int) -> tuple[int, int]:
        """Give the query count and the elapsed ns at which to ask again."""
        return self._looks.next_look(issued, elapsed_ns)

    def wants_to_stop(self, ledger: Ledger, issued: int, elapsed_ns: int) -> str | None:
        """Give the answer as the reason to stop, or ``None`` to go on."""
        latencies = certain_latencies_ns(ledger, issued, self._bound_ns)
        total = len(latencies)
        if total and not self._looks.is_too_early(issued, elapsed_ns):
            answer, slow, correction = answer_of_latencies(
                self._decision, latencies, self._bound_ns
            )
            if answer is not BoundAnswer.OPEN:
                return f"{self._name()} is {_WORDS[answer]} {self._seen(slow, total)}"
            self._needed = self._decision.needed(slow, total, correction)
        late = self._looks.used_up(issued, elapsed_ns)
        if late is None:
            return None
        return f"{late}; whether {self._name()} is at most {self._bound_ms()} is open"

    def outlook(self) -> StopOutlook:
        """Say how many queries the answer takes."""
        return StopOutlook(self._needed, self._looks.budget_s)

    def describe(self) -> dict[str, float | str]:
        """Give what is kept of the rule in the recording."""
        return {
            "kind": "bound",
            "fraction": self._decision.fraction,
            "bound_ns": self._bound_ns,
            "error_rate": self._decision.error_rate,
        }

    def _name(self) -> str:
        return f"p{self._decision.fraction * 100:g}"

    def _bound_ms(self) -> str:
        return f"{self._bound_ns / 1e6:g} ms"

    def _seen(self, slow: int, total: int) -> str:
        rate = f"error rate {self._decision.error_rate:.3g}"
        return f"{self._bound_ms()}: {slow:,} of {total:,} queries were slower ({rate})"


def certain_latencies_ns(ledger: Ledger, issued: int, bound_ns: int) -> NDArray[np.int64]:
    """Give the latencies of the queries that were due at least a bound ago, int64.

    One that isn't answered has the latency that it has reached so far, which is over the bound.
    """
    schedule = ledger.plan.schedule_ns
    begun = ledger.issued_array if schedule is None else schedule
    due = begun[:issued] + (0 if schedule is None else ledger.start_ns)
    now_ns = ledger.now_ns()
    certain = int(np.searchsorted(due, now_ns - bound_ns))
    size = ledger.samples_per_query
    stamps = ledger.completed_array[: certain * size].reshape(certain, size)
    done = np.where(stamps.min(axis=1, initial=now_ns) > 0, stamps.max(axis=1, initial=0), now_ns)
    latencies: NDArray[np.int64] = done - due[:certain]
    return latencies
