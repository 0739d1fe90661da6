"""Part: one result of a submission with everything that its texts need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from inferometer.loadgen import Finding
from inferometer.submission.building.candidate import Candidate
from inferometer.submission.building.layout import Layout
from inferometer.submission.building.measurements import implementation_of, measurement_facts
from inferometer.submission.building.recipes import recipe_of
from inferometer.submission.building.request import SubmissionError, SubmissionRequest

__all__ = ["Part", "check_places", "part_of"]


@dataclass(frozen=True)
class Part:
    """One result with everything that its texts need."""

    candidate: Candidate
    layout: Layout
    facts: Mapping[str, str]
    recipe: Mapping[str, Any] | None
    findings: list[Finding] = field(default_factory=list)


def part_of(candidate: Candidate, request: SubmissionRequest, found: list[Finding]) -> Part:
    """Give the part of a candidate with what was found about it."""
    test, recipe = candidate.tests[0], None
    if test.is_int8 or request.calibration is not None:
        recipe = recipe_of(str(test.session.workload["name"]), request.calibration)
    facts = measurement_facts(candidate, request, recipe)
    layout = Layout(
        request.book,
        request.system_id,
        candidate.name,
        candidate.scenario,
        implementation_of(candidate, request),
    )
    return Part(candidate, layout, facts, recipe, found)


def check_places(parts: Sequence[Part]) -> None:
    """Raise `SubmissionError` if two parts would lie in one folder."""
    taken: dict[tuple[str, ...], Candidate] = {}
    for part in parts:
        other = taken.setdefault(part.layout.result, part.candidate)
        if other is not part.candidate:
            raise SubmissionError(
                f"two workloads would both be {'/'.join(part.layout.result)}; submit one of them, "
                "or name one with --benchmark"
            )
