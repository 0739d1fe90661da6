"""Probes: the audits of our own, by id, each with the scenarios that it asks in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from inferometer.loadgen import Scenario
from inferometer.submission.audit import answers, favours, late_work, patterns
from inferometer.submission.audit.bench import Bench
from inferometer.submission.audit.result import AuditResult

__all__ = ["PROBES", "Probe", "run_probes"]

_SINGLE, _OFFLINE, _SERVER = Scenario.SINGLE_STREAM, Scenario.OFFLINE, Scenario.SERVER
_MULTI = Scenario.MULTI_STREAM


@dataclass(frozen=True)
class Probe:
    """An audit of our own: in which of the system's scenarios it is made, and how."""

    scenarios: tuple[Scenario, ...]
    run: Callable[[Bench, Scenario], AuditResult]


def _fixed(run: Callable[[Bench], AuditResult]) -> Callable[[Bench, Scenario], AuditResult]:
    """Give a probe that knows its scenario itself."""
    return lambda bench, _: run(bench)


_ALL = (_SINGLE, _MULTI, _SERVER, _OFFLINE)
_CLOSED_LOOP = (_SINGLE, _OFFLINE)

PROBES: Mapping[str, Probe] = {
    "audit.dropped-samples": Probe(_ALL, answers.coverage),
    "audit.payload": Probe(_ALL, answers.payload),
    "audit.steady-answers": Probe(_ALL, answers.steady_answers),
    "audit.empty-answers": Probe(_ALL, answers.empty_answers),
    "audit.skipped-samples": Probe((_SINGLE,), answers.skipped_samples),
    "audit.exchanged-samples": Probe(_ALL, answers.exchanged_samples),
    "audit.work-between-queries": Probe((_SINGLE,), _fixed(late_work.between_queries)),
    "audit.work-after-answers": Probe(_ALL, late_work.after_answers),
    "audit.first-asked": Probe((_SINGLE,), patterns.first_asked),
    "audit.over-time": Probe((_SINGLE,), patterns.over_time),
    "audit.lulls": Probe((_SERVER,), _fixed(patterns.lulls)),
    "audit.unlogged": Probe(_ALL, favours.unlogged),
    "audit.modes": Probe(_CLOSED_LOOP, favours.modes),
    "audit.repeated-samples": Probe((_OFFLINE,), _fixed(favours.repeated_samples)),
    "audit.few-samples": Probe(_ALL, favours.few_samples),
    "audit.reseeded": Probe((_SINGLE, _SERVER), favours.reseeded),
    "audit.query-count": Probe((_SINGLE,), favours.query_count),
    "audit.renamed": Probe(_CLOSED_LOOP, favours.renamed),
}
"""All of them, the cheapest first."""


def run_probes(
    bench: Bench, scenarios: tuple[Scenario, ...], names: tuple[str, ...] | None = None
) -> Iterator[AuditResult]:
    """Make the probes (all, or those of these names) in the scenarios asked for, in order.

    A probe whose own scenarios aren't among them is made in the first of its own: it asks
    about the system, not about a result.
    """
    for name, probe in PROBES.items():
        if names is not None and name not in names:
            continue
        wanted = [one for one in probe.scenarios if one in scenarios] or [probe.scenarios[0]]
        for scenario in wanted:
            bench.tell(f"{name} {scenario.value}")
            yield probe.run(bench, scenario)
