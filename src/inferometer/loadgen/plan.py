"""Plan: which samples a test issues, in which order and when, decided before the clock.

Same settings and same library, same plan, bit for bit those of the published LoadGen.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen.arrivals import MAX_QUERIES, poisson_arrivals
from inferometer.loadgen.effective import EffectiveSettings
from inferometer.loadgen.errors import PlanError
from inferometer.loadgen.random_stream import DEFAULT_SEED, RandomStream
from inferometer.loadgen.vocabulary import Era, IntegerFlavour, Mode, Scenario

__all__ = ["LoadableSet", "Plan", "loadable_sets", "make_plan", "planned_for"]

Indices = NDArray[np.int32] | NDArray[np.int64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class LoadableSet:
    """Sample indices that are in memory together, in the order they are loaded.

    ``indices`` (int64 [L]) ends, in the multi-stream scenarios, with a repetition of its
    first entries, so that a query of consecutive entries may start at any of the first
    ``distinct_count``.
    """

    indices: Integers
    distinct_count: int


@dataclass(frozen=True)
class Plan:
    """One series of queries: samples, sizes and arrival times.

    Query ``k`` holds ``sample_indices[k * samples_per_query : (k + 1) * samples_per_query]``.

    sample_indices:
        int32 or int64 [query_count * samples_per_query]; indices into the sample library.
    schedule_ns:
        int64 [query_count], when each query is due after the start; Server only.
    duration_ns:
        How long the generated queries last by the schedule, the gap after the last one
        included.
    first_sample_id:
        Id of the first sample; ids run on through all series of a test.
    logged:
        bool [samples]: whose response goes to the accuracy log. ``None`` means all of
        them (accuracy mode) or none, as ``logs_all`` tells.
    """

    scenario: Scenario
    mode: Mode
    sample_indices: Indices
    samples_per_query: int
    query_count: int
    schedule_ns: Integers | None
    duration_ns: int
    first_sample_id: int
    logged: NDArray[np.bool_] | None
    logs_all: bool

    @property
    def sample_count(self) -> int:
        """Number of samples in all queries together."""
        return self.query_count * self.samples_per_query


def loadable_sets(
    effective: EffectiveSettings,
    mode: Mode,
    total_sample_count: int,
    *,
    era: Era = Era.CURRENT,
    flavour: IntegerFlavour = IntegerFlavour.LEMIRE,
) -> list[LoadableSet]:
    """Cut the shuffled library into sets that fit the performance sample count.

    Performance and find-peak modes use only the first set; accuracy mode uses all.

    Source: MLPerf LoadGen; since 6.0.6 a performance set holds the library's first
    indices, before that any of them.
    """
    count = total_sample_count
    if era is Era.CURRENT:
        accuracy = mode is Mode.ACCURACY
        wanted = effective.accuracy_sample_count if accuracy else effective.performance_sample_count
        count = min(wanted, total_sample_count)
    order = _library_order(effective.qsl_rng_seed, flavour, count)
    size = effective.performance_sample_count
    chunks = [order[start : start + size] for start in range(0, count, size)]
    if mode is not Mode.ACCURACY:
        chunks = chunks[:1]
    padding = effective.samples_per_query - 1 if effective.scenario.is_multi_stream else 0
    return [
        LoadableSet(np.concatenate([chunk, np.resize(chunk, padding)]), len(chunk))
        for chunk in chunks
    ]


@functools.lru_cache(maxsize=4)
def _library_order(seed: int, flavour: IntegerFlavour, count: int) -> Integers:
    """Shuffle the library; kept, because the logs of a test ask for the same once more."""
    order = RandomStream(seed, flavour).permutation(count)
    order.setflags(write=False)
    return order


def planned_for(effective: EffectiveSettings, least_ms: int) -> EffectiveSettings:
    """Give settings whose plan of a Server series is at least so long."""
    if effective.scenario is not Scenario.SERVER or least_ms <= effective.target_duration_ms:
        return effective
    return dataclasses.replace(effective, target_duration_ms=least_ms)


def make_plan(
    effective: EffectiveSettings,
    mode: Mode,
    loaded: LoadableSet,
    *,
    era: Era = Era.CURRENT,
    flavour: IntegerFlavour = IntegerFlavour.LEMIRE,
    first_sample_id: int = 0,
) -> Plan:
    """Generate the queries of one series over one loaded set.

    ``mode`` is accuracy or performance (find-peak runs are performance series). Raises
    `PlanError` where the settings leave no query to issue.

    Source: MLPerf LoadGen's query generation, whose order of random draws is kept even
    where a drawn list is never used.
    """
    draft = _Draft(effective, mode, loaded, era, flavour)
    positions = draft.draw()
    fits = int(loaded.indices.max(initial=0)) < 2**31
    entries: Indices = loaded.indices.astype(np.int32) if fits else loaded.indices
    samples = _gather(entries, positions, draft)
    logged, logs_all = _logged_samples(effective, mode, len(samples), first_sample_id)
    return Plan(
        scenario=effective.scenario,
        mode=mode,
        sample_indices=samples,
        samples_per_query=draft.per_query,
        query_count=draft.query_count,
        schedule_ns=draft.schedule_ns,
        duration_ns=draft.duration_ns,
        first_sample_id=first_sample_id,
        logged=logged,
        logs_all=logs_all,
    )


class _Draft:
    """The state of generating one series: the streams, the counts, the flags."""

    def __init__(
        self,
        effective: EffectiveSettings,
        mode: Mode,
        loaded: LoadableSet,
        era: Era,
        flavour: IntegerFlavour,
    ):
        self.effective = effective
        self.accuracy = mode is Mode.ACCURACY
        self.unique = effective.performance_issue_unique
        self.same = effective.performance_issue_same
        self.concatenates = effective.sample_concatenate_permutation and not era.is_v05
        self.has_permutations = not era.is_v05
        self.era = era
        self.length = len(loaded.indices)
        self.distinct = loaded.distinct_count
        self.offline = effective.scenario is Scenario.OFFLINE
        self.per_query = effective.samples_per_query
        if self.offline and self.accuracy:
            self.per_query = self.distinct
        self.stride = effective.samples_per_query if effective.scenario.is_multi_stream else 1
        self.stream = RandomStream(effective.sample_index_rng_seed, flavour)
        self.flavour = flavour
        self.query_count = 0
        self.duration_ns = 0
        self.schedule_ns: Integers | None = None
        self._check_same_index()

    def draw(self) -> Integers:
        """Draw everything in the published order; give each query's set position.

        The result is int64 [query_count]; for Offline it lists every sample's position.
        """
        least, span_ns = self._least_counts()
        starts = -(-self.distinct // self.stride)
        in_order = self._shuffle_if(self.accuracy, starts, consume=self.accuracy)
        unique = self._shuffle_if(self.unique, starts, consume=True)
        permuted = self._permutations(least)
        if self.concatenates and not self.accuracy:
            if self.offline:
                self.per_query = -(-self.per_query // self.length) * self.length
            else:
                least = -(-least // self.length) * self.length
        self._count_queries(least, span_ns)
        if self.offline:
            return self._offline_positions()
        return self._query_positions(in_order, unique, permuted)

    def _least_counts(self) -> tuple[int, int]:
        """Give the least number of queries and the span of time they have to cover."""
        one_pass = self.accuracy or self.unique or (self.era.is_v05 and self.same)
        if one_pass:
            return self.length // self.per_query, 0
        factor = 1 if self.effective.scenario is Scenario.SERVER else 2
        span_ns = factor * self.effective.target_duration_ms * 1_000_000
        return self.effective.min_query_count, span_ns

    def _shuffle_if(self, needed: bool, starts: int, *, consume: bool) -> Integers | None:
        """Shuffle the start positions, or only consume the draws that this would take."""
        if needed:
            return self.stream.permutation(starts) * self.stride
        if consume:
            self.stream.skip_shuffle(starts)
        return None

    def _permutations(self, least: int) -> Integers | None:
        """Shuffle one list of all positions again and again, as often as ``least`` needs.

        Since LoadGen 2.0 these draws happen whether or not anything uses them.
        """
        if not self.has_permutations:
            return None
        times = -(-least // self.length)
        used = self.concatenates and self.effective.scenario in (
            Scenario.SINGLE_STREAM,
            Scenario.SERVER,
        )
        if not used:
            self.stream.skip_shuffle(self.length, times)
            return None
        steps = self.stream.permutations(self.length, times)
        for row in range(1, times):
            steps[row] = steps[row - 1][steps[row]]
        return steps.reshape(-1)

    def _count_queries(self, least: int, span_ns: int) -> None:
        if self.effective.scenario is Scenario.SERVER:
            stream = RandomStream(self.effective.schedule_rng_seed, self.flavour)
            step = self.length if self.concatenates else 0
            due, self.duration_ns = poisson_arrivals(
                stream, self.effective.target_qps, least, span_ns, step
            )
            self.schedule_ns, self.query_count = due, len(due)
        else:
            period = int((1.0 / self.effective.target_qps) * 1e9)
            self.query_count = self._paced_count(least, span_ns, period)
            self.duration_ns = self.query_count * period
        if self.query_count < 1 or self.per_query < 1:
            raise PlanError(
                "the settings leave no query to issue: the loaded set has "
                f"{self.length} entries for queries of {self.per_query} samples; "
                "lower performance_sample_count_override or samples per query"
            )

    def _paced_count(self, least: int, span_ns: int, period_ns: int) -> int:
        """Count queries at a fixed period until both the count and the span are reached."""
        if span_ns == 0:
            return least
        if period_ns == 0:
            raise PlanError(
                f"a target rate of {self.effective.target_qps:g} queries a second leaves no "
                "time between queries; raise the expected latency"
            )
        reached = -(-span_ns // period_ns) + 1
        count = max(least, reached)
        if self.concatenates and not self.offline:
            count = least + -(-(count - least) // self.length) * self.length
        if count > MAX_QUERIES:
            raise PlanError(
                f"the settings ask for {count} pre-generated queries; raise the expected "
                "latency or lower min_duration_ms"
            )
        return count

    def _offline_positions(self) -> Integers:
        wanted = self.per_query
        if self.same:
            return np.full(wanted, self.effective.performance_issue_same_index, np.int64)
        copies, rest = divmod(wanted, self.length)
        whole = np.arange(self.length, dtype=np.int64)
        if self.concatenates and copies:
            body = self.stream.permutations(self.length, copies).reshape(-1)
        else:
            body = np.tile(whole, copies)
        one_query = np.concatenate([body, whole[:rest]])
        return np.tile(one_query, self.query_count)

    def _query_positions(
        self, in_order: Integers | None, unique: Integers | None, permuted: Integers | None
    ) -> Integers:
        count = self.query_count
        if unique is not None:
            return self._pass_over(unique, count)
        if self.same:
            return np.full(count, self.effective.performance_issue_same_index, np.int64)
        if permuted is not None:
            return np.resize(permuted, count)
        if in_order is not None:
            return self._pass_over(in_order, count)
        return self.stream.integers_below(self.distinct, count)

    def _pass_over(self, order: Integers, count: int) -> Integers:
        if count > len(order):
            raise PlanError(
                f"{count} queries are asked for, but one pass over the loaded set gives "
                f"{len(order)}"
            )
        return order[:count]

    def _check_same_index(self) -> None:
        index = self.effective.performance_issue_same_index
        if self.same and index >= self.distinct:
            raise PlanError(
                f"performance_issue_same_index is {index}, but the loaded set has "
                f"{self.distinct} samples; choose an index below that"
            )


def _gather(entries: Indices, positions: Integers, draft: _Draft) -> Indices:
    """Look up each query's consecutive set entries."""
    if draft.offline or draft.per_query == 1:
        samples: Any = entries[positions]
        return samples  # type: ignore[no-any-return]
    windows: Any = entries[(positions[:, None] + np.arange(draft.per_query)).reshape(-1)]
    return windows  # type: ignore[no-any-return]


