"""Findings: everything that can make a number untrustworthy, each with its remedy."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from inferometer.loadgen.incident import IncidentKind
from inferometer.loadgen.recording import Recording, SeriesRecord

__all__ = [
    "RULES",
    "Finding",
    "Rule",
    "Severity",
    "finding",
    "findings_of_incidents",
    "findings_of_messages",
]


class Severity(enum.Enum):
    """How much a finding matters. An error makes a result INVALID."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Rule:
    """An entry of the catalogue: what may be found, how grave it is, what to do."""

    id: str
    title: str
    severity: Severity
    remedy: str


@dataclass(frozen=True)
class Finding:
    """A rule that applies to a run, with what was seen."""

    rule: Rule
    seen: str

    def to_mapping(self) -> dict[str, str]:
        """Give plain names and values, ready for JSON."""
        return {
            "rule": self.rule.id,
            "severity": self.rule.severity.value,
            "title": self.rule.title,
            "seen": self.seen,
            "remedy": self.rule.remedy,
        }


_E, _W, _I = Severity.ERROR, Severity.WARNING, Severity.INFO

_ENTRIES = (
    Rule(
        "run.interrupted",
        "The run was interrupted",
        _E,
        "run it again and let it finish; what was recorded until then is kept",
    ),
    Rule(
        "run.outstanding-limit",
        "The system stopped answering",
        _E,
        "find out why these queries were never completed, or raise outstanding_limit_s if the "
        "system really needs longer (0 waits for ever)",
    ),
    Rule(
        "run.ran-out-of-queries",
        "The pre-generated queries were used up too early",
        _W,
        "lower the expected latency, or raise the target rate, so that more are generated",
    ),
    Rule(
        "run.ended-early",
        "A limit ended the run before its minimum",
        _W,
        "raise max_query_count, max_duration_ms or max_async_queries, or lower the load",
    ),
    Rule(
        "run.stopped-by-rule",
        "The run ended once it was precise enough, its bound decided, or its time used up",
        _I,
        "use --round to run by the book",
    ),
    Rule(
        "sut.failed",
        "The system under test raised an error",
        _E,
        "mend the error and run again",
    ),
    Rule(
        "serving.actor-lost",
        "A replica of the model died; the samples it had were issued again",
        _W,
        "find out why it died (memory, a crash of the model): these samples took longer for it, "
        "and until it was back there was one replica less",
    ),
    Rule(
        "library.failed",
        "The sample library raised an error while loading or unloading",
        _E,
        "mend the error, or make room for the samples, and run again",
    ),
    Rule(
        "sut.completed-twice",
        "Samples were answered more than once; the first time counts",
        _E,
        "complete every sample exactly once",
    ),
    Rule(
        "sut.completed-after-end",
        "Queries were answered after the series had ended",
        _W,
        "let flush() return only when nothing more will be answered",
    ),
    Rule(
        "sut.incomplete",
        "Samples were never answered",
        _E,
        "complete every sample of every query",
    ),
    Rule(
        "sut.empty-response",
        "Answers that are logged were empty",
        _W,
        "pass the answer's bytes to complete(); an empty answer counts as wrong",
    ),
    Rule(
        "sut.wrong-response",
        "Answers didn't fit the query",
        _E,
        "give one response for each sample of the query",
    ),
    Rule(
        "run.responses-not-kept",
        "Answers could not be written to disk",
        _E,
        "make room on the disk that holds the output folder, and run again",
    ),
    Rule(
        "sut.tokens",
        "Token reports were missing or wrong",
        _E,
        "call first_token() once before complete(), and give token counts of 2 or more",
    ),
    Rule(
        "criteria.latency-bound",
        "The latency bound is not met",
        _E,
        "reduce the target rate, or make the system faster",
    ),
    Rule(
        "criteria.min-duration",
        "The run was shorter than its minimum duration",
        _E,
        "let it issue more queries: a lower expected latency, or a higher target rate",
    ),
    Rule(
        "criteria.min-queries",
        "Fewer queries were issued and answered than the minimum",
        _E,
        "find out what ended the run early, or raise the limit that did",
    ),
    Rule(
        "criteria.early-stopping",
        "Too few queries to be sure of the percentile",
        _E,
        "run longer, or with a lower load so that fewer queries are slow",
    ),
    Rule(
        "timing.lateness-decides",
        "The generator's own lateness could have decided the verdict",
        _E,
        "free a processor for the generator, lower the rate, or run the system in a process of "
        "its own; then run again",
    ),
    Rule(
        "timing.lateness-high",
        "The generator was late by a good part of the latencies it measured",
        _W,
        "free a processor for the generator, or read the latencies as upper bounds",
    ),
    Rule(
        "statistics.open-interval",
        "Too few queries to bound the percentile from above",
        _W,
        "run longer: the interval closes once enough queries lie beyond the percentile",
    ),
)

