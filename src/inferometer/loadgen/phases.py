"""Phases: where the time of an answer goes, from its issue to its completion."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen.recording import SeriesRecord
from inferometer.loadgen.verdict import LatencySummary

__all__ = ["PhaseSplit", "PhaseTimes"]

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class PhaseTimes:
    """Where the time of each answered sample went, for the samples whose system told.

    began_ns:
        int64 [n]: when work on the sample's batch began, ns after the start of the series.
    wait, preprocess, infer, postprocess:
        int64 [n]: ns, as `PhaseSplit` names them; together from issue to completion.
    """

    began_ns: Integers
    wait: Integers
    preprocess: Integers
    infer: Integers
    postprocess: Integers

    @classmethod
    def of(cls, series: SeriesRecord) -> PhaseTimes | None:
        """Take them from a series; ``None`` if its system did not tell."""
        began, preprocess, infer = series.began_ns, series.preprocess_ns, series.infer_ns
        if began is None or preprocess is None or infer is None:
            return None
        known = (began >= 0) & series.is_complete
        if not bool(known.any()):
            return None
        issued = np.repeat(series.issued_ns, series.samples_per_query)
        rest = series.completed_ns - began - preprocess - infer
        return cls(*(part[known] for part in (began, began - issued, preprocess, infer, rest)))

    def by_name(self, *, with_wait: bool = True) -> dict[str, Integers]:
        """Give the times by the names of their phases, in order."""
        names = [f.name for f in dataclasses.fields(self)][1 if with_wait else 2 :]
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class PhaseSplit:
    """How the time from issue to completion was spent, over the answered samples.

    The samples of a batch share its work: each is counted with all of it.

    wait:
        Until work on the sample's batch began.
    preprocess:
        Fetching and laying out the inputs.
    infer:
        The model.
    postprocess:
        Everything from there until the completion.
    """

    wait: LatencySummary
    preprocess: LatencySummary
    infer: LatencySummary
    postprocess: LatencySummary

    @classmethod
    def of(cls, series: SeriesRecord) -> PhaseSplit | None:
        """Split the time of a series; ``None`` if its system did not tell."""
        times = PhaseTimes.of(series)
        if times is None:
            return None
        summaries = [LatencySummary.of(part) for part in times.by_name().values()]
        return cls(*(summary for summary in summaries if summary is not None))

    def mean_ns(self, *, with_wait: bool = True) -> int:
        """Give the mean time of all phases together, with the wait or of the work alone."""
        return sum(summary.mean_ns for summary in self._by_name(with_wait).values())

    def shares(self, *, with_wait: bool = True) -> dict[str, float]:
        """Give each phase's share of that mean time, by name; together they are 1."""
        whole_ns = self.mean_ns(with_wait=with_wait) or 1
        return {
            name: summary.mean_ns / whole_ns for name, summary in self._by_name(with_wait).items()
        }

    def _by_name(self, with_wait: bool) -> dict[str, LatencySummary]:
        names = [f.name for f in dataclasses.fields(self)][0 if with_wait else 1 :]
        return {name: getattr(self, name) for name in names}
