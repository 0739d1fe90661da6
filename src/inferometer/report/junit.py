"""JUnit XML of sessions: a case for each test and each gate, for CI systems that show such."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from inferometer.loadgen import Finding, Severity
from inferometer.report.markup import xml_text
from inferometer.report.summary import backend_text
from inferometer.report.wording import accuracy_text, interval_text, metric_text
from inferometer.runs import Session, TestResult
from inferometer.runs.gates import GateResult

__all__ = ["sessions_junit"]


@dataclass(frozen=True)
class _Case:
    name: str
    time_s: float
    problem: str
    """Why it fails, in short; empty if it passes."""
    details: str
    output: str


def sessions_junit(sessions: Sequence[Session], gates: Sequence[GateResult] = ()) -> bytes:
    """Give JUnit XML: a suite for each session, and one for the gates if there are any.

    A test fails if one of its findings is an error; milder ones are its output, since JUnit
    knows no warnings. Characters that XML can't hold are replaced.
    """
    suites = [
        (_suite_name(session), str(session.workload.get("name", "")), list(_cases(session)))
        for session in sessions
    ]
    if gates:
        suites.append(("gates", "gates", [_gate_case(gate) for gate in gates]))
    root = ElementTree.Element(
        "testsuites", {"name": "inferometer", **_counts(c for *_, c in suites)}
    )
    for name, class_name, cases in suites:
        suite = ElementTree.SubElement(root, "testsuite", {"name": name, **_counts([cases])})
        for case in cases:
            _add(suite, class_name, case)
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, "utf-8", xml_declaration=True)
    return text + b"\n"


def _suite_name(session: Session) -> str:
    return xml_text(f"{session.workload.get('name', '')}, {backend_text(session)}")


def _counts(groups: Iterable[Sequence[_Case]]) -> dict[str, str]:
    cases = [case for group in groups for case in group]
    return {
        "tests": str(len(cases)),
        "failures": str(sum(bool(case.problem) for case in cases)),
        "errors": "0",
        "skipped": "0",
        "time": f"{sum(case.time_s for case in cases):.3f}",
    }


def _cases(session: Session) -> Iterable[_Case]:
    if session.findings or not session.tests:
        yield _case("session", 0.0, session.findings, [] if session.tests else ["no test finished"])
    seen: dict[str, int] = {}
    for test in session.tests:
        number = seen[test.title] = seen.get(test.title, 0) + 1
        name = test.title if number == 1 else f"{test.title} run {number}"
        time_s = sum(series.stop_ns for series in test.recording.series) / 1e9
        case = _case(name, time_s, test.findings, _results(test))
        if not case.problem and not test.is_good:
            case = _Case(name, time_s, "The result is INVALID", case.output, case.output)
        yield case


def _case(name: str, time_s: float, findings: Sequence[Finding], lines: list[str]) -> _Case:
    errors = [found for found in findings if found.rule.severity is Severity.ERROR]
    milder = [found for found in findings if found.rule.severity is not Severity.ERROR]
    problem = errors[0].rule.title if errors else ""
    details = "\n".join(_told(found) for found in errors)
    return _Case(name, time_s, problem, details, "\n".join([*lines, *map(_told, milder)]))


def _results(test: TestResult) -> list[str]:
    lines = []
    if test.verdict is not None:
        metric = test.verdict.metric
        interval = interval_text(metric.interval, metric.unit)
        told = f"{metric.name}: {metric_text(metric)}"
        lines.append(f"{told} [{interval}]" if interval else told)
    if test.accuracy is not None:
        lines.append(f"{test.accuracy.metric}: {accuracy_text(test.accuracy)}")
    return lines


def _told(found: Finding) -> str:
    rule = found.rule
    return f"{rule.severity.value}: {rule.title}: {found.seen}; {rule.remedy} [{rule.id}]"


def _gate_case(gate: GateResult) -> _Case:
    name = f"{gate.condition}: {gate.where}" if gate.where else str(gate.condition)
    found = gate.finding
    if found is None:
        return _Case(name, 0.0, "", "", gate.seen)
    return _Case(name, 0.0, found.rule.title, _told(found), gate.seen)


def _add(suite: ElementTree.Element, class_name: str, case: _Case) -> None:
    element = ElementTree.SubElement(
        suite,
        "testcase",
        classname=xml_text(class_name),
        name=xml_text(case.name),
        time=f"{case.time_s:.3f}",
    )
    if case.problem:
        failure = ElementTree.SubElement(element, "failure", message=xml_text(case.problem))
        failure.text = xml_text(case.details)
    if case.output:
        ElementTree.SubElement(element, "system-out").text = xml_text(case.output)
