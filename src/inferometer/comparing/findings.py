"""Findings of comparisons: what keeps two options from being compared, and what weakens it."""

from __future__ import annotations

from collections.abc import Mapping

from inferometer.loadgen import Finding, Rule, Severity

__all__ = ["COMPARISON_RULES", "finding_of"]

_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

_RULES = (
    Rule(
        "compare.task",
        "They do different tasks",
        _ERROR,
        "compare options that do the same task and are scored by the same metric",
    ),
    Rule(
        "compare.data",
        "They were measured on different samples",
        _ERROR,
        "measure both on the same data set, as many samples of it, prepared alike",
    ),
    Rule(
        "compare.scenario",
        "There is no scenario in which all were measured",
        _ERROR,
        "measure them in the same scenarios: `inferometer run --scenario …`",
    ),
    Rule(
        "compare.metric",
        "They are told by different metrics",
        _ERROR,
        "measure both with the same era and the same percentile",
    ),
    Rule(
        "compare.load",
        "They were asked to do different work",
        _ERROR,
        "give both the same rate, bound and samples a query, such as by --target-qps",
    ),
    Rule(
        "compare.failed",
        "An option could not be measured",
        _ERROR,
        "see the finding in its session folder; the others are compared without it",
    ),
    Rule(
        "compare.invalid",
        "Runs were INVALID",
        _WARNING,
        "see in the report of the run why, and mend that before you decide from it",
    ),
    Rule(
        "compare.single-run",
        "How much runs vary isn't known, as there is one of each",
        _WARNING,
        "measure them interleaved with `inferometer compare`, or give folders of several runs",
    ),
    Rule(
        "compare.not-interleaved",
        "They were measured one after the other",
        _WARNING,
        "what changed on the machine in between is part of the difference; measure them "
        "interleaved with `inferometer compare`",
    ),
    Rule(
        "compare.few-runs",
        "There are too few runs for an interval",
        _WARNING,
        "give it more time (--budget) or more blocks (--blocks)",
    ),
    Rule(
        "compare.machine",
        "They ran on different machines",
        _WARNING,
        "the difference is that of machine and option together; run both on one machine to "
        "tell them apart",
    ),
    Rule(
        "compare.governor",
        "The frequency governor differs",
        _WARNING,
        "set the same one for both: cpupower frequency-set -g performance",
    ),
    Rule(
        "compare.frequency",
        "The processor ran at different frequencies",
        _WARNING,
        "fix the frequency, let the machine cool down, or measure them interleaved",
    ),
    Rule(
        "compare.other-load",
        "Other programs used the processor meanwhile",
        _WARNING,
        "stop them and compare again; the intervals are wider than they need to be",
    ),
    Rule(
        "compare.unequal-load",
        "Other programs used the processor more during one than during the other",
        _WARNING,
        "stop them and measure both again, or measure them interleaved",
    ),
    Rule(
        "compare.steal",
        "The host of this virtual machine took processor time away",
        _WARNING,
        "use a machine of its own, or more blocks; see how the blocks vary",
    ),
    Rule(
        "compare.throttled",
        "A quota kept the process from running",
        _WARNING,
        "raise the container's processor quota, or use fewer threads and workers",
    ),
    Rule(
        "compare.memory-pressure",
        "Memory was short",
        _WARNING,
        "free memory: what was measured may be the disk",
    ),
    Rule(
        "compare.threads",
        "They used different numbers of threads or workers",
        _WARNING,
        "set the same --threads and --workers, unless that is what you compare",
    ),
    Rule(
        "compare.affinity",
        "They might use different processors",
        _WARNING,
        "start both with the same taskset, container limits and environment",
    ),
    Rule(
        "compare.versions",
        "Versions differ",
        _WARNING,
        "use the same versions for both, unless they are what you compare",
    ),
    Rule(
        "compare.code",
        "The code that measured differs",
        _WARNING,
        "measure both with the same release and the same files of your own",
    ),
    Rule(
        "compare.model",
        "The models differ, though nobody asked for that",
        _WARNING,
        "give both the same model file, or name the difference that you mean",
    ),
    Rule(
        "compare.precision",
        "They compute in different number formats, though nobody asked for that",
        _WARNING,
        "ask for the same --number-format, and see what each backend was found to run",
    ),
    Rule(
        "compare.label",
        "One was run by the book and the other was not",
        _WARNING,
        "run both alike: the number of queries and how a run ends differ",
    ),
    Rule(
        "compare.warm-up",
        "Runs began at another speed than they went on with",
        _WARNING,
        "make each run longer (--seconds), so that its beginning matters less",
    ),
    Rule(
        "compare.drift",
        "The machine changed its speed in the course of the comparison",
        _WARNING,
        "let it settle first; interleaving keeps this out of the ratios, not out of the values",
    ),
    Rule(
        "compare.outlier",
        "A run stands apart from the others",
        _INFO,
        "it is kept: the ratio hardly moves by it; see in its folder what happened",
    ),
)

COMPARISON_RULES: Mapping[str, Rule] = {rule.id: rule for rule in _RULES}
"""Everything that is said about a comparison, by id."""


def finding_of(name: str, seen: str) -> Finding:
    """Give a finding by the last part of its rule's id, with what was seen."""
    return Finding(COMPARISON_RULES[f"compare.{name}"], seen)
