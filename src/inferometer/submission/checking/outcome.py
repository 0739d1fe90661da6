"""Outcome: what one check of one result came to, and the report of a whole tree."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from inferometer.loadgen import Finding, Rule, Severity
from inferometer.submission.checking.published import PublishedTree
from inferometer.submission.places import ResultPlace

__all__ = ["Check", "Outcome", "ResultReport", "TreeReport"]


class Outcome(enum.Enum):
    """What came of looking at one rule."""

    PASS = "pass"
    FAIL = "fail"
    NOT_CHECKABLE = "not checkable"
    DECLARED = "declared"


@dataclass(frozen=True)
class Check:
    """A rule that was looked at: in which file or folder, with what result, and what was seen.

    ``where`` is below the root of the tree. Both texts can be printed as they are.
    """

    rule: Rule
    outcome: Outcome
    where: str
    seen: str

    @property
    def finding(self) -> Finding | None:
        """The finding, if the check failed."""
        return Finding(self.rule, self.seen) if self.outcome is Outcome.FAIL else None

    @property
    def is_error(self) -> bool:
        """Whether the check failed and that spoils the result."""
        return self.outcome is Outcome.FAIL and self.rule.severity is Severity.ERROR

    def to_mapping(self) -> dict[str, str]:
        """Give plain names and values, ready for JSON."""
        return {
            "rule": self.rule.id,
            "title": self.rule.title,
            "severity": self.rule.severity.value,
            "outcome": self.outcome.value,
            "where": self.where,
            "seen": self.seen,
            "remedy": self.rule.remedy,
        }


@dataclass(frozen=True)
class ResultReport:
    """Everything that was found out about one result.

    benchmark, scenario:
        Their names in the round; empty if the folder's name is none.
    metric, value:
        What the headline figure is, and the figure; ``None`` if there is none.
    accuracy:
        As stated in ``accuracy.txt``; empty if it states none.
    recomputed:
        As computed anew from the answers; empty where that wasn't possible.
    """

    place: ResultPlace
    benchmark: str
    scenario: str
    metric: str
    value: float | None
    accuracy: str
    recomputed: str
    checks: tuple[Check, ...]

    @property
    def is_good(self) -> bool:
        """Whether something was checked, and nothing speaks against the result."""
        passed = any(check.outcome is Outcome.PASS for check in self.checks)
        return passed and not any(check.is_error for check in self.checks)

    @property
    def findings(self) -> list[Check]:
        """The checks that failed, the gravest first."""
        return sorted(
            (check for check in self.checks if check.outcome is Outcome.FAIL), key=_gravity
        )

    def to_mapping(self) -> dict[str, Any]:
        """Give plain names and values, ready for JSON."""
        return {
            "division": self.place.division,
            "submitter": self.place.submitter,
            "system": self.place.system,
            "benchmark": self.place.benchmark,
            "scenario": self.place.scenario,
            "official_benchmark": self.benchmark,
            "official_scenario": self.scenario,
            "metric": self.metric,
            "value": self.value,
            "accuracy": self.accuracy,
            "recomputed_accuracy": self.recomputed,
            "is_good": self.is_good,
            "checks": [check.to_mapping() for check in self.checks],
        }


@dataclass(frozen=True)
class TreeReport:
    """What came of checking a tree: each result, what belongs to none, the published verdict."""

    tree: str
    round_name: str
    results: tuple[ResultReport, ...]
    checks: tuple[Check, ...]
    published: PublishedTree

    @property
    def is_good(self) -> bool:
        """Whether there are results and no check found an error."""
        return (
            bool(self.results)
            and all(result.is_good for result in self.results)
            and not any(check.is_error for check in self.checks)
        )

    def all_checks(self) -> Iterator[Check]:
        """Give the checks of the tree and of all results."""
        yield from self.checks
        for result in self.results:
            yield from result.checks

    def findings(self) -> list[Check]:
        """Give the checks that failed, the gravest first, those of one rule together.

        What several results have in common, such as their system, is there once.
        """
        failed = (check for check in self.all_checks() if check.outcome is Outcome.FAIL)
        found = list(dict.fromkeys(failed))
        return sorted(found, key=lambda check: (_gravity(check), check.rule.id))

    def counts(self) -> Counter[str]:
        """Count the checks by what came of them."""
        return Counter(check.outcome.value for check in self.all_checks())

    def to_mapping(self) -> dict[str, Any]:
        """Give plain names and values, ready for JSON."""
        return {
            "tree": self.tree,
            "round": self.round_name,
            "is_good": self.is_good,
            "counts": dict(self.counts()),
            "published": self.published.to_mapping(),
            "checks": [check.to_mapping() for check in self.checks],
            "results": [result.to_mapping() for result in self.results],
        }


_ORDER = [Severity.ERROR, Severity.WARNING, Severity.INFO]


def _gravity(check: Check) -> int:
    return _ORDER.index(check.rule.severity)
