"""Every cheat is caught by the audits named for it, and an honest system by none."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from inferometer.loadgen import Query, Scenario
from inferometer.rounds import load_rules
from inferometer.submission.audit.audit_run import WEIGHTS
from inferometer.submission.audit.bench import Bench
from inferometer.submission.audit.observation import Observation
from inferometer.submission.audit.probes import PROBES, run_probes
from inferometer.submission.audit.published_tests import PUBLISHED_TESTS
from inferometer.submission.audit.result import AuditResult, Outcome
from tests.submission.audit.honest import Honest, Simulated
from tests.submission.audit.zoo import CAUGHT_BY, UsesTheLulls

SCENARIOS = (Scenario.SINGLE_STREAM, Scenario.SERVER, Scenario.OFFLINE)
HONEST_SEEDS = range(20)
FAST_SEEDS = 1


@pytest.mark.parametrize("kind", CAUGHT_BY, ids=lambda kind: kind.__name__)
def test_every_cheat_is_caught(kind: Any) -> None:
    bench = Bench(Simulated(kind))
    found = list(run_probes(bench, SCENARIOS, CAUGHT_BY[kind]))
    failed = {one.audit for one in found if one.has_failed}
    assert failed == set(CAUGHT_BY[kind]), [(one.audit, one.seen) for one in found]


@pytest.mark.parametrize(
    "seed",
    [
        seed if seed < FAST_SEEDS else pytest.param(seed, marks=pytest.mark.slow)
        for seed in HONEST_SEEDS
    ],
)
def test_an_honest_system_with_noisy_timing_passes(seed: int) -> None:
    """A query's time spreads by 30 %, one in fifty stalls, and every start is different."""
    bench = Bench(Simulated(Honest, seed=seed + 1, noise=0.3, stalls=0.02))
    found = list(run_probes(bench, SCENARIOS))
    assert {one.audit for one in found} == set(PROBES)
    assert [(one.audit, one.seen) for one in found if one.outcome is not Outcome.PASS] == []


class BusyBench(Bench):
    """Runs tests on a machine that others keep busy."""

    def run(self, *args: Any, **options: Any) -> Observation:
        return dataclasses.replace(super().run(*args, **options), other_load=0.3)


def test_on_a_busy_machine_lulls_accuse_nobody() -> None:
    (found,) = run_probes(BusyBench(Simulated(UsesTheLulls)), (Scenario.SERVER,), ("audit.lulls",))
    assert found.outcome is Outcome.NOT_CHECKABLE
    assert "others used up to 30% of the processors" in found.seen


def test_the_zoo_is_large_enough() -> None:
    assert len(CAUGHT_BY) >= 12
    assert set().union(*CAUGHT_BY.values()) <= set(PROBES)


class Silent(Honest):
    """Never answers one of its samples."""

    def issue(self, query: Query) -> None:
        if 3 not in query.indices:
            super().issue(query)


class Broken(Honest):
    """Raises an error at its first query."""

    def issue(self, query: Query) -> None:
        raise RuntimeError("no device")


@pytest.mark.parametrize("kind", [Silent, Broken])
def test_a_system_that_fails_is_neither_accused_of_cheating_nor_passed(kind: Any) -> None:
    names = ("audit.dropped-samples", "audit.payload", "audit.few-samples")
    found = {
        one.audit: one.outcome
        for one in run_probes(Bench(Simulated(kind)), (Scenario.SINGLE_STREAM,), names)
    }
    assert found["audit.dropped-samples"] is Outcome.FAIL
    if kind is Broken:
        assert found["audit.payload"] is Outcome.FAIL
        assert found["audit.few-samples"] is Outcome.NOT_CHECKABLE


def test_every_audit_is_in_the_catalogue() -> None:
    rules = load_rules()
    published = {f"audit.{name.lower()}" for name in PUBLISHED_TESTS}
    assert published | set(PROBES) | set(WEIGHTS) <= set(rules)
    for name in published | set(PROBES) | set(WEIGHTS):
        result = AuditResult(name, Outcome.FAIL, "seen", Scenario.OFFLINE)
        for round_name in ("v0.5", "v6.1"):
            finding = result.finding(round_name)
            assert finding is not None
            assert finding.rule.id == name
            assert finding.seen == "Offline: seen"
    assert AuditResult("audit.payload", Outcome.PASS, "seen").finding() is None
