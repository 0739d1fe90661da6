"""Rules of the gates: what a gate that doesn't pass is found to be."""

from __future__ import annotations

from collections.abc import Mapping

from inferometer.loadgen import Rule, Severity

__all__ = ["FAILED", "GATE_RULES", "NOT_MEASURED", "NO_MATCH"]

FAILED = Rule(
    "gate.failed",
    "A gate failed",
    Severity.ERROR,
    "mend what became worse, or change the condition if this is how it shall be",
)
NOT_MEASURED = Rule(
    "gate.not-measured",
    "A gate asks for something that was not measured",
    Severity.ERROR,
    "measure it, in the baseline too, or limit the condition to what is measured",
)
NO_MATCH = Rule(
    "gate.no-match",
    "A gate is about no test that was run",
    Severity.ERROR,
    "name a workload, backend and scenario that were run, and a figure that the scenario has",
)
GATE_RULES: Mapping[str, Rule] = {rule.id: rule for rule in (FAILED, NOT_MEASURED, NO_MATCH)}
"""The catalogue, by id."""
