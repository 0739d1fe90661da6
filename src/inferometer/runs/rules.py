"""Rules of runs: what may be found about a test besides what the load generator sees."""

from __future__ import annotations

from collections.abc import Mapping

from inferometer.loadgen import Rule, Severity
from inferometer.runs.llm_findings import LLM_RULES
from inferometer.runs.remote_findings import REMOTE_RULES

__all__ = [
    "BELOW_ROUND_TARGET",
    "BELOW_TARGET",
    "BELOW_TARGET_IN_OPEN",
    "COVERAGE",
    "CRASHED",
    "FILES_MISSING",
    "HUNG_AT_LOAD",
    "MEMORY_GROWS",
    "NOT_MEASURED",
    "NOT_MEASURED_IN_ROUND",
    "OTHER_DATA_SET",
    "PREVIEW_IN_ROUND",
    "RUN_RULES",
    "SAVED_ELSEWHERE",
    "STOOD_STILL",
]

COVERAGE = Rule(
    "run.coverage",
    "The accuracy run didn't answer every sample exactly once",
    Severity.ERROR,
    "complete every sample of the data set once; missing ones count as wrong",
)
BELOW_TARGET = Rule(
    "run.below-target",
    "The accuracy is below its target",
    Severity.ERROR,
    "use a better model, a wider number format, or a better calibration",
)
BELOW_TARGET_IN_OPEN = Rule(
    "round.open-accuracy",
    "The accuracy is below that of the closed division",
    Severity.INFO,
    "the open division takes any accuracy; it is told beside the result",
)
BELOW_ROUND_TARGET = Rule(
    "round.below-target",
    "The accuracy is below the round's target",
    Severity.ERROR,
    "use a wider number format or a better calibration, or run for the open division",
)
OTHER_DATA_SET = Rule(
    "round.other-data-set",
    "The data set isn't the benchmark's",
    Severity.WARNING,
    "a result that is submitted needs the benchmark's own data set: `inferometer fetch`",
)
NOT_MEASURED = Rule(
    "accuracy.not-measured",
    "The accuracy was not measured",
    Severity.INFO,
    "run it with the published weights and data (`inferometer fetch`), or with your own",
)
NOT_MEASURED_IN_ROUND = Rule(
    "round.accuracy-not-measured",
    "A result without accuracy counts in no round",
    Severity.ERROR,
    "run it with weights and data whose accuracy can be measured",
)
PREVIEW_IN_ROUND = Rule(
    "round.part-of-data-set",
    "A result on a part of the data set counts in no round",
    Severity.ERROR,
    "run it on the whole data set: leave out --count",
)
MEMORY_GROWS = Rule(
    "backend.memory-grows",
    "Memory grew as long as the test ran",
    Severity.WARNING,
    "find out what is kept from call to call; a longer run may not fit in memory",
)

CRASHED = Rule(
    "backend.crashed",
    "The process that ran the model died",
    Severity.ERROR,
    "try another version, other options or another backend, or keep the model in a process of "
    "its own with --isolate; crash.txt in the run folder says where it died",
)
HUNG_AT_LOAD = Rule(
    "backend.hung-at-load",
    "The model was not ready within the limit",
    Severity.ERROR,
    "see in crash.txt in the run folder where it stood still; if it only needs longer, raise "
    "--load-limit-s (0 waits for ever)",
)
STOOD_STILL = Rule(
    "backend.stood-still",
    "The process that ran the model stood still",
    Severity.ERROR,
    "see in crash.txt in the run folder where; a call that holds the interpreter lock keeps "
    "everything else from running: give such a backend a process of its own with --isolate",
)
SAVED_ELSEWHERE = Rule(
    "run.saved-elsewhere",
    "The recording could not be saved in its folder",
    Severity.WARNING,
    "make room on the disk, then move the file into the run folder",
)
FILES_MISSING = Rule(
    "run.files-missing",
    "Log files could not be written",
    Severity.WARNING,
    "make room on the disk, then run `inferometer report` on the folder again",
)

RUN_RULES: Mapping[str, Rule] = {
    rule.id: rule
    for rule in (
        COVERAGE,
        BELOW_TARGET,
        BELOW_TARGET_IN_OPEN,
        BELOW_ROUND_TARGET,
        OTHER_DATA_SET,
        NOT_MEASURED,
        NOT_MEASURED_IN_ROUND,
        PREVIEW_IN_ROUND,
        MEMORY_GROWS,
        CRASHED,
        HUNG_AT_LOAD,
        STOOD_STILL,
        SAVED_ELSEWHERE,
        FILES_MISSING,
        *REMOTE_RULES,
        *LLM_RULES,
    )
}
"""All of them, by id."""
