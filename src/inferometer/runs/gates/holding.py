"""Holding conditions against sessions: each gate once for every test that it is about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from inferometer.loadgen import Interval, Scenario, nearest_name
from inferometer.runs.baseline import counterparts, weighted_difference
from inferometer.runs.gates.condition import Certainty, Condition, GateError
from inferometer.runs.gates.figure import FigureName, Quantity
from inferometer.runs.gates.reading import Reading, applies, count_findings, read_figure
from inferometer.runs.gates.result import GateOutcome, GateResult, in_words
from inferometer.runs.result import Session, TestResult

__all__ = ["check_baseline", "check_scope", "hold_gates"]

_FINDINGS = ("findings.errors", "findings.warnings")
_SESSION = "session"


def hold_gates(
    conditions: Iterable[Condition],
    sessions: Sequence[Session],
    baseline: Sequence[Session] | None = None,
) -> list[GateResult]:
    """Hold each condition against every test that it is about; one that fits none fails.

    ``baseline`` are the sessions of a kept run. Raises `GateError` for a condition that needs
    them if there are none.
    """
    found = []
    for condition in conditions:
        check_baseline(condition, has_baseline=baseline is not None)
        results = list(_results(condition, sessions, baseline or ()))
        found += results or [GateResult(condition, GateOutcome.NO_MATCH, _why(condition, sessions))]
    return found


def check_baseline(condition: Condition, *, has_baseline: bool) -> None:
    """Raise `GateError` for a condition that needs a baseline which there is not."""
    if condition.limit.is_relative and not has_baseline:
        raise GateError(f"condition '{condition}' needs a kept run: give it with --baseline RUN")


def check_scope(condition: Condition, names: Iterable[str], scenarios: Iterable[Scenario]) -> None:
    """Raise `GateError` if a condition names a workload, backend or scenario not in these."""
    names, scenarios = list(names), list(scenarios)
    known = [*names, *(scenario.value for scenario in scenarios)]
    asked = [*condition.names, *([condition.scenario.value] if condition.scenario else [])]
    for name in asked:
        if name not in known:
            # A scenario that exists is well written; it just isn't run.
            every = [scenario.value for scenario in Scenario]
            hint = "" if name in every else nearest_name(name, [*names, *every])
            raise GateError(
                f"condition '{condition}': no workload, backend or scenario {name!r} is run"
                f"{hint or '; run are ' + ', '.join(dict.fromkeys(known))}"
            )


def _results(
    condition: Condition, sessions: Sequence[Session], baseline: Sequence[Session]
) -> Iterator[GateResult]:
    for session in sessions:
        if not set(condition.names) <= set(_names(session)):
            continue
        figure = condition.figure
        if figure.family in _FINDINGS and session.findings and _is_about_session(condition):
            reading = count_findings(figure, session.findings)
            yield _Held(condition, session, _SESSION, reading).against_limit()
        for test in session.tests:
            if condition.scenario in (None, test.scenario) and applies(figure, test):
                held = _Held(condition, session, test.title, read_figure(figure, test))
                yield held.against(_base(figure, counterparts(session, test, baseline)))


def _is_about_session(condition: Condition) -> bool:
    """Tell whether what was found of the session as a whole, beside its tests, counts."""
    return condition.scenario is None and not condition.limit.is_relative


def _names(session: Session) -> list[str]:
    return [str(session.workload.get("name", "")), str(session.backend.get("name", ""))]


def _base(figure: FigureName, tests: Sequence[TestResult]) -> Reading | None:
    """Give the figure of the baseline; of several runs, that of the middle one."""
    readings = [read_figure(figure, test) for test in tests if applies(figure, test)]
    there = sorted((one for one in readings if one is not None), key=lambda one: one.value)
    return there[(len(there) - 1) // 2] if there else None


@dataclass(frozen=True)
class _Held:
    """A condition and the figure that it is held against."""

    condition: Condition
    session: Session
    test: str
    reading: Reading | None

    def against(self, base: Reading | None) -> GateResult:
        """Hold it against its limit, which may be relative to a figure of the baseline."""
        limit = self.condition.limit
        if self.reading is None:
            return self._not_measured(f"no {self.condition.figure} was measured")
        if not limit.is_relative:
            return self.against_limit()
        if base is None:
            return self._not_measured(f"the baseline has no {self.condition.figure} of it")
        assert limit.factor is not None
        value, interval = weighted_difference(
            self.reading.value, self.reading.interval, limit.factor, base.value, base.interval
        )
        told = in_words(base.value, base.interval, base.unit)
        return self._judged(value, interval, f", baseline {told}")

    def against_limit(self) -> GateResult:
        """Hold it against a fixed limit."""
        assert self.reading is not None
        return self._judged(self.reading.value, self.reading.interval, "")

    def _judged(self, value: float, interval: Interval, beside: str) -> GateResult:
        """Judge a value by how much it is above the amount of the limit."""
        assert self.reading is not None
        wrong = _wrong_share(self.condition, self.reading)
        if wrong:
            return self._not_measured(wrong)
        offset = _offset(self.condition)
        told = in_words(self.reading.value, self.reading.interval, self.reading.unit)
        failed = _is_beyond(self.condition, value - offset, _shifted(interval, -offset))
        outcome = GateOutcome.FAILED if failed else GateOutcome.PASSED
        return self._result(outcome, f"{self.condition.figure} {told}{beside}")

    def _not_measured(self, why: str) -> GateResult:
        return self._result(GateOutcome.NOT_MEASURED, why)

    def _result(self, outcome: GateOutcome, seen: str) -> GateResult:
        workload, backend = _names(self.session)
        return GateResult(
            self.condition,
            outcome,
            seen,
            workload,
            backend,
            self.test,
            self.reading.value if self.reading else None,
            self.reading.interval if self.reading else None,
        )


def _is_beyond(condition: Condition, excess: float, interval: Interval) -> bool:
    """Tell whether the value, the whole interval or a part of it is beyond the limit."""
    comparator = condition.comparator
    match condition.certainty:
        case Certainty.POINT:
            return comparator.holds(excess)
        case Certainty.SURELY:
            nearest = interval.low if comparator.is_upward else interval.high
            return nearest is not None and comparator.holds(nearest)
        case Certainty.POSSIBLY:
            farthest = interval.high if comparator.is_upward else interval.low
            return farthest is None or comparator.holds(farthest)


def _shifted(interval: Interval, by: float) -> Interval:
    low, high = (None if end is None else end + by for end in (interval.low, interval.high))
    return Interval(low, high)


def _offset(condition: Condition) -> float:
    """Give the amount of a limit in ns, 1/s, as a fraction or plainly."""
    amount = condition.limit.amount
    return 0.0 if amount is None else amount.value * condition.figure.quantity.units[amount.unit]


def _wrong_share(condition: Condition, reading: Reading) -> str:
    """Say what is wrong with per cent of a score that isn't one, or a share without its sign."""
    amount = condition.limit.amount
    if amount is None or condition.figure.quantity is not Quantity.SHARE:
        return ""
    value, is_share = abs(amount.value), reading.unit == "%"
    if is_share and not amount.unit and value > 1:
        return f"this accuracy is a share; write {value:g} % or {value / 100:g}"
    if not is_share and amount.unit:
        return f"this accuracy ({reading.unit.strip()}) isn't in per cent; write {value:g} alone"
    return ""


def _why(condition: Condition, sessions: Sequence[Session]) -> str:
    """Say why a condition is about no test."""
    tests = [test.title for session in sessions for test in session.tests]
    names = [name for session in sessions for name in _names(session)]
    scenarios = [scenario for session in sessions for scenario in session.scenarios]
    try:
        check_scope(condition, names, scenarios)
    except GateError as error:
        return str(error).partition(": ")[2]
    told = ", ".join(dict.fromkeys(tests)) or "no test"
    return f"none of these has a {condition.figure} to hold it against: {told}"
