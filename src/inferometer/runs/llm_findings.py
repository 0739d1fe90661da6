"""Findings of language model endpoints: what failed, was sent again, or was only estimated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inferometer.loadgen import Finding, Rule, Severity

__all__ = ["LLM_RULES", "findings_of_llm"]

_FAILED = Rule(
    "llm.failed",
    "Requests to the endpoint were not answered in full",
    Severity.ERROR,
    "mend what the first one says, or lower the load; they count as answered with nothing",
)
_RETRIED = Rule(
    "llm.retried",
    "Requests were sent to the endpoint again",
    Severity.WARNING,
    "their latency counts on from the first time; find out why the server didn't answer at once",
)
_BY_CHUNKS = Rule(
    "llm.counted-by-chunks",
    "The server doesn't count its tokens; messages of the stream were counted in their place",
    Severity.WARNING,
    "a message may hold several tokens, so that token rates are lower bounds; let the server "
    "report usage (stream_options.include_usage)",
)
_ANSWERS = Rule(
    "llm.answers",
    "What the answers were like",
    Severity.INFO,
    "compare results only where prompts and answers are about as long",
)

LLM_RULES = (_FAILED, _RETRIED, _BY_CHUNKS, _ANSWERS)
"""All of them."""


def findings_of_llm(notes: Mapping[str, Any]) -> list[Finding]:
    """Give what a recording's notes say of the requests to a language model."""
    told: Mapping[str, Any] = notes.get("llm", {})
    if not told:
        return []
    found = []
    for rule, key in ((_FAILED, "failed"), (_RETRIED, "retried")):
        if told[key]:
            kinds = ", ".join(f"{kind} {count:,}" for kind, count in told[key].items())
            found.append(Finding(rule, f"{kinds}; the first: {told['first_fault']}"))
    answered, by_chunks = told["answered"], told["tokens_counted_by"].get("chunks", 0)
    if by_chunks:
        found.append(Finding(_BY_CHUNKS, f"in {by_chunks:,} of {answered:,} answers"))
    if answered:
        found.append(Finding(_ANSWERS, _answers_text(told, answered)))
    return found


def _answers_text(told: Mapping[str, Any], answered: int) -> str:
    means = [f"{told['output_tokens'] / answered:.1f} output tokens"]
    if told["prompts_counted"]:
        means.insert(0, f"{told['prompt_tokens'] / told['prompts_counted']:.1f} prompt tokens")
    reasons = ", ".join(f"{name} {count:,}" for name, count in told["finish_reasons"].items())
    return (
        f"{answered:,} answers with a mean of {' and '.join(means)}; ended by: {reasons}; "
        f"at most {told['most_in_flight']:,} in flight"
    )
