"""Schedule: the arrivals of a Server test, computed anew from their seed.

LoadGen draws all gaps between queries before the test, and logs how many queries that gave and
how long they last, to the nanosecond. When each single query came isn't in the logs.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

from inferometer.loadgen import Scenario
from inferometer.loadgen.random_stream import RandomStream, poisson_gaps_ns
from inferometer.logs import DETAIL_LOG
from inferometer.submission.checking.notebook import Notebook
from inferometer.submission.checking.numbers import count_in, real_in
from inferometer.submission.checking.run_logs import RunLogs

__all__ = ["check_schedule"]

_RULE = "replay.schedule"
_MOST_QUERIES = 20_000_000
_BLOCK = 1 << 18
_DIGITS = 6
"""As many digits of the rate are printed; one with more is known roughly only."""

_SLACK = 1e-6
"""How far times may be off, as a share, where the rate is known roughly."""

_PERFORMANCE = ("Performance", "PerformanceOnly")
_ACCURACY = ("Accuracy", "AccuracyOnly")
_RATE_NAME = "Scheduled samples per second"
_RATE_ROUNDING = 0.006


@dataclass(frozen=True)
class _Asked:
    """What a log says of the schedule that it was drawn with.

    rate_qps:
        As printed.
    least, span_ns, step:
        The count and the time that were to be reached, and by how many queries at once the
        count grows; ``None`` where the count isn't known, or is that of the samples.
    """

    seed: int
    rate_qps: float
    least: int | None
    span_ns: int
    step: int


def check_schedule(run: RunLogs, scenario: Scenario | None, notebook: Notebook) -> None:
    """Check that a Server test's queries arrived as the schedule's seed and the rate say."""
    if scenario is not Scenario.SERVER:
        return
    where = (*run.parts, DETAIL_LOG)
    series, asked = run.generated_series, _asked(run)
    if isinstance(asked, str):
        notebook.cannot(_RULE, where, asked)
        return
    if not series:
        notebook.cannot(_RULE, where, "the detail log doesn't say how long the queries last")
        return
    if max(count for count, _ in series) > _MOST_QUERIES:
        notebook.cannot(_RULE, where, f"more than {_MOST_QUERIES:,} queries aren't replayed")
        return
    for count, duration_ns in series:
        problem, is_exact = _judged(count, duration_ns, asked, run)
        if problem:
            notebook.fails(_RULE, where, problem)
            return
    how = "to the nanosecond" if is_exact else "as far as the rate's printed digits tell"
    told = f"{series[0][0]:,} queries in {series[0][1] / 1e9:.3f} s, {how}"
    notebook.passes(_RULE, where, told)


def _asked(run: RunLogs) -> _Asked | str:
    mode = run.setting("test_mode")
    seed, rate = count_in(run.setting("schedule_rng_seed")), real_in(run.setting("target_qps"))
    if seed is None or rate is None or rate <= 0:
        return "no detail log that states the schedule's seed and the rate"
    if mode not in (*_PERFORMANCE, *_ACCURACY):
        return f"a test in mode {mode} isn't replayed"
    least = count_in(run.setting("min_query_count"))
    span_ms = count_in(run.setting("target_duration_ms"))
    flags = [
        run.setting(name) in ("true", "1")
        for name in ("performance_issue_unique", "performance_issue_same")
    ]
    if mode in _ACCURACY or any(flags) or least is None or span_ms is None:
        return _Asked(seed, rate, None, 0, 1)
    step = 1
    if not run.is_v05 and run.setting("sample_concatenate_permutation") in ("true", "1"):
        step = len(run.first_loaded_set)
        least = -(-least // step) * step if step else None
    return _Asked(seed, rate, least, span_ms * 1_000_000, step)


def _judged(count: int, duration_ns: int, asked: _Asked, run: RunLogs) -> tuple[str, bool]:
    """Say what is wrong with a series, or nothing; and whether it was computed exactly."""
    told = f"{count:,} queries that last {duration_ns:,} ns"
    ends = _Ends(asked.seed, count, asked.step)
    is_exact = ends.at(asked.rate_qps)[0] == duration_ns
    rate = asked.rate_qps if is_exact else ends.rate_for(duration_ns)
    if not is_exact and not _prints_as(rate, asked.rate_qps):
        expected = ends.at(asked.rate_qps)[0]
        return f"{told}; seed {asked.seed} gives {expected:,} ns at {asked.rate_qps:g} qps", False
    _, last, before = ends.at(rate)
    slack_ns = 0.0 if is_exact else _SLACK * duration_ns
    if asked.least is not None:
        is_reached = count >= asked.least and last + slack_ns >= asked.span_ns
        is_needed = count == asked.least or before - slack_ns < asked.span_ns
        if not (is_reached and is_needed):
            return f"{told}; the settings ask for another number", is_exact
    return _stated_rate(count, last, run), is_exact


def _stated_rate(count: int, last_ns: int, run: RunLogs) -> str:
    """Compare the rate in the summary with that of the schedule, if all of it was issued."""
    stated = real_in(run.figures.get(_RATE_NAME))
    most = run.count("max_query_count")
    is_whole = run.detail is not None and not any(
        "Ending early" in str(entry.value) for entry in run.detail.errors
    )
    if stated is None or most or not is_whole or not last_ns:
        return ""
    rate = (count - 1) / (last_ns / 1e9)
    if math.isclose(stated, rate, rel_tol=1e-5, abs_tol=_RATE_ROUNDING):
        return ""
    return f"{_RATE_NAME}: {stated}; the schedule gives {rate:.2f}"


def _prints_as(rate: float, printed: float) -> bool:
    """Tell whether a rate is printed so, give or take what its computation leaves open."""
    half = 0.5 * 10.0 ** (math.floor(math.log10(printed)) + 1 - _DIGITS)
    return abs(rate - printed) <= half + _SLACK * printed / 100


@dataclass(frozen=True)
class _Ends:
    """The ends of the gaps before and after the last query of a series of ``count``."""

    seed: int
    count: int
    step: int

    def at(self, rate_qps: float) -> tuple[int, int, int]:
        """Give, in ns, the end of all gaps, and when two queries are due.

        They are the last one, and the one a step before it.
        """
        places = (self.count, self.count - 1, max(0, self.count - 1 - self.step))
        end, last, before = _ends_ns(self.seed, rate_qps, places)
        return end, last, before

    def rate_for(self, duration_ns: int) -> float:
        """Give the rate at which the queries last so long."""
        # A rate of 1e9 makes gaps of a few ns, whose cut-off parts would count: so slower.
        slow_ns = _ends_ns(self.seed, 1.0, (self.count,))[0]
        # Each gap is cut to whole ns, on average by half of one.
        return slow_ns / max(1.0, duration_ns + 0.5 * self.count)


@functools.lru_cache(maxsize=16)
def _ends_ns(seed: int, rate_qps: float, places: tuple[int, ...]) -> tuple[int, ...]:
    """Give when so many gaps have passed, in ns, for each number of gaps."""
    stream, found, passed_ns = RandomStream(seed), dict.fromkeys(places, 0), 0
    for start in range(0, max(places), _BLOCK):
        size = min(_BLOCK, max(places) - start)
        ends = passed_ns + np.cumsum(poisson_gaps_ns(stream.canonical(size), rate_qps))
        for place in places:
            if start < place <= start + size:
                found[place] = int(ends[place - start - 1])
        passed_ns = int(ends[-1])
    return tuple(found[place] for place in places)
