"""The zoo: systems that cheat, each in one way, each a real system under test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import Mode, Query, Scenario, Settings, derive, loadable_sets, make_plan
from inferometer.workloads import InputLibrary
from tests.submission.audit.honest import DEFAULT, SAMPLES, WORK_NS, Honest, Machine, Photos
from tests.support import V05_SEEDS

HIT = 0.02
"""What an answer that is there already costs, as a share of the work."""


class CachesAnswers(Honest):
    """Keeps every answer, and gives it again."""

    name = "caches answers by sample"

    def __init__(self, machine: Machine, library: InputLibrary):
        super().__init__(machine, library)
        self.kept: dict[int, np.float32] = {}
        self.query_count = 0

    def issue(self, query: Query) -> None:
        self.query_count += 1
        super().issue(query)

    def work_ns(self, query: Query) -> float:
        work = 0.0
        for index in query.indices.tolist():
            work += HIT if self.uses_cache(index) and index in self.kept else 1.0
            if index not in self.kept:
                self.kept[index] = self.compute(np.array([index]))[0]
        return WORK_NS * work

    def answers(self, query: Query) -> Any:
        given = [
            self.kept[index] if self.uses_cache(index) else self.compute(np.array([index]))[0]
            for index in query.indices.tolist()
        ]
        return np.array(given, np.float32).reshape(-1, 1)

    def uses_cache(self, index: int) -> bool:
        return True


class CachesAfterAWhile(CachesAnswers):
    """Begins to use its cache only when a short audit would be over."""

    name = "caches only after a while"

    def uses_cache(self, index: int) -> bool:
        return self.query_count > SAMPLES // 2


class NoticesRepetition(CachesAnswers):
    """Doesn't use its cache where one sample comes again and again, as in an audit."""

    name = "recognises the audit by equal indices in a row"

    def issue(self, query: Query) -> None:
        self.looks_like_audit = len(np.unique(query.indices)) == 1 and len(query) > 1
        super().issue(query)

    def uses_cache(self, index: int) -> bool:
        return not self.looks_like_audit


class CoalescesEqualQueries(Honest):
    """Computes equal samples that wait together only once."""

    name = "coalesces equal queries"

    def work_ns(self, query: Query) -> float:
        return WORK_NS * len(np.unique(query.indices))


