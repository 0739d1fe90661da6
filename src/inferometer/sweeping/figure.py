"""Figures: what is known of an option, one number with its interval each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from inferometer.loadgen import Interval, Scenario
from inferometer.runs import Session, TestResult
from inferometer.sweeping.cost import Price

__all__ = ["FIGURES", "Figure", "FigureKind", "figures_of"]


@dataclass(frozen=True)
class FigureKind:
    """A figure that options are compared by.

    unit:
        ``ns``, ``1/s``, ``bytes``, ``J``, ``cost``, or ``accuracy``, whose unit is the metric's.
    """

    name: str
    unit: str
    higher_is_better: bool


FIGURES = {
    kind.name: kind
    for kind in (
        FigureKind("accuracy", "accuracy", higher_is_better=True),
        FigureKind("SingleStream latency", "ns", higher_is_better=False),
        FigureKind("MultiStream latency", "ns", higher_is_better=False),
        FigureKind("Server latency", "ns", higher_is_better=False),
        FigureKind("Offline throughput", "1/s", higher_is_better=True),
        FigureKind("size", "bytes", higher_is_better=False),
        FigureKind("energy", "J", higher_is_better=False),
        FigureKind("cost", "cost", higher_is_better=False),
    )
}
"""All figures, by name, in the order of tables."""

_THROUGHPUT_ORDER = (Scenario.OFFLINE, Scenario.SERVER, Scenario.MULTI_STREAM)


@dataclass(frozen=True)
class Figure:
    """A number about an option.

    interval:
        95 %; ``None`` where there is none, as of a size.
    note:
        What it is in particular: the percentile, the metric, what counted the energy.
    unit:
        Of an accuracy: ``%`` for shares, else what its metric is written with.
    is_valid:
        Whether the test that it comes from was VALID.
    """

    kind: FigureKind
    value: float
    interval: Interval | None = None
    note: str = ""
    is_valid: bool = True
    unit: str = "%"

    @property
    def low(self) -> float:
        """The lower end of the interval; the value where there is none."""
        end = self.interval.low if self.interval else None
        return self.value if end is None else min(end, self.value)

    @property
    def high(self) -> float:
        """The upper end of the interval; the value where there is none."""
        end = self.interval.high if self.interval else None
        return self.value if end is None else max(end, self.value)


def figures_of(session: Session, price: Price | None = None) -> dict[str, Figure]:
    """Give what is known of an option by what its session recorded, by name.

    The cost is that at the throughput of Offline, or else the rate that Server completed,
    or else that of MultiStream; the energy is that of the same test.
    """
    found = {figure.kind.name: figure for figure in _figures(session)}
    for scenario in _THROUGHPUT_ORDER:
        test = _performance(session, scenario)
        rate = _samples_per_s(test) if test is not None else 0.0
        if test is None or not rate:
            continue
        valid = bool(test.is_valid)
        if price is not None:
            value, note = price.per_million(rate), f"a million samples, {scenario.value}"
            found["cost"] = Figure(FIGURES["cost"], value, _cost_interval(test, price), note, valid)
        usage = test.energy
        if usage is not None:
            note = f"a sample, {scenario.value}; {usage.source}"
            found["energy"] = Figure(FIGURES["energy"], usage.joules_per_sample, None, note, valid)
        break
    return {name: found[name] for name in FIGURES if name in found}


def _figures(session: Session) -> Iterator[Figure]:
    accuracy = next((test.accuracy for test in session.tests if test.accuracy is not None), None)
    if accuracy is not None:
        yield Figure(
            FIGURES["accuracy"],
            accuracy.value,
            accuracy.interval,
            accuracy.metric,
            unit=accuracy.unit,
        )
    for scenario in (Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM):
        test = _performance(session, scenario)
        if test is not None and test.verdict is not None:
            metric = test.verdict.metric
            if metric.value is not None:
                kind = FIGURES[f"{scenario.value} latency"]
                note = metric.name.removesuffix(" latency")
                yield Figure(kind, metric.value, metric.interval, note, bool(test.is_valid))
    server = _performance(session, Scenario.SERVER)
    if server is not None:
        yield from _server_latency(server)
    offline = _performance(session, Scenario.OFFLINE)
    if offline is not None and offline.verdict is not None:
        metric = offline.verdict.metric
        if metric.value is not None:
            kind = FIGURES["Offline throughput"]
            yield Figure(kind, metric.value, metric.interval, "", bool(offline.is_valid))
    size = session.workload.get("model_bytes")
    if size:
        yield Figure(FIGURES["size"], float(size), None, "the model's files")


def _server_latency(test: TestResult) -> Iterator[Figure]:
    """Give the latency at the percentile of the bound, at the rate that was asked for."""
    effective, verdict = test.recording.effective, test.verdict
    if verdict is None or verdict.sample_latency is None or effective.use_token_latencies:
        return
    fraction = effective.target_latency_percentile
    summary = verdict.sample_latency
    note = f"p{fraction * 100:g} at {effective.target_qps:,.6g}/s"
    yield Figure(
        FIGURES["Server latency"],
        float(summary.percentiles_ns[fraction]),
        summary.intervals_ns[fraction],
        note,
        bool(test.is_valid),
    )


def _performance(session: Session, scenario: Scenario) -> TestResult | None:
    return next((test for test in session.tests_of(scenario) if test.verdict is not None), None)


def _samples_per_s(test: TestResult) -> float:
    rates = test.verdict.rates if test.verdict else None
    if rates is None:
        return 0.0
    per_query = test.recording.effective.samples_per_query
    found = rates.samples_per_s or rates.completed_samples_per_s
    return found or (rates.qps_without_overhead or 0.0) * per_query


def _cost_interval(test: TestResult, price: Price) -> Interval | None:
    """Turn the interval of a throughput into one of the cost; a faster machine costs less."""
    metric = test.verdict.metric if test.verdict else None
    if metric is None or metric.unit != "1/s" or metric.interval is None:
        return None
    low, high = metric.interval.low, metric.interval.high
    return Interval(
        price.per_million(high) if high else None, price.per_million(low) if low else None
    )
