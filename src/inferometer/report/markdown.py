"""Markdown report: a compact table for a pull request or the summary of a CI job."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from inferometer.loadgen import Interval, Severity
from inferometer.report.markup import markdown_row, pull_request_text
from inferometer.report.summary import SummaryRow, backend_text, summary_rows
from inferometer.report.wording import metric_text
from inferometer.runs import Session, TestResult
from inferometer.runs.baseline import counterparts, ratio_interval
from inferometer.runs.gates import GateResult

__all__ = ["sessions_markdown"]

_MARKS = {Severity.ERROR: "❌", Severity.WARNING: "⚠️", Severity.INFO: "ℹ️"}
_OPEN = Interval(None, None)
_COLUMNS = ("workload", "scenario", "result", "95 % interval", "p99", "verdict", "accuracy")


def sessions_markdown(
    sessions: Sequence[Session],
    gates: Sequence[GateResult] = (),
    baseline: Sequence[Session] | None = None,
) -> str:
    """Give the report of some sessions; with a baseline, its results and the ratios to them.

    Whatever the names hold stays text: it calls nobody, links nowhere and opens no tag.
    """
    lines = [_headline(sessions, gates), "", *_table(sessions, baseline), ""]
    if gates:
        lines += [*_gates(gates), ""]
    findings = list(_findings(sessions))
    if findings:
        lines += [f"<details><summary>{_count(len(findings), 'finding')}</summary>", ""]
        lines += [*findings, "", "</details>", ""]
    for text in dict.fromkeys(backend_text(session) for session in sessions):
        lines.append(f"<sub>{_text(text)} · {_text(_machine(sessions))}</sub>")
    return "\n".join(lines) + "\n"


_text = pull_request_text


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _machine(sessions: Sequence[Session]) -> str:
    system = sessions[0].system
    parts = (system.get("processor"), system.get("operating_system"), sessions[0].label)
    return " · ".join(str(part) for part in parts if part)


def _headline(sessions: Sequence[Session], gates: Sequence[GateResult]) -> str:
    tests = [test for session in sessions for test in session.tests]
    good = sum(test.is_good for test in tests)
    failed = sum(not gate.has_passed for gate in gates)
    is_good = all(session.is_good for session in sessions) and not failed
    text = f"{good} of {_count(len(tests), 'test')} good"
    if gates:
        text += f", {len(gates) - failed} of {_count(len(gates), 'gate')} passed"
    return f"### {'✅' if is_good else '❌'} Inferometer: {text}"


def _table(sessions: Sequence[Session], baseline: Sequence[Session] | None) -> Iterator[str]:
    columns = [*_COLUMNS, *(("baseline", "ratio") if baseline is not None else ())]
    yield markdown_row(columns)
    yield markdown_row(["---"] * len(columns))
    for session in sessions:
        for row in summary_rows(session):
            cells = _cells(session, row)
            if baseline is not None:
                cells += _against(session, row.test, baseline)
            yield markdown_row([_text(cell) or "–" for cell in cells])


def _cells(session: Session, row: SummaryRow) -> list[str]:
    verdict = {True: "VALID", False: "INVALID", None: "–"}[row.is_valid]
    accuracy = f"{row.accuracy}{' ❌' if row.is_accurate is False else ''}"
    return [
        str(session.workload.get("name", "")),
        row.scenario + (f" run {row.run}" if row.run else ""),
        f"{row.value} {row.metric}".strip(),
        row.interval,
        row.latency,
        verdict + (" ❌" if row.is_valid is False else ""),
        f"{accuracy} ({row.target})" if row.target else accuracy,
    ]


def _against(session: Session, test: TestResult | None, baseline: Sequence[Session]) -> list[str]:
    """Give the baseline's result and the ratio to it; of several runs, the middle one's."""
    if test is None or test.verdict is None or test.verdict.metric.value is None:
        return ["–", "–"]
    metric = test.verdict.metric
    kept = [
        other.verdict.metric
        for other in counterparts(session, test, baseline)
        if other.verdict is not None
        and other.verdict.metric.value is not None
        and other.verdict.metric.name == metric.name
    ]
    if not kept:
        return ["none alike", "–"]
    base = sorted(kept, key=lambda one: one.value or 0.0)[(len(kept) - 1) // 2]
    assert metric.value is not None
    assert base.value is not None
    if not base.value:
        return [metric_text(base), "–"]
    interval = ratio_interval(
        metric.value, metric.interval or _OPEN, base.value, base.interval or _OPEN
    )
    ends = (f"{end:.3f}" if end is not None else "…" for end in (interval.low, interval.high))
    ratio = f"{metric.value / base.value:.3f} ({' – '.join(ends)})"
    return [metric_text(base), ratio + _judgement(interval, is_good=metric.higher_is_better)]


def _judgement(ratio: Interval, *, is_good: bool) -> str:
    """Say which way a ratio went, where its interval leaves no doubt; large ones may be good."""
    if ratio.low is not None and ratio.low > 1:
        return ", better" if is_good else ", worse"
    if ratio.high is not None and ratio.high < 1:
        return ", worse" if is_good else ", better"
    return ""


def _gates(gates: Sequence[GateResult]) -> Iterator[str]:
    yield markdown_row(["gate: fails if", "test", "seen", "outcome"])
    yield markdown_row(["---"] * 4)
    for gate in gates:
        mark = "✅" if gate.has_passed else "❌"
        cells = [str(gate.condition), gate.where or "–", gate.seen]
        yield markdown_row([*map(_text, cells), f"{mark} {gate.outcome.value}"])


def _findings(sessions: Sequence[Session]) -> Iterator[str]:
    """Give a line for each finding that isn't merely told."""
    for session in sessions:
        name = str(session.workload.get("name", ""))
        places = [(name, session.findings)]
        places += [(f"{name} {test.title}", test.findings) for test in session.tests]
        for where, findings in places:
            for found in findings:
                if found.rule.severity is not Severity.INFO:
                    told = f"{where}: {found.rule.title} ({found.seen}). {found.rule.remedy}"
                    yield f"- {_MARKS[found.rule.severity]} {_text(told)} `{_code(found.rule.id)}`"


def _code(text: str) -> str:
    """Keep of an id what can stand in code; ids are words with points and dashes."""
    return "".join(one for one in text if one.isalnum() or one in ".-_")