RULES: Mapping[str, Rule] = {rule.id: rule for rule in _ENTRIES}
"""The catalogue, by id."""

_RULE_OF_INCIDENT: Mapping[IncidentKind, str | None] = {
    IncidentKind.ENDED_NATURALLY: None,
    IncidentKind.RAN_OUT_OF_QUERIES: "run.ran-out-of-queries",
    IncidentKind.TOO_MANY_OUTSTANDING: "run.ended-early",
    IncidentKind.MAX_QUERY_COUNT: "run.ended-early",
    IncidentKind.MAX_DURATION: "run.ended-early",
    IncidentKind.STOPPED_BY_RULE: "run.stopped-by-rule",
    IncidentKind.INTERRUPTED: "run.interrupted",
    IncidentKind.OUTSTANDING_LIMIT: "run.outstanding-limit",
    IncidentKind.SUT_FAILED: "sut.failed",
    IncidentKind.REPLICA_LOST: "serving.actor-lost",
    IncidentKind.RESPONSES_NOT_KEPT: "run.responses-not-kept",
    IncidentKind.COMPLETED_TWICE: "sut.completed-twice",
    IncidentKind.COMPLETED_AFTER_END: "sut.completed-after-end",
    IncidentKind.OLD_SAMPLE: "sut.completed-after-end",
    IncidentKind.EMPTY_RESPONSE: "sut.empty-response",
    IncidentKind.WRONG_RESPONSE: "sut.wrong-response",
    IncidentKind.INCOMPLETE_SAMPLES: "sut.incomplete",
    IncidentKind.FIRST_TOKEN_MISSING: "sut.tokens",
    IncidentKind.FIRST_TOKEN_TWICE: "sut.tokens",
    IncidentKind.FIRST_TOKEN_AFTER_COMPLETION: "sut.tokens",
    IncidentKind.TOKEN_COUNT_MISSING: "sut.tokens",
    IncidentKind.TOKEN_COUNT_NEGATIVE: "sut.tokens",
    IncidentKind.TOKEN_COUNT_ONE: "sut.tokens",
}


def finding(rule_id: str, seen: str) -> Finding:
    """Make a finding of the catalogue's rule of this id."""
    return Finding(RULES[rule_id], seen)


def findings_of_incidents(series: SeriesRecord) -> list[Finding]:
    """Turn what happened during a series into findings, one for each kind of incident."""
    found = []
    for kind, count in series.incident_counts.items():
        rule_id = _RULE_OF_INCIDENT[kind]
        if rule_id is not None:
            found.append(finding(rule_id, _describe(series, kind, count)))
    return found


def findings_of_messages(recording: Recording) -> list[Finding]:
    """Turn what went wrong outside the series into findings."""
    rules = {"library_failed": "library.failed", "interrupted": "run.interrupted"}
    return [
        finding(rules[message.kind], message.text)
        for message in recording.messages
        if message.kind in rules
    ]


def _describe(series: SeriesRecord, kind: IncidentKind, count: int) -> str:
    """Say what was seen, with the values of the first incident of the kind."""
    first = next((i for i in series.incidents if i.kind is kind), None)
    values: Mapping[str, int | float | str] = first.values if first else {}
    if kind is IncidentKind.INCOMPLETE_SAMPLES:
        return f"{values.get('count', count)} of {series.sample_count} samples"
    if kind is IncidentKind.STOPPED_BY_RULE:
        return str(values.get("reason", ""))
    if kind is IncidentKind.REPLICA_LOST:
        return _lost_replicas(series, count)
    text = str(kind.value).replace("_", " ")
    if count > 1:
        text += f", {count} times"
    if values:
        text += " (" + ", ".join(f"{name} {value}" for name, value in values.items()) + ")"
    return text


def _lost_replicas(series: SeriesRecord, count: int) -> str:
    """Say which replicas died, how, and how many samples were issued again for them."""
    lost = [one.values for one in series.incidents if one.kind is IncidentKind.REPLICA_LOST]
    samples = sum(int(values["samples"]) for values in lost)
    numbers = ", ".join(str(number) for number in sorted({int(one["replica"]) for one in lost}))
    times = "" if count == 1 else f", {count} times"
    return f"replica {numbers} died{times}; {samples} samples were issued again ({lost[0]['what']})"
