"""Recorded runs: what lies in a search folder, read from the recordings alone."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from inferometer.capacity.observation import Observation
from inferometer.capacity.question import Question
from inferometer.capacity.reading import observation_of
from inferometer.capacity.trial import Trial
from inferometer.loadgen import InferometerError, Scenario, SeriesRecord, Verdict
from inferometer.runs import TestResult
from inferometer.runs.folder import INTERRUPTED, RECORDING, RESULT, RUNNING, load_test

__all__ = [
    "SEARCHING",
    "VERIFYING",
    "attempt_of",
    "read_series",
    "recorded_trials",
    "unfinished_places",
    "verification_folder",
]

SEARCHING, VERIFYING = "search", "verification"
"""The stages of a search."""

_KEEPS_UP = 0.93
_FEWEST_SERVED = 20
_VERIFIED = re.compile(r"verified_(\d+)")
_RUN = re.compile(r"run_(\d+)")


def verification_folder(attempt: int) -> Path:
    """Give the folder of a try to verify, within that of the search."""
    return Path(f"verified_{attempt}")


def attempt_of(place: Path) -> int:
    """Give which try to verify a run's folder is of; 0 for one that searched."""
    found = _VERIFIED.fullmatch(place.parts[0])
    return int(found[1]) if found else 0


def recorded_trials(output: Path, question: Question) -> list[tuple[Trial, TestResult]]:
    """Read every run that came to its end, in the order in which they were made."""
    found = []
    for place in _run_places(output):
        result = _finished(output / place)
        if result is None or result.recording.performance is None or result.verdict is None:
            continue
        settings = result.recording.settings
        load = (
            float(settings.multi_stream_samples_per_query)
            if question.is_whole
            else settings.server_target_qps
        )
        one = read_series(load, result.recording.performance, result.verdict, question)
        stage = VERIFYING if attempt_of(place) else SEARCHING
        found.append((Trial(one, place, question.queries(load), stage), result))
    return found


def unfinished_places(output: Path) -> list[Path]:
    """Give the folders, within that of the search, of runs that were cut off."""
    return [place for place in _run_places(output) if _finished(output / place) is None]


def _run_places(output: Path) -> list[Path]:
    places = [
        found.relative_to(output)
        for found in output.rglob("run_*")
        if found.is_dir() and _RUN.fullmatch(found.name)
    ]
    kept = [place for place in places if place.parts[0] != INTERRUPTED]
    return sorted(kept, key=lambda place: (attempt_of(place), _number(place.name)))


def _number(name: str) -> int:
    found = _RUN.fullmatch(name)
    return int(found[1]) if found else 0


def _finished(folder: Path) -> TestResult | None:
    """Read a run; ``None`` if it was cut off, failed, or can't be read."""
    if (folder / RUNNING).exists() or not all(
        (folder / name).is_file() for name in (RECORDING, RESULT)
    ):
        return None
    try:
        result = load_test(folder)
    except (InferometerError, OSError, ValueError, KeyError, TypeError):
        return None
    return None if result.was_interrupted or result.has_failed else result


def read_series(
    load: float, series: SeriesRecord, verdict: Verdict, question: Question
) -> Observation:
    """Read a recorded series; the verdict says whether it met its bound, where it has one.

    One that ended before it was whole counts as stopped if more queries were slow than a whole
    run may have.
    """
    whole, bound = question.queries(load), question.bound
    slow = int(np.count_nonzero(series.query_latency_ns > bound.limit_ns))
    is_server = question.scenario is Scenario.SERVER
    is_short = series.query_count < whole or (
        not is_server and series.stop_ns < question.length.seconds * 1e9
    )
    was_stopped = is_short and slow > bound.allowed(whole)
    met = verdict.perf_constraints_met
    if met is not None:
        met = met and verdict.early_stopping_met is not False and not was_stopped
    one = observation_of(
        load,
        series.query_latency_ns,
        bound,
        whole_queries=whole,
        length=series.query_count / whole if was_stopped else 1.0,
        seconds=series.stop_ns / 1e9,
        has_met=met,
        was_stopped=was_stopped,
    )
    return replace(one, served=_served(series, load)) if was_stopped and is_server else one


def _served(series: SeriesRecord, load: float) -> float | None:
    """Give the rate of answers in the second half of the issuing, if it was below the load."""
    issued_ns = int(series.scheduled_ns[-1])
    if issued_ns <= 0:
        return None
    done = series.completed_ns
    count = int(np.count_nonzero((done > issued_ns // 2) & (done <= issued_ns)))
    rate = count / (issued_ns / 2e9)
    return rate if count >= _FEWEST_SERVED and rate < _KEEPS_UP * load else None
