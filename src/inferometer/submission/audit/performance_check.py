"""Performance check: whether a test's performance is near enough to the submitted one."""

from __future__ import annotations

from dataclasses import dataclass

from inferometer.rounds import Audit
from inferometer.submission.audit.scores import Score

__all__ = ["PerformanceCheck", "check_performance", "check_repetition"]


@dataclass(frozen=True)
class PerformanceCheck:
    """Two scores, what they may differ by, and what speaks against the test.

    ``blocks`` tells whether that is something else than the difference of the scores.
    """

    reference: Score
    test: Score
    tolerance: float
    reasons: tuple[str, ...]
    blocks: bool = False
    names: tuple[str, str] = ("reference", "test")
    notes: tuple[str, ...] = ()

    @property
    def passes(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons

    @property
    def text(self) -> str:
        """What ``verify_performance.txt`` holds."""
        lines = [
            f"{name} score = {score.text}"
            for name, score in zip(self.names, (self.reference, self.test), strict=True)
        ]
        lines.append(f"allowed difference = {self.tolerance:.0%}")
        lines.extend(f"WARNING: {note}" for note in self.notes)
        lines.extend(f"ERROR: {reason}" for reason in self.reasons)
        lines.append("TEST PASS" if self.passes else "TEST FAIL")
        return "\n".join(lines) + "\n"


def check_performance(reference: Score, test: Score, audit: Audit) -> PerformanceCheck:
    """Compare a test's performance with the submitted one, by the audit's tolerance.

    Both have to be VALID results of the same scenario and, Server, of the same latency bound.
    Audits that aren't two-sided only mind a test that is better.
    """
    tolerance = _tolerance(audit, reference)
    reasons = _differences(reference, test)
    reasons += [
        f"the {name} result is INVALID"
        for name, score in (("reference", reference), ("test", test))
        if not score.is_valid
    ]
    blocks = bool(reasons)
    if not blocks and not _is_within(reference, test, tolerance, two_sided=audit.is_two_sided):
        times = test.times_as_good_as(reference)
        reasons.append(f"the test's performance is {times:.3f} times the reference's")
    return PerformanceCheck(
        reference, test, tolerance, tuple(reasons), blocks=blocks, notes=_notes(test)
    )


def check_repetition(unique: Score, same: Score, audit: Audit) -> PerformanceCheck:
    """Compare TEST04-A, different samples, with TEST04-B, the same one again and again.

    Only a B that is faster fails, as a cache makes it; whether the results are VALID doesn't
    matter.
    """
    tolerance = _tolerance(audit, unique)
    reasons = _differences(unique, same)
    for score, name, flag in (
        (unique, "TEST04-A", "performance_issue_unique"),
        (same, "TEST04-B", "performance_issue_same"),
    ):
        if (score.flags or {}).get(flag) is False:
            reasons.append(f"{name} was run without {flag}")
    blocks = bool(reasons)
    if not blocks and not _is_within(unique, same, tolerance, two_sided=False):
        times = same.times_as_good_as(unique)
        reasons.append(f"the same sample again and again is {times:.3f} times as fast")
    notes = []
    if not reasons and same.times_as_good_as(unique) < 1 - tolerance:
        notes.append("TEST04-B is much slower than TEST04-A")
    names = ("TEST04-A", "TEST04-B")
    return PerformanceCheck(unique, same, tolerance, tuple(reasons), blocks, names, tuple(notes))


def _tolerance(audit: Audit, reference: Score) -> float:
    return audit.tolerance_at(reference.scenario, reference.latency_ns) or 0.0


def _differences(one: Score, other: Score) -> list[str]:
    """Say what makes two results incomparable."""
    found = []
    if one.scenario is not other.scenario:
        found.append(f"the scenarios are {one.scenario.value} and {other.scenario.value}")
    if one.bound_ns != other.bound_ns:
        found.append(f"the latency bounds are {one.bound_ns} and {other.bound_ns} ns")
    return found


def _is_within(reference: Score, test: Score, tolerance: float, *, two_sided: bool) -> bool:
    """Tell whether the test is near enough; a share of the reference is what counts."""
    difference = test.value - reference.value
    if not two_sided:
        # Better is less for a latency, more for a throughput.
        difference = max(0.0, -difference if reference.is_latency else difference)
    return abs(difference) <= tolerance * reference.value


def _notes(test: Score) -> tuple[str, ...]:
    return (f"{test.error_count} errors in the test's log",) if test.error_count else ()
