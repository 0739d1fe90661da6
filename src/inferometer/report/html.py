"""HTML report: one self-contained file for one or more sessions, without network or script."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from inferometer.loadgen import (
    LatencySummary,
    Scenario,
    SeriesRecord,
    Verdict,
)
from inferometer.report.charts import (
    Marker,
    Series,
    distribution_chart,
    lines_chart,
    timeline_chart,
)
from inferometer.report.summary import backend_text, phases_text, summary_rows
from inferometer.report.templating import page_environment
from inferometer.report.wording import accuracy_text, duration_text, interval_text, rate_text
from inferometer.runs import Session, TestResult
from inferometer.workloads import in_unit
from inferometer.workloads.detection.scoring import COUNTS

__all__ = ["html_report", "write_html"]

_RATE_WINDOWS = 50
_MARKED = (0.5, 0.9, 0.99)


@dataclass(frozen=True)
class _Figure:
    """A chart with what it shows."""

    title: str
    text: str
    svg: Markup


def write_html(sessions: Sequence[Session], path: Path) -> Path:
    """Write the report of some sessions into one file; give its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(html_report(sessions, path.parent), "utf-8")
    return path


def html_report(sessions: Sequence[Session], beside: Path | None = None) -> str:
    """Give the report as a page. Links to raw files are relative to the folder ``beside``."""
    environment = page_environment()
    environment.filters.update(
        duration=duration_text,
        rate=rate_text,
        interval=interval_text,
        accuracy=accuracy_text,
        unit=in_unit,
    )
    template = environment.get_template("report.html.j2")
    return template.render(
        sessions=[_session(session, number, beside) for number, session in enumerate(sessions, 1)]
    )


def _session(session: Session, number: int, beside: Path | None) -> dict[str, Any]:
    return {
        "number": number,
        "session": session,
        "backend": backend_text(session),
        "rows": summary_rows(session),
        "is_good": session.is_good,
        "tests": [
            _test(test, beside)
            for scenario in session.scenarios
            for test in session.tests_of(scenario)
        ],
        "system": _flat(session.system),
    }


def _test(test: TestResult, beside: Path | None) -> dict[str, Any]:
    series = test.recording.performance
    settings = test.recording.settings
    return {
        "test": test,
        "verdict": test.verdict,
        "anchor": f"{test.scenario.value}-{test.title.split()[-1]}",
        "figures": _figures(test, series) if series is not None and test.verdict else [],
        "percentiles": _percentiles(test.verdict),
        "phases": phases_text(test),
        "settings": settings.to_mapping(),
        "timing": dict(series.timing) if series is not None else {},
        "serving": _flat(test.recording.notes.get("serving", {})),
        "files": _files(test.folder, beside),
        "asked": _asked(test),
        "details": _details(test),
    }


def _details(test: TestResult) -> list[tuple[str, float]]:
    """Give the further figures of an accuracy; what couldn't be computed, below 0, stays out."""
    found = test.accuracy.details if test.accuracy else {}
    return [(name, value) for name, value in found.items() if value >= 0 and name not in COUNTS]


def _asked(test: TestResult) -> list[tuple[str, str]]:
    """Say in a few words what the test was asked to do."""
    effective = test.recording.effective
    match test.scenario:
        case Scenario.SERVER:
            asked = [
                ("arrivals", f"Poisson, {rate_text(effective.target_qps)}"),
                ("bound", _bound_text(test)),
            ]
        case Scenario.OFFLINE:
            asked = [("samples", f"{effective.samples_per_query:,} at once")]
        case Scenario.SINGLE_STREAM:
            asked = [("queries", "one sample each, one after the other")]
        case _:
            asked = [("queries", f"{effective.samples_per_query} samples each")]
    asked.append(("at least", f"{effective.min_query_count:,} queries"))
    asked.append(("for at least", f"{effective.min_duration_ms / 1e3:g} s"))
    return asked


def _bound_text(test: TestResult) -> str:
    effective = test.recording.effective
    percentile = f"p{effective.target_latency_percentile * 100:g}"
    if effective.use_token_latencies:
        first, each = effective.ttft_latency_ns, effective.tpot_latency_ns
        return (
            f"{percentile} of the first token ≤ {duration_text(first)}, of each further one "
            f"≤ {duration_text(each)}"
        )
    return f"{percentile} ≤ {duration_text(effective.target_latency_ns)}"


def _percentiles(verdict: Verdict | None) -> list[tuple[str, LatencySummary]]:
    if verdict is None:
        return []
    shown: list[tuple[str, LatencySummary | None]] = []
    if verdict.scenario.is_multi_stream:
        shown.append(("query latency", verdict.query_latency))
    elif verdict.scenario is not Scenario.OFFLINE:
        shown.append(("latency", verdict.sample_latency))
    if verdict.scenario is Scenario.SERVER:
        shown.append(("generator's lateness", verdict.lateness))
    if verdict.tokens is not None:
        shown.append(("time to first token", verdict.tokens.first_token))
        shown.append(("time per output token", verdict.tokens.per_token))
    return [(name, summary) for name, summary in shown if summary is not None]


