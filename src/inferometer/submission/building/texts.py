"""Texts: README and checklist of a result, and the note in place of code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import metadata

from inferometer.loadgen import Finding, Metric, Mode
from inferometer.submission.building.candidate import Candidate, RecordedTest
from inferometer.submission.building.request import SubmissionRequest

__all__ = ["DEMO_NOTE", "checklist", "code_note", "readme"]

DEMO_NOTE = "Demonstration: small data or shortened runs. Not a result of the round."
_OPEN = "[ ]"
_DONE = "[x]"


def readme(
    candidate: Candidate,
    request: SubmissionRequest,
    facts: Mapping[str, str],
    remarks: Iterable[Finding],
) -> str:
    """Tell what was measured, how, and how to measure it again."""
    test = candidate.tests[0]
    workload, backend = test.session.workload, test.backend
    lines = [f"# {candidate.title}", ""]
    if request.demo:
        lines += [f"**{DEMO_NOTE}**", ""]
    lines += [
        f"{workload.get('title', workload['name'])}, run by {backend.get('framework', 'unknown')} "
        f"{backend.get('version', '')}".rstrip()
        + f" for round {request.book.name}, division {request.division}.",
        "",
        "| | |",
        "| --- | --- |",
        *(f"| {name} | {_plain(text)} |" for name, text in _rows(candidate, facts)),
        "",
        "## Measuring it again",
        "",
        f"With inferometer {_version()}:",
        "",
        *(f"    {command}" for command in _commands(candidate)),
    ]
    seen = [f"- {found.rule.title}: {_without_paths(found.seen)}" for found in remarks]
    if seen:
        lines += ["", "## To be known", "", *dict.fromkeys(seen)]
    return "".join(f"{line}\n" for line in lines)


def _rows(candidate: Candidate, facts: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    test = candidate.tests[0]
    data = test.session.workload.get("data_set") or "unknown"
    benchmark = candidate.benchmark
    if benchmark is not None and benchmark.name != candidate.name:
        yield "stands for", f"{benchmark.name}, {benchmark.task}"
    yield "data set", f"{data}, {test.result.recording.total_sample_count:,} samples"
    for one in candidate.accuracy:
        if one.result.accuracy is not None:
            yield "accuracy", one.result.accuracy.line
    for number, one in enumerate(candidate.performance, start=1):
        verdict = one.result.verdict
        if verdict is not None:
            validity = "VALID" if verdict.is_valid_as_published else "INVALID"
            yield f"run {number}", f"{_metric(verdict.metric)}, {validity}"
    for key, text in facts.items():
        yield key.replace("_", " "), text
    serving = test.result.recording.notes.get("serving")
    if isinstance(serving, Mapping):
        yield "serving", ", ".join(f"{name} {value}" for name, value in serving.items())
    for name, value in test.backend.items():
        if name not in ("framework", "version", "name"):
            yield f"backend {name}", _listed(value)


def _metric(metric: Metric) -> str:
    """Write a metric with enough digits to tell it from the next; times in ms."""
    if metric.value is None:
        return f"{metric.name}: none"
    if metric.unit == "ns":
        return f"{metric.name}: {metric.value / 1e6:.6g} ms"
    return f"{metric.name}: {metric.value:.6g}"


def _listed(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _plain(text: str) -> str:
    """Write a text so that it stays in its cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def _commands(candidate: Candidate) -> list[str]:
    sessions = {id(test.session): test.session for test in candidate.tests}
    commands = [" ".join(str(one.command).split()) for one in sessions.values() if one.command]
    return list(dict.fromkeys(commands)) or ["(the runs kept no command)"]


def _without_paths(seen: str) -> str:
    """Leave out the folder that a remark begins with: it says nothing to a reader elsewhere."""
    first, colon, rest = seen.partition(": ")
    return rest if colon and "/" in first else seen


def _version() -> str:
    try:
        return metadata.version("inferometer")
    except metadata.PackageNotFoundError:
        return "of this date"


def code_note(candidate: Candidate) -> str:
    """Say where the code is, where none was given beside Inferometer itself."""
    lines = [
        f"# Code of {candidate.name}",
        "",
        f"Everything that ran is part of inferometer {_version()}, Apache License 2.0, and of",
        "the framework that the README beside the result names. The runs were started by:",
        "",
        *(f"    {command}" for command in _commands(candidate)),
    ]
    return "".join(f"{line}\n" for line in lines)


def checklist(
    candidate: Candidate, request: SubmissionRequest, description: Mapping[str, str]
) -> str:
    """Give the questions that a submitter answers, with what the runs answer filled in."""
    wanted = request.book.runs.get(candidate.scenario, 1)
    answered = (
        ("System", f"{request.system_id}, {description.get('system_name') or 'no name given'}"),
        ("Division and benchmark", f"{request.division}, {candidate.name}"),
        ("Scenario", candidate.scenario.value),
        ("Load generator", f"inferometer {_version()}, not the official LoadGen"),
        ("Seeds", _seeds(candidate.performance[0])),
        ("Performance runs", f"{len(candidate.performance)} of {wanted}"),
        ("Accuracy run over the whole data set", _coverage(candidate)),
        ("One model and backend in both modes", "yes, as noted by the runs"),
    )
    asked = (
        "The system, and its software, can be had by others: available, preview or research",
        "The code is published under a permissive licence",
        "The load generator ran on the host, with its traces in host memory",
        "Nothing is kept from one query to the next: no answers, no intermediate results",
        "Equal queries are not answered together",
        "The system doesn't tell the benchmark's queries from others",
        "Weights were neither trained again, nor pruned, nor replaced",
        "Whatever was done to samples before the clock started is allowed by the rules",
    )
    # In the open division models and methods are free, as long as the code can be seen.
    still_asked = asked if request.is_closed else asked[:2]
    lines = [f"# Checklist of {candidate.title}", "", "From the runs:", ""]
    lines += [f"- {_DONE} {question}: {answer}" for question, answer in answered]
    lines += ["", "To be answered by the submitter, by putting an x and a reason:", ""]
    lines += [f"- {_OPEN} {question}" for question in still_asked]
    return "".join(f"{line}\n" for line in lines)


def _seeds(test: RecordedTest) -> str:
    settings = test.result.recording.settings
    seeds = (
        settings.qsl_rng_seed,
        settings.sample_index_rng_seed,
        settings.schedule_rng_seed,
    )
    return ", ".join(map(str, seeds))


def _coverage(candidate: Candidate) -> str:
    test = next(test for test in candidate.tests if test.result.mode is Mode.ACCURACY)
    accuracy = test.result.accuracy
    return "no" if accuracy is None else f"{accuracy.total - accuracy.missing:,} samples"
