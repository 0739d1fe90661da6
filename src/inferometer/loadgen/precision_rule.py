"""Precision rule: ends a closed-loop run once its percentile is known well enough."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen.ledger import Ledger
from inferometer.loadgen.looks import Looks
from inferometer.loadgen.statistics import percentile, series_interval
from inferometer.loadgen.stop_outlook import StopOutlook

__all__ = ["PrecisionRule"]


class PrecisionRule:
    """Ends a closed-loop run once a percentile is precise, or the budget is used up.

    It is precise once half its 95 % interval is at most ``precision`` of it, at two looks in
    a row: a single one may owe it to a lucky moment, in which the queries seemed to resemble
    each other less than they do. How wide an interval is says little of whether it covers;
    what it does say is made up for by `series_interval`, so that the interval of the stopped
    run holds as often as it states (measured in docs/statistics.md).

    Source: Chow and Robbins, On the asymptotic theory of fixed-width sequential confidence
    intervals for the mean, 1965.
    """

    def __init__(self, fraction: float, precision: float, looks: Looks):
        self._fraction = fraction
        self._precision = precision
        self._looks = looks
        self._was_precise = False
        self._half = np.inf
        self._needed: int | None = None

    @property
    def longest_s(self) -> float:
        """0: a closed loop's queries are there for as long as the settings say."""
        return 0.0

    def next_look(self, issued: int, elapsed_ns: int) -> tuple[int, int]:
        """Give the query count and the elapsed ns at which to ask again."""
        return self._looks.next_look(issued, elapsed_ns)

    def wants_to_stop(self, ledger: Ledger, issued: int, elapsed_ns: int) -> str | None:
        """Give the reason to stop, or ``None`` to go on."""
        if not self._looks.is_too_early(issued, elapsed_ns):
            is_precise = self._look(ledger.query_latencies_ns(issued))
            if is_precise and self._was_precise:
                return f"p{self._fraction * 100:g} is known to within {self._half:.1%}"
            self._was_precise = is_precise
        return self._looks.used_up(issued, elapsed_ns)

    def outlook(self) -> StopOutlook:
        """Say how many queries the precision takes."""
        return StopOutlook(self._needed, self._looks.budget_s)

    def describe(self) -> dict[str, float | str]:
        """Give what is kept of the rule in the recording."""
        return {"kind": "precision", "fraction": self._fraction, "precision": self._precision}

    def _look(self, latencies: NDArray[np.int64]) -> bool:
        count = len(latencies)
        if count < self._looks.least_queries:
            return False
        ordered = np.sort(latencies)
        interval = series_interval(latencies, ordered, self._fraction, ended_itself=True)
        self._half = interval.relative_half_width(percentile(ordered, self._fraction))
        self._needed = None
        if np.isfinite(self._half):
            # The width falls with the root of the count.
            wanted = max(count, int(count * (self._half / self._precision) ** 2))
            self._needed = wanted if self._was_precise else int(wanted * self._looks.growth)
        return self._half <= self._precision
