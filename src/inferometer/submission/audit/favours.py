"""Favours: audits that ask whether the system is faster where it knows what comes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from inferometer.loadgen import Mode, Scenario
from inferometer.submission.audit.bench import Bench
from inferometer.submission.audit.comparison import Comparison, NothingMeasured, compare
from inferometer.submission.audit.observation import Observation
from inferometer.submission.audit.result import AuditResult, failed, not_checkable, passed

__all__ = [
    "few_samples",
    "modes",
    "query_count",
    "renamed",
    "repeated_samples",
    "reseeded",
    "unlogged",
]

_SEED = 0x5DEECE66D
_SEED_STEP = 0x9E3779B97F4A7C15
_NEUTRAL_NAME = "samples"
_SAME_INDEX = 3


def repeated_samples(bench: Bench) -> AuditResult:
    """Ask for one sample again and again, Offline, and for as many different ones.

    Catches caches and the coalescing of equal queries. Source: TEST04 of round v0.5, here
    with interleaved repetitions.
    """
    count = bench.sizes(Scenario.OFFLINE).samples
    unique = bench.settings(Scenario.OFFLINE, performance_issue_unique=True)
    same = bench.settings(
        Scenario.OFFLINE,
        performance_issue_same=True,
        performance_issue_same_index=min(_SAME_INDEX, count - 1),
    )
    return _judge(
        bench,
        "audit.repeated-samples",
        Scenario.OFFLINE,
        "one sample repeated",
        f"{count} different samples",
        lambda _: bench.run(same),
        lambda _: bench.run(unique),
    )


def few_samples(bench: Bench, scenario: Scenario) -> AuditResult:
    """Draw from very few samples, and from all that are loaded.

    Unlike one sample in every query, that looks like any other test.
    """
    few = min(bench.effort.few_samples, bench.sizes(scenario).samples)
    return _judge(
        bench,
        "audit.few-samples",
        scenario,
        f"{few} samples drawn again and again",
        "all samples",
        lambda _: bench.run(bench.settings(scenario, performance_sample_count_override=few)),
        lambda _: bench.run(bench.settings(scenario)),
    )


def unlogged(bench: Bench, scenario: Scenario) -> AuditResult:
    """Keep no answer, and keep all of them."""
    nothing_kept = bench.settings(scenario, accuracy_log_probability=0.0)
    return _judge(
        bench,
        "audit.unlogged",
        scenario,
        "with no answer kept",
        "with all answers kept",
        lambda _: bench.run(nothing_kept),
        lambda _: bench.run(bench.settings(scenario)),
    )


def modes(bench: Bench, scenario: Scenario) -> AuditResult:
    """Run performance mode and accuracy mode over the same samples, all answers kept."""
    return _judge(
        bench,
        "audit.modes",
        scenario,
        "performance mode",
        "accuracy mode",
        lambda _: bench.run(bench.settings(scenario)),
        lambda _: bench.run(bench.settings(scenario, Mode.ACCURACY)),
    )


def reseeded(bench: Bench, scenario: Scenario) -> AuditResult:
    """Run with the announced seeds, and with others that change from pair to pair.

    Source: TEST05 of round v0.5, whose own seeds may be known as well.
    """

    def plain(number: int) -> Observation:
        seeds: dict[str, Any] = {
            name: (_SEED + _SEED_STEP * (3 * number + place)) % 2**64
            for place, name in enumerate(
                ("qsl_rng_seed", "sample_index_rng_seed", "schedule_rng_seed")
            )
        }
        return bench.run(bench.settings(scenario, **seeds))

    return _judge(
        bench,
        "audit.reseeded",
        scenario,
        "with the announced seeds",
        "with other seeds",
        lambda _: bench.run(bench.settings(scenario)),
        plain,
    )


def query_count(bench: Bench, scenario: Scenario) -> AuditResult:
    """Run with the usual number of queries, and longer."""
    usual = bench.settings(scenario)
    longer = usual.replace(min_query_count=int(usual.min_query_count * bench.effort.longer))
    return _judge(
        bench,
        "audit.query-count",
        scenario,
        f"with {usual.min_query_count} queries",
        f"with {longer.min_query_count}",
        lambda _: bench.run(usual),
        lambda _: bench.run(longer),
    )


def renamed(bench: Bench, scenario: Scenario) -> AuditResult:
    """Run with the benchmark's name, and with one that says nothing."""
    usual = bench.settings(scenario)
    return _judge(
        bench,
        "audit.renamed",
        scenario,
        "under its own name",
        f"with the samples called {_NEUTRAL_NAME!r}",
        lambda _: bench.run(usual),
        lambda _: bench.renamed(usual, _NEUTRAL_NAME),
    )


def _judge(
    bench: Bench,
    audit: str,
    scenario: Scenario,
    favoured_words: str,
    plain_words: str,
    favoured: Callable[[int], Observation],
    plain: Callable[[int], Observation],
) -> AuditResult:
    try:
        found = compare(favoured, plain, bench.effort)
    except NothingMeasured as trouble:
        return not_checkable(audit, scenario, str(trouble))
    seen = f"{favoured_words} {found} (as {plain_words})"
    if found.is_too_noisy:
        return not_checkable(audit, scenario, f"too noisy to tell: {seen}")
    figures = _figures(found)
    make = failed if found.is_suspicious else passed
    return make(audit, scenario, seen, **figures)


def _figures(found: Comparison) -> dict[str, Any]:
    values: dict[str, Any] = dataclasses.asdict(found)
    return values
