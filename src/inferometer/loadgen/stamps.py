"""Stamps: the raw clock readings of a series, and how they become a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen.incident import Incident, IncidentKind
from inferometer.loadgen.plan import Plan
from inferometer.loadgen.recording import SeriesRecord

__all__ = ["Circumstances", "PhaseStamps", "Stamps", "make_record"]

Integers = NDArray[np.int64]


class PhaseStamps:
    """What a system says of its work on each sample of a series while it runs.

    ``began`` are readings of the series' clock, 0 where nothing was said; ``preprocess_ns``
    and ``infer_ns`` are durations; all int64 [samples]. Memory that is never written costs
    nothing.
    """

    def __init__(self, sample_count: int):
        self.began: Integers = np.zeros(sample_count, np.int64)
        self.preprocess_ns: Integers = np.zeros(sample_count, np.int64)
        self.infer_ns: Integers = np.zeros(sample_count, np.int64)
        # An item of a memory view is written several times faster than one of an array.
        self._views = (self.began.data, self.preprocess_ns.data, self.infer_ns.data)

    def note(self, samples: slice, began: int, preprocess_ns: int, infer_ns: int) -> None:
        """Take in what samples that lie side by side, answered as one batch, took."""
        self.began[samples] = began
        self.preprocess_ns[samples] = preprocess_ns
        self.infer_ns[samples] = infer_ns

    def note_one(self, sample: int, began: int, preprocess_ns: int, infer_ns: int) -> None:
        """Take in what the batch of one sample took."""
        begins, preprocessings, inferences = self._views
        begins[sample] = began
        preprocessings[sample] = preprocess_ns
        inferences[sample] = infer_ns


@dataclass(frozen=True)
class Stamps:
    """Clock readings of a series; 0 means "never".

    ``issued`` and ``scheduled_ns`` are int64 [planned queries], ``completed`` and
    ``first_token`` int64 [planned samples]. ``scheduled_ns`` counts from the start;
    ``None`` means that queries were due when they were issued.
    """

    start_ns: int
    issued_count: int
    issued: Integers
    completed: Integers
    scheduled_ns: Integers | None = None
    tick_counts: Integers | None = None
    first_token: Integers | None = None
    token_count: Integers | None = None
    phases: PhaseStamps | None = None


@dataclass(frozen=True)
class Circumstances:
    """What else a record says about its series."""

    wall_start_s: float
    wall_stop_s: float
    stop_ns: int
    target_qps: float
    timing: Mapping[str, Any]
    incidents: tuple[Incident, ...]
    incident_counts: Mapping[IncidentKind, int]


def make_record(plan: Plan, stamps: Stamps, around: Circumstances) -> SeriesRecord:
    """Cut the stamps to the queries issued, and count them from the start of the series.

    Samples that were never answered are put on record as an incident.
    """
    queries = stamps.issued_count
    samples = queries * plan.samples_per_query
    issued = _since(stamps.issued[:queries], stamps.start_ns)
    completed = _since(stamps.completed[:samples], stamps.start_ns)
    scheduled = issued if stamps.scheduled_ns is None else stamps.scheduled_ns[:queries].copy()
    first = stamps.first_token
    phases = _phases_of(stamps, samples)
    incidents, counts = around.incidents, dict(around.incident_counts)
    missing = int((completed < 0).sum())
    if missing:
        kind = IncidentKind.INCOMPLETE_SAMPLES
        incidents = (*incidents, Incident(kind, around.stop_ns, {"count": missing}))
        counts[kind] = 1
    return SeriesRecord(
        mode=plan.mode,
        samples_per_query=plan.samples_per_query,
        scheduled_ns=scheduled,
        issued_ns=issued,
        completed_ns=completed,
        sample_index=plan.sample_indices[:samples],
        generated_query_count=plan.query_count,
        generated_duration_ns=plan.duration_ns,
        first_sample_id=plan.first_sample_id,
        wall_start_s=around.wall_start_s,
        wall_stop_s=around.wall_stop_s,
        stop_ns=around.stop_ns,
        target_qps=around.target_qps,
        tick_counts=_cut(stamps.tick_counts, queries),
        first_token_ns=None if first is None else _since(first[:samples], stamps.start_ns),
        token_count=_cut(stamps.token_count, samples),
        incidents=incidents,
        incident_counts=counts,
        timing=around.timing,
        **phases,
    )


def _phases_of(stamps: Stamps, samples: int) -> dict[str, Integers]:
    """Give the phases of the samples issued, by field; nothing where nothing was said."""
    phases = stamps.phases
    if phases is None or not bool(phases.began[:samples].any()):
        return {}
    return {
        "began_ns": _since(phases.began[:samples], stamps.start_ns),
        "preprocess_ns": phases.preprocess_ns[:samples].copy(),
        "infer_ns": phases.infer_ns[:samples].copy(),
    }


def _since(stamps: Integers, start_ns: int) -> Integers:
    """Turn clock readings into ns after the start; 0, that is never, into -1."""
    relative: Integers = stamps - start_ns
    relative[stamps == 0] = -1
    return relative


def _cut(array: Integers | None, count: int) -> Integers | None:
    return None if array is None else array[:count].copy()
