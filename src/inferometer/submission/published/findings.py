"""Findings of reading a round in: what was odd about a result, without judging it anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from inferometer.loadgen import Finding, Rule, Severity

__all__ = ["READING_RULES", "odd", "without_repetition"]

_W, _I = Severity.WARNING, Severity.INFO
_MOST_OF_A_RULE = 5

_ENTRIES = (
    Rule(
        "published.system-missing",
        "No system description belongs to the result",
        _W,
        "add systems/<system>.json, named like the folder of the results",
    ),
    Rule(
        "published.system-elsewhere",
        "The system description has another name than the folder of the results",
        _I,
        "name both alike",
    ),
    Rule(
        "published.system-damaged",
        "The system description can't be read",
        _W,
        "mend the JSON file",
    ),
    Rule(
        "published.submitter-differs",
        "The system description names another submitter than the folder",
        _I,
        "write the folder's name into the description",
    ),
    Rule(
        "published.division-differs",
        "The system description names another division than the folder",
        _I,
        "write the folder's name, in lower case, into the description",
    ),
    Rule(
        "published.status-unknown",
        "The availability is none of available, preview and rdi",
        _I,
        "write one of the three words into the description's status",
    ),
    Rule(
        "published.processor-unknown",
        "The kind of processor can't be told from the description",
        _I,
        "name the accelerator's make and model, or FPGA, DSP, GPU or CPU, in the description",
    ),
    Rule(
        "published.framework-unknown",
        "The framework is of no known family",
        _I,
        "nothing needs doing; it is kept as it was written",
    ),
    Rule(
        "published.measurement-missing",
        "No measurement description belongs to the result",
        _W,
        "add measurements/<system>/<benchmark>/<scenario>/<system>_<implementation>.json",
    ),
    Rule(
        "published.measurement-elsewhere",
        "The measurement description lies in a folder of another name",
        _I,
        "name the folders below results and measurements alike",
    ),
    Rule(
        "published.measurement-damaged",
        "The measurement description can't be read",
        _W,
        "mend the JSON file",
    ),
    Rule(
        "published.measurement-ambiguous",
        "Several measurement descriptions differ in what the weights are",
        _W,
        "keep one description a result",
    ),
    Rule(
        "published.precision-unknown",
        "The number format of the weights can't be told",
        _I,
        "write formats such as int8 or fp16 into weight_data_types",
    ),
    Rule(
        "published.benchmark-name",
        "The benchmark has another name than the closed division asks for",
        _W,
        "use the round's name for the folder",
    ),
    Rule(
        "published.benchmark-unknown",
        "The round has no benchmark of this name",
        _I,
        "nothing needs doing in the open division; no target applies",
    ),
    Rule(
        "published.scenario-unknown",
        "The folder is named after no scenario",
        _W,
        "name it SingleStream, MultiStream, Server or Offline",
    ),
    Rule(
        "published.scenario-differs",
        "The log was written in another scenario than its folder says",
        _W,
        "move the log to the folder of its scenario",
    ),
    Rule(
        "published.folder-name",
        "A folder has another name than the layout asks for",
        _I,
        "rename it",
    ),
    Rule(
        "published.run-missing",
        "There is no performance run",
        _W,
        "add performance/run_1 with the logs of LoadGen",
    ),
    Rule(
        "published.runs-too-few",
        "There are fewer performance runs than the round asks for",
        _W,
        "add the missing runs",
    ),
    Rule(
        "published.log-missing",
        "A performance run has no summary log",
        _W,
        "add the logs that LoadGen wrote",
    ),
    Rule(
        "published.log-damaged",
        "A log can't be read, or lacks its number",
        _W,
        "add the log as LoadGen wrote it",
    ),
    Rule(
        "published.run-invalid",
        "A performance run is not VALID",
        _W,
        "run it again with settings that it meets",
    ),
    Rule(
        "published.accuracy-missing",
        "There is no accuracy.txt",
        _W,
        "add what the accuracy script printed",
    ),
    Rule(
        "published.accuracy-unreadable",
        "accuracy.txt holds no line with an accuracy",
        _W,
        "add the script's line, such as accuracy=76.456%, good=38228, total=50000",
    ),
    Rule(
        "published.accuracy-partial",
        "The accuracy is over another number of samples than the data set has",
        _W,
        "score the whole data set",
    ),
    Rule(
        "published.accuracy-below-target",
        "The accuracy is below the closed division's target",
        _W,
        "the closed division asks for the target; the open one only that it is told",
    ),
    Rule(
        "published.file-left-alone",
        "A file was left alone",
        _W,
        "put the file itself there, under a plain name",
    ),
    Rule(
        "own.accuracy-of-other-scenario",
        "The accuracy was measured in another scenario of the same session",
        _I,
        "nothing needs doing; the model and the framework are the same",
    ),
    Rule(
        "own.runs-differ",
        "Runs of the scenario were made with different settings",
        _W,
        "the result is the worst of them; give each setting a session of its own",
    ),
)

READING_RULES: Mapping[str, Rule] = {rule.id: rule for rule in _ENTRIES}
"""What may be found while reading, by id. None of it is an error: the row stands anyway."""


def odd(rule_id: str, seen: str) -> Finding:
    """Make a finding of the rule of this id."""
    return Finding(READING_RULES[rule_id], seen)


def without_repetition(found: Sequence[Finding]) -> tuple[Finding, ...]:
    """Give each finding once; of a rule that applies often, the first few and a count."""
    kept: list[Finding] = []
    counts: Counter[Rule] = Counter()
    for one in dict.fromkeys(found):
        counts[one.rule] += 1
        if counts[one.rule] <= _MOST_OF_A_RULE:
            kept.append(one)
    for rule, count in counts.items():
        if count > _MOST_OF_A_RULE:
            kept.append(Finding(rule, f"{count - _MOST_OF_A_RULE:,} more times"))
    return tuple(kept)
