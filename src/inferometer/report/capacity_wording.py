"""Capacity in words: what was found, how sure it is, and what it took."""

from __future__ import annotations

import math

from inferometer.capacity import Found, Observation

__all__ = ["answer_of", "found_lines", "kind_of", "title_of", "word_of"]

_WELL_ABOVE = 1.3


def title_of(found: Found) -> str:
    """Name the workload, where it ran, and the scenario."""
    request = found.asked.request
    return f"{request.workload} on {request.backend}, {found.question.scenario.value}"


def word_of(one: Observation) -> str:
    """Say whether a run met its bound."""
    return "met" if one.has_met else "missed, ended early" if one.was_stopped else "missed"


def kind_of(one: Observation) -> str:
    """Give the class of a run in pictures and tables."""
    return "met" if one.has_met else "stopped" if one.was_stopped else "missed"


def answer_of(found: Found) -> str:
    """Say the load that is given, and how often it holds at least."""
    if found.load is None:
        return f"no load is given: {found.outcome.value}"
    assert found.sure_pass_share is not None
    # Never rounded up: more would be claimed than is known.
    share = math.floor(found.sure_pass_share * 100 + 1e-9) / 100
    word = found.outcome.value + ("" if found.verified else ", not verified")
    return (
        f"{found.load:,.6g} {found.question.unit}: {word}; a rerun passes at least "
        f"{share:.0%} of the time, with {found.goal.confidence:.0%} confidence"
    )


def found_lines(found: Found) -> list[str]:
    """Say what was found, how sure it is, and what it took."""
    goal, bound, estimate = found.goal, found.question.bound, found.estimate
    lines = [
        f"bound: p{bound.percentile * 100:g} within {bound.limit_ns / 1e6:g} ms",
        answer_of(found),
    ]
    if estimate is not None:
        lines.append(
            f"highest load at which {goal.pass_share:.0%} of reruns pass: {estimate.low:,.5g} to "
            f"{estimate.high:,.5g}, each end with {goal.confidence:.0%} confidence"
        )
        if found.load is not None and estimate.high > _WELL_ABOVE * found.load:
            lines.append(
                f"the interval reaches {estimate.high / found.load:.1f} times what is given: "
                "longer runs (--run-s) or a larger --budget tell more"
            )
    lines.append(_effort(found))
    if not found.question.by_the_book:
        lines.append("a run is as long as it was asked to be, not as a round asks")
    return lines


def _effort(found: Found) -> str:
    searching = sum(trial.stage == "search" for trial in found.trials)
    text = f"{searching} runs to search, {len(found.trials) - searching} to verify"
    if found.verified:
        text += f"; at the given load {found.verified} were VALID in a row"
    return f"{text}; {found.seconds:.0f} s of load"