def _figures(test: TestResult, series: SeriesRecord) -> list[_Figure]:
    if not len(series.query_latency_ns):
        return []
    figures = []
    if test.scenario is not Scenario.OFFLINE:
        figures.extend(_latency_figures(test, series))
    rates = _rate_figure(test, series)
    if rates is not None:
        figures.append(rates)
    if test.scenario is Scenario.SERVER:
        figures.append(_lateness_figure(series))
    return figures


def _bound(test: TestResult) -> Marker | None:
    effective = test.recording.effective
    if test.scenario is not Scenario.SERVER or effective.use_token_latencies:
        return None
    bound_ns = effective.target_latency_ns
    return Marker(float(bound_ns), f"bound {duration_text(bound_ns)}", "bound")


def _latency_figures(test: TestResult, series: SeriesRecord) -> list[_Figure]:
    assert test.verdict is not None
    is_multi = test.scenario.is_multi_stream
    name = "query latency" if is_multi else "latency"
    summary = test.verdict.query_latency if is_multi else test.verdict.sample_latency
    assert summary is not None
    marks = [
        Marker(
            float(summary.percentiles_ns[p]),
            f"p{p * 100:g} {duration_text(summary.percentiles_ns[p])}",
        )
        for p in _MARKED
    ]
    bound = _bound(test)
    latency = series.query_latency_ns
    whole = (series.completed_ns.reshape(series.query_count, -1) >= 0).all(axis=1)
    return [
        _Figure(
            "Latency distribution",
            "How many queries took how long, from the scheduled time to the answer.",
            distribution_chart(latency, [*marks, *([bound] if bound else [])], name),
        ),
        _Figure(
            "Latency over time",
            "Drift, warm-up and hiccups show here: the run is cut into windows of equally "
            "many queries.",
            timeline_chart(series.scheduled_ns[whole], latency, bound, name),
        ),
    ]


def _rate_figure(test: TestResult, series: SeriesRecord) -> _Figure | None:
    """Draw samples answered a second, beside those asked for where there is a schedule."""
    done = series.completed_ns[series.is_complete]
    last_ns = int(done.max(initial=0))
    if last_ns <= 0 or len(np.unique(done)) < _RATE_WINDOWS:
        return None
    edges = np.linspace(0, last_ns, _RATE_WINDOWS + 1)
    width_s = last_ns / _RATE_WINDOWS / 1e9
    times = ((edges[:-1] + edges[1:]) / 2 / 1e9).tolist()
    answered = np.histogram(done, edges)[0] / width_s
    lines = [Series("answered", "median", answered.tolist())]
    text = "Samples answered a second."
    if test.scenario is Scenario.SERVER:
        asked = np.histogram(series.scheduled_ns, edges)[0] / width_s
        lines.insert(0, Series("asked", "asked", asked.tolist()))
        text = "Arrivals asked for and samples answered: a growing gap is a growing queue."
    return _Figure(
        "Achieved against asked" if len(lines) > 1 else "Throughput over time",
        text,
        lines_chart(times, lines, "Samples per second over time", "samples/s"),
    )


def _lateness_figure(series: SeriesRecord) -> _Figure:
    lateness = np.maximum(series.lateness_ns, 1)
    summary = LatencySummary.of(series.lateness_ns)
    assert summary is not None
    marks = [
        Marker(
            max(1.0, float(summary.percentiles_ns[p])),
            f"p{p * 100:g} {duration_text(summary.percentiles_ns[p])}",
        )
        for p in _MARKED
    ]
    return _Figure(
        "The generator's own lateness",
        "Issued minus scheduled time. It is part of every latency above, because latency "
        "counts from the scheduled time.",
        distribution_chart(lateness, marks, "lateness"),
    )


def _files(folder: Path | None, beside: Path | None) -> list[tuple[str, str]]:
    if folder is None or not folder.is_dir():
        return []
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    base = os.path.relpath(folder, beside) if beside is not None else str(folder)
    return [(name, f"{base}/{name}".replace(os.sep, "/")) for name in names]


def _flat(values: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Turn nested names and values into rows of text."""
    rows = []
    for name, value in dict(values).items():
        label = f"{prefix}{str(name).replace('_', ' ')}"
        if isinstance(value, dict):
            rows.extend(_flat(value, f"{label}: "))
        else:
            rows.append(
                (label, ", ".join(map(str, value)) if isinstance(value, list) else str(value))
            )
    return rows
