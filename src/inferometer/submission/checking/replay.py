"""Replay: the samples of a run, computed anew from the seeds and compared with the logs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import IntegerFlavour, Scenario
from inferometer.loadgen.random_stream import RandomStream
from inferometer.logs import ACCURACY_LOG, DETAIL_LOG
from inferometer.submission.checking.notebook import Notebook
from inferometer.submission.checking.numbers import count_in
from inferometer.submission.checking.run_logs import RunLogs
from inferometer.submission.checking.shuffles import MOST_SHUFFLED, CppLibrary, shuffled

__all__ = ["Library", "check_accuracy_order", "check_loaded_set", "check_logged_samples"]

_MOST_LOGGED_AHEAD = 5_000_000
_MOST_SETS = 200_000

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Library:
    """What a detail log says of the sample library and of how samples are drawn from it.

    Since LoadGen 6.0.6 a performance run loads the library's first samples, before that any
    of them: ``total`` is how many there are to choose from.
    """

    total: int
    loaded: int
    qsl_seed: int
    index_seed: int
    samples_per_query: int
    scenario: Scenario

    @classmethod
    def of(cls, run: RunLogs, scenario: Scenario) -> Library | str:
        """Read it from the logs of a test, or say why the test can't be replayed."""
        names = ("performance_sample_count", "qsl_rng_seed", "sample_index_rng_seed")
        values = [count_in(run.setting(name)) for name in (*names, "samples_per_query")]
        total = run.total_sample_count
        if total is not None and not run.is_v05:
            is_accuracy = run.setting("test_mode") == "AccuracyOnly"
            name = "accuracy_sample_count" if is_accuracy else "performance_sample_count"
            total = min(total, count_in(run.setting(name)) or total)
        if total is None or any(value is None for value in values):
            return "no detail log that states the library's size and the seeds"
        if not 0 < total <= MOST_SHUFFLED:
            return f"a library of {total:,} samples; at most {MOST_SHUFFLED:,} are replayed"
        loaded, qsl_seed, index_seed, per_query = (value or 0 for value in values)
        if not 0 < per_query <= MOST_SHUFFLED and scenario is Scenario.MULTI_STREAM:
            return f"queries of {per_query:,} samples aren't replayed"
        if total > _MOST_SETS * max(1, loaded):
            return f"{total:,} samples in sets of {loaded:,} are more sets than are replayed"
        return cls(total, max(1, loaded), qsl_seed, index_seed, per_query, scenario)

    def sets(self, cpp: CppLibrary) -> list[Indices]:
        """Give the loaded sets in order, each with the repetition that MultiStream adds."""
        order = shuffled(cpp, self.qsl_seed, self.total)
        chunks = [order[at : at + self.loaded] for at in range(0, self.total, self.loaded)]
        if self.scenario is not Scenario.MULTI_STREAM:
            return chunks
        padding = self.samples_per_query - 1
        return [np.concatenate([chunk, np.resize(chunk, padding)]) for chunk in chunks]

    def accuracy_samples(self, cpp: CppLibrary) -> Indices:
        """Give the sample of each answer in accuracy mode, by sequence id."""
        if self.scenario is Scenario.OFFLINE:
            return np.concatenate(self.sets(cpp))
        is_multi = self.scenario is Scenario.MULTI_STREAM
        width = self.samples_per_query if is_multi else 1
        parts = []
        for loaded in self.sets(cpp):
            distinct = len(loaded) - width + 1
            starts = shuffled(cpp, self.index_seed, -(-distinct // width)) * width
            starts = starts[: len(loaded) // width]
            parts.append(loaded[starts[:, np.newaxis] + np.arange(width)].reshape(-1))
        return np.concatenate(parts)


def check_loaded_set(
    run: RunLogs, scenario: Scenario, cpp: CppLibrary | None, notebook: Notebook
) -> CppLibrary | None:
    """Check which samples a performance run loaded; give the C++ library that explains them.

    ``cpp`` is the one that explains a run before, if one does.
    """
    rule_id, where = "replay.loaded-set", (*run.parts, DETAIL_LOG)
    library = Library.of(run, scenario)
    if isinstance(library, str):
        notebook.cannot(rule_id, where, library)
        return None
    logged = run.first_loaded_set
    if not len(logged):
        notebook.cannot(rule_id, where, "the detail log lists no loaded samples")
        return None
    is_set = bool(
        len(logged) >= min(library.loaded, library.total) and logged.max() < library.total
    )
    for one in _likely_first(cpp) if is_set else ():
        if np.array_equal(library.sets(one)[0], logged):
            notebook.passes(rule_id, where, f"{len(logged):,} samples as {one.value} draws them")
            return one
    notebook.fails(
        rule_id, where, f"{len(logged):,} samples that seed {library.qsl_seed} doesn't give"
    )
    return None


def check_accuracy_order(
    run: RunLogs,
    scenario: Scenario,
    answers: tuple[Indices, Indices],
    cpp: CppLibrary | None,
    notebook: Notebook,
) -> None:
    """Check which sample each answer of an accuracy run belongs to.

    ``answers`` are the sequence ids and the library indices of the accuracy log; ``cpp`` is
    the C++ library that explains the performance runs, if one does.
    """
    rule_id, where = "replay.accuracy-order", (*run.parts, ACCURACY_LOG)
    library = Library.of(run, scenario)
    if isinstance(library, str):
        notebook.cannot(rule_id, where, library)
        return
    ids, indices = answers
    can_fit = bool(len(ids)) and int(ids.min()) >= 0 and int(indices.max()) < library.total
    for candidate in _likely_first(cpp) if can_fit else ():
        if _fits(library.accuracy_samples(candidate), answers):
            notebook.passes(rule_id, where, f"as {candidate.value} draws them")
            return
    notebook.fails(
        rule_id,
        where,
        f"an order that seeds {library.qsl_seed} and {library.index_seed} don't give",
    )


def check_logged_samples(
    run: RunLogs,
    scenario: Scenario,
    answers: tuple[Indices, Indices],
    cpp: CppLibrary | None,
    notebook: Notebook,
) -> None:
    """Check the samples that a performance run logged, if it logged any.

    ``cpp`` is the C++ library that explains what the run loaded, if one does.
    """
    rule_id, where = "replay.performance-samples", (*run.parts, ACCURACY_LOG)
    ids, _ = answers
    if not len(ids):
        return
    library = Library.of(run, scenario)
    if isinstance(library, str):
        notebook.cannot(rule_id, where, library)
        return
    if int(ids.max()) >= _MOST_LOGGED_AHEAD:
        notebook.cannot(rule_id, where, "answers too late in the run to be replayed")
        return
    is_right = int(ids.min()) >= 0 and any(
        _fits(_performance_samples(library, one, flavour, int(ids.max()) + 1), answers)
        for one, flavour in _IN_BULK.items()
    )
    if is_right or cpp in _IN_BULK:
        notebook.judge(rule_id, where, is_right, f"{len(ids):,} logged answers")
    else:
        notebook.cannot(
            rule_id, where, "not those of a newer libstdc++; other libraries aren't replayed"
        )


_IN_BULK = {
    CppLibrary.LIBSTDCXX: IntegerFlavour.SCALING,
    CppLibrary.LIBSTDCXX_NEW: IntegerFlavour.LEMIRE,
}


def _performance_samples(
    library: Library, cpp: CppLibrary, flavour: IntegerFlavour, count: int
) -> Indices:
    """Give the samples of the first ``count`` sequence ids of a performance run."""
    loaded = library.sets(cpp)[0]
    if library.scenario is Scenario.OFFLINE:
        return np.resize(loaded, count)
    width = library.samples_per_query if library.scenario is Scenario.MULTI_STREAM else 1
    distinct = len(loaded) - width + 1
    stream = RandomStream(library.index_seed, flavour)
    stream.skip_shuffle(-(-distinct // width))
    starts = stream.integers_below(distinct, -(-count // width))
    samples: Indices = loaded[starts[:, np.newaxis] + np.arange(width)].reshape(-1)
    return samples


def _likely_first(cpp: CppLibrary | None) -> Sequence[CppLibrary]:
    return sorted(CppLibrary, key=lambda one: one is not cpp)


def _fits(samples: Indices, answers: tuple[Indices, Indices]) -> bool:
    """Tell whether each answer belongs to the sample that its sequence id stands for."""
    ids, indices = answers
    if not len(ids) or int(ids.min()) < 0 or int(ids.max()) >= len(samples):
        return False
    return bool(np.array_equal(samples[ids], indices))