def _logged_samples(
    effective: EffectiveSettings, mode: Mode, count: int, first_sample_id: int
) -> tuple[NDArray[np.bool_] | None, bool]:
    """Decide whose responses are logged.

    The draws come from an engine with the default seed; the accuracy-log seed only
    shifts them by an offset. That is how the published LoadGen does it.
    """
    if mode is Mode.ACCURACY:
        return None, True
    probability = _log_probability(effective)
    if probability <= 0.0:
        return None, False
    offset = float(RandomStream(effective.accuracy_log_rng_seed).canonical(1)[0])
    shifted = np.concatenate(list(_canonical_from(first_sample_id, count))) + offset
    shifted -= shifted >= 1.0
    return shifted <= probability, False


def _canonical_from(first: int, count: int) -> Iterator[NDArray[np.float64]]:
    """Draw ``count`` reals of the default engine, from draw ``first`` on."""
    stream = RandomStream(DEFAULT_SEED)
    block = 1 << 20
    for start in range(0, first, block):
        stream.words(2 * min(block, first - start))
    for start in range(0, count, block):
        yield stream.canonical(min(block, count - start))


def _log_probability(effective: EffectiveSettings) -> float:
    target = effective.accuracy_log_sampling_target
    if not target:
        return effective.accuracy_log_probability
    expected = int(effective.target_qps * effective.min_duration_ms / 1000)
    if effective.scenario is Scenario.OFFLINE:
        expected = max(expected, effective.min_sample_count)
    else:
        least = effective.min_query_count * effective.samples_per_query
        expected = max(expected * effective.samples_per_query, least)
    return target / expected