class AnswersEarly(Honest):
    """Answers at once where nobody keeps the answer, and computes afterwards."""

    name = "answers early and computes later"

    def issue(self, query: Query) -> None:
        if query.wants_responses:
            super().issue(query)
            return
        self.machine.clock.call_later(WORK_NS // 20, query.complete)
        self.machine.does(WORK_NS * len(query), lambda: None, len(query))


class WorksBetweenQueries(Honest):
    """Answers at once where nobody keeps the answer, and computes before it takes a next one."""

    name = "answers, then computes before it takes the next query"

    def issue(self, query: Query) -> None:
        if query.wants_responses:
            super().issue(query)
            return
        self.machine.clock.advance(WORK_NS // 20)
        query.complete()
        self.machine.clock.advance(WORK_NS * len(query))
        self.machine.busy_ns += WORK_NS * len(query)


class KnowsTheMode(Honest):
    """Tells accuracy mode by its order: every sample once, no repetition."""

    def __init__(self, machine: Machine, library: InputLibrary):
        super().__init__(machine, library)
        seeds = {
            "qsl_rng_seed": V05_SEEDS["qsl_rng_seed"],
            "sample_index_rng_seed": V05_SEEDS["sample_index_rng_seed"],
        }
        settings = Settings(
            Scenario.SINGLE_STREAM,
            Mode.ACCURACY,
            performance_sample_count_override=SAMPLES,
            accuracy_sample_count_override=SAMPLES,
            **seeds,
        )
        effective = derive(settings, library.total_sample_count, SAMPLES)
        loaded = loadable_sets(effective, Mode.ACCURACY, library.total_sample_count)[0]
        self._in_accuracy = make_plan(effective, Mode.ACCURACY, loaded).sample_indices
        self.is_accuracy = True

    def issue(self, query: Query) -> None:
        expected = self._in_accuracy[query.id : query.id + len(query)]
        if len(query) == 1 and not np.array_equal(expected, query.indices):
            self.is_accuracy = False
        super().issue(query)


class RightOnlyInAccuracyMode(KnowsTheMode):
    """Gives wrong classes in performance mode, whose first byte is right."""

    name = "right only in accuracy mode"

    def compute(self, indices: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        right = super().compute(indices)
        return right if self.is_accuracy else np.float32(999.0) - right


class CheaperInPerformanceMode(KnowsTheMode):
    """Runs a model in performance mode that costs less and is wrong more often."""

    name = "cheaper model in performance mode"

    def work_ns(self, query: Query) -> float:
        return super().work_ns(query) * (1.0 if self.is_accuracy else 0.5)

    def compute(self, indices: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        right = super().compute(indices)
        wrong = (indices % 10 == 0) & (not self.is_accuracy)
        return np.where(wrong, np.float32(1.0), right).astype(np.float32)


class CheaperWhenNobodyLooks(Honest):
    """Runs a model that costs less where no answer is kept."""

    name = "cheaper model where no answer is kept"

    def work_ns(self, query: Query) -> float:
        return super().work_ns(query) * (1.0 if query.wants_responses else 0.5)


class KnowsTheSeeds(Honest):
    """Works out from the announced seeds which sample comes next, and has it ready."""

    name = "knows the seeds"

    def __init__(self, machine: Machine, library: InputLibrary):
        super().__init__(machine, library)
        settings = Settings(
            Scenario.SINGLE_STREAM, performance_sample_count_override=SAMPLES, **V05_SEEDS
        ).replace(min_query_count=SAMPLES, min_duration_ms=0)
        effective = derive(settings, library.total_sample_count, SAMPLES)
        loaded = loadable_sets(effective, Mode.PERFORMANCE, library.total_sample_count)[0]
        self._coming = make_plan(effective, Mode.PERFORMANCE, loaded).sample_indices

    def work_ns(self, query: Query) -> float:
        expected = self._coming[query.id : query.id + 1]
        known = len(query) == 1 and query.index in expected
        return super().work_ns(query) * (0.3 if known else 1.0)


class KnowsTheQueryCount(Honest):
    """Gives all it has for as many queries as a test has, and has to rest then."""

    name = "knows the query count"

    def work_ns(self, query: Query) -> float:
        return super().work_ns(query) * (0.7 if query.id < SAMPLES else 1.3)


class ComputesAtLoad(Honest):
    """Computes the answers while samples are loaded, before the clock starts."""

    name = "slows before the clock starts"

    def __init__(self, machine: Machine, library: InputLibrary):
        super().__init__(machine, library)
        self._ready: dict[int, np.float32] = {}
        load = library.load

        def load_and_compute(indices: NDArray[np.int64]) -> None:
            load(indices)
            distinct = np.unique(indices)
            answers = Honest.compute(self, distinct)
            self._ready = dict(zip(distinct.tolist(), answers, strict=True))
            machine.clock.advance(WORK_NS * len(distinct))

        library.load = load_and_compute  # type: ignore[method-assign]

    def work_ns(self, query: Query) -> float:
        return super().work_ns(query) * HIT

    def compute(self, indices: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        return np.array([self._ready[index] for index in indices.tolist()], np.float32)


class BringsAnswersAlong(Honest):
    """Has the answers of the published data set in a table, by index."""

    name = "brings precomputed answers along"

    def __init__(self, machine: Machine, library: InputLibrary):
        super().__init__(machine, library)
        published = Photos()
        self._table = Honest(machine, published).compute(np.arange(published.total_sample_count))

    def work_ns(self, query: Query) -> float:
        return super().work_ns(query) * HIT

    def compute(self, indices: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        table: NDArray[np.float32] = self._table[indices]
        return table


class SkipsHardSamples(Honest):
    """Doesn't compute samples that it finds hard, and says the same for all of them."""

    name = "skips hard samples"

    def _hard(self, query: Query) -> NDArray[np.bool_]:
        contents = self.library.inputs(query.indices)["content"]
        hard: NDArray[np.bool_] = contents % 16 == 0
        return hard

    def work_ns(self, query: Query) -> float:
        hard = self._hard(query)
        return WORK_NS * float(np.where(hard, HIT, 1.0).sum())

    def answers(self, query: Query) -> Any:
        found = super().answers(query)
        found[self._hard(query)] = np.frombuffer(DEFAULT, "<f4")
        return found


class DropsSamples(KnowsTheMode):
    """Answers every tenth query of performance mode with nothing, in no time."""

    name = "drops samples quietly"

    def work_ns(self, query: Query) -> float:
        return super().work_ns(query) * (HIT if self._drops(query) else 1.0)

    def answers(self, query: Query) -> Any:
        return [b""] * len(query) if self._drops(query) else super().answers(query)

    def _drops(self, query: Query) -> bool:
        return not self.is_accuracy and query.id % 10 == 9


class UsesTheLulls(Honest):
    """Prepares answers of loaded samples while nothing is asked of it."""

    name = "tunes to the schedule's lulls"

    def __init__(self, machine: Machine, library: InputLibrary):
        super().__init__(machine, library)
        self._answered_at = machine.clock.now_ns()

    def issue(self, query: Query) -> None:
        lull_ns = self.machine.clock.now_ns() - self._answered_at
        is_ready = self.machine.is_idle and lull_ns > 3 * WORK_NS
        work_ns = WORK_NS * len(query) * (0.3 if is_ready else 1.0)

        def complete() -> None:
            self._answered_at = self.machine.clock.now_ns()
            query.complete(self.answers(query))

        self.machine.does(work_ns, complete, len(query))


class KnowsTheName(Honest):
    """Is tuned for one benchmark, which it tells by the name of the samples."""

    name = "recognises the benchmark by its name"

    def work_ns(self, query: Query) -> float:
        known = self.library.name == Photos.name
        return super().work_ns(query) * (0.6 if known else 1.0)


CAUGHT_BY: dict[Callable[[Machine, InputLibrary], Any], tuple[str, ...]] = {
    CachesAnswers: ("audit.repeated-samples", "audit.few-samples", "audit.first-asked"),
    CachesAfterAWhile: ("audit.first-asked", "audit.over-time"),
    NoticesRepetition: ("audit.few-samples", "audit.first-asked"),
    CoalescesEqualQueries: ("audit.repeated-samples",),
    AnswersEarly: ("audit.unlogged", "audit.work-after-answers"),
    WorksBetweenQueries: ("audit.unlogged", "audit.work-between-queries"),
    RightOnlyInAccuracyMode: ("audit.payload",),
    CheaperInPerformanceMode: ("audit.payload", "audit.modes"),
    CheaperWhenNobodyLooks: ("audit.unlogged",),
    KnowsTheSeeds: ("audit.reseeded",),
    KnowsTheQueryCount: ("audit.query-count",),
    ComputesAtLoad: ("audit.exchanged-samples",),
    BringsAnswersAlong: ("audit.exchanged-samples",),
    SkipsHardSamples: ("audit.skipped-samples",),
    DropsSamples: ("audit.payload", "audit.empty-answers"),
    UsesTheLulls: ("audit.lulls",),
    KnowsTheName: ("audit.renamed",),
}
"""Each cheat, and the audits that have to fail."""
