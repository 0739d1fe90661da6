"""Result table: one flat row a test, for CSV, Parquet and trackers of experiments."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from inferometer.loadgen import PERCENTILES, Interval
from inferometer.report.markup import xml_text
from inferometer.runs import Session, TestResult
from inferometer.runs.gates import applies, figure_name, read_figure
from inferometer.submission.published.table_file import csv_cell

__all__ = ["COLUMNS", "SCHEMA_VERSION", "TableColumn", "result_rows", "results_csv", "test_name"]

SCHEMA_VERSION = 1
"""Version of the columns. Columns may be added within a version, never change their meaning."""

_OPEN = Interval(None, None)


@dataclass(frozen=True)
class TableColumn:
    """A column: its name with the unit, its kind (text, count, number, flag), what it holds."""

    name: str
    kind: str
    about: str


def _percent(fraction: float) -> str:
    return f"{fraction * 100:g}".replace(".", "_")


_FIGURES = {
    "throughput_per_s": "throughput",
    **{f"latency_p{_percent(one)}_ns": f"p{one * 100:g}" for one in PERCENTILES},
    "lateness_p99_ns": "lateness_p99",
    "first_token_p99_ns": "ttft_p99",
    "per_output_token_p99_ns": "tpot_p99",
}
_EXACT_FIGURES = {
    "query_count": "queries",
    "sample_count": "samples",
    "latency_mean_ns": "mean",
    "latency_min_ns": "min",
    "latency_max_ns": "max",
    "tokens_per_s": "tokens_per_s",
    "error_count": "errors",
    "warning_count": "warnings",
}


def _end_names(name: str) -> tuple[str, str]:
    """Name the columns of an interval's ends; the unit stays last."""
    unit = "per_s" if name.endswith("_per_s") else "ns"
    stem = name.removesuffix(f"_{unit}")
    return f"{stem}_low_{unit}", f"{stem}_high_{unit}"


def _figure_columns() -> Iterator[TableColumn]:
    for name, figure in _FIGURES.items():
        yield TableColumn(name, "number", f"{figure}, as `--fail-if` names it")
        low, high = _end_names(name)
        yield TableColumn(low, "number", "lower end of its 95 % interval")
        yield TableColumn(high, "number", "upper end of its 95 % interval")
    for name, figure in _EXACT_FIGURES.items():
        yield TableColumn(name, "number", f"{figure}, as `--fail-if` names it")


COLUMNS = (
    TableColumn("schema_version", "count", "version of these columns"),
    TableColumn("workload", "text", "name of the workload"),
    TableColumn("backend", "text", "name of the backend"),
    TableColumn("framework", "text", "framework that ran the model"),
    TableColumn("framework_version", "text", "its version"),
    TableColumn("device", "text", "device that ran it"),
    TableColumn("precision", "text", "precision found there"),
    TableColumn("host", "text", "name of the machine"),
    TableColumn("processor", "text", "its processor"),
    TableColumn("label", "text", "how it was run: quick, or by the book of a round"),
    TableColumn("started_at", "text", "when the session began"),
    TableColumn("scenario", "text", "SingleStream, MultiStream, Server or Offline"),
    TableColumn("mode", "text", "AccuracyOnly, PerformanceOnly, SubmissionRun, ..."),
    TableColumn("test", "text", "folder of the test within its run folder"),
    TableColumn("is_good", "flag", "nothing speaks against the test"),
    TableColumn("is_valid", "flag", "the performance counts; empty without performance"),
    TableColumn("metric", "text", "name of the scenario's metric"),
    TableColumn("metric_unit", "text", "ns or 1/s"),
    TableColumn("metric_value", "number", "in metric_unit"),
    TableColumn("metric_low", "number", "lower end of its 95 % interval"),
    TableColumn("metric_high", "number", "upper end of its 95 % interval"),
    TableColumn("higher_is_better", "flag", "of the metric"),
    *_figure_columns(),
    TableColumn("accuracy_metric", "text", "top-1, mAP, BLEU, ..."),
    TableColumn("accuracy_unit", "text", "% if the values are fractions of 1"),
    TableColumn("accuracy", "number", "in accuracy_unit; fractions for %"),
    TableColumn("accuracy_low", "number", "lower end of its 95 % interval"),
    TableColumn("accuracy_high", "number", "upper end of its 95 % interval"),
    TableColumn("accuracy_target", "number", "what it has to reach"),
    TableColumn("meets_target", "flag", "whether it does"),
    TableColumn("finding_rules", "text", "ids of what was found, with commas"),
)


def result_rows(sessions: Sequence[Session]) -> list[dict[str, Any]]:
    """Give a row for each test, in the order of `COLUMNS`; ``None`` for what isn't known."""
    return [_row(session, test) for session in sessions for test in session.tests]


def results_csv(sessions: Sequence[Session]) -> bytes:
    """Give the rows as CSV in UTF-8; no cell is a formula to a spreadsheet."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([column.name for column in COLUMNS])
    for row in result_rows(sessions):
        writer.writerow([csv_cell(column.kind, row[column.name]) for column in COLUMNS])
    return text.getvalue().encode("utf-8")


def test_name(session: Session, test: TestResult) -> str:
    """Name a test within its session: its folder, or what it is if it lies in none."""
    if test.folder is None:
        return test.title
    try:
        return xml_text(test.folder.relative_to(session.folder).as_posix())
    except ValueError:
        return xml_text(test.folder.name)


def _row(session: Session, test: TestResult) -> dict[str, Any]:
    values: dict[str, Any] = dict.fromkeys(column.name for column in COLUMNS)
    values |= _origin(session)
    values |= {
        "schema_version": SCHEMA_VERSION,
        "scenario": test.scenario.value,
        "mode": test.mode.value,
        "test": test_name(session, test),
        "is_good": test.is_good,
        "is_valid": test.is_valid,
        "finding_rules": ",".join(dict.fromkeys(found.rule.id for found in test.findings)),
    }
    return values | _metric(test) | _figures(test) | _accuracy(test)


def _origin(session: Session) -> dict[str, Any]:
    backend, system = session.backend, session.system
    texts = {
        "workload": session.workload.get("name"),
        "backend": backend.get("name"),
        "framework": backend.get("framework"),
        "framework_version": backend.get("version"),
        "device": backend.get("device"),
        "precision": backend.get("precision"),
        "host": system.get("host"),
        "processor": system.get("processor"),
        "label": session.label,
        "started_at": session.started_at,
    }
    return {name: None if text is None else xml_text(str(text)) for name, text in texts.items()}


def _metric(test: TestResult) -> dict[str, Any]:
    if test.verdict is None:
        return {}
    metric = test.verdict.metric
    interval = metric.interval or _OPEN
    return {
        "metric": metric.name,
        "metric_unit": metric.unit,
        "metric_value": metric.value,
        "metric_low": interval.low,
        "metric_high": interval.high,
        "higher_is_better": metric.higher_is_better,
    }


def _figures(test: TestResult) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, figure in {**_FIGURES, **_EXACT_FIGURES}.items():
        asked = figure_name(figure)
        assert asked is not None
        reading = read_figure(asked, test) if applies(asked, test) else None
        if reading is None:
            continue
        values[name] = reading.value
        if name in _FIGURES:
            low, high = _end_names(name)
            values |= {low: reading.interval.low, high: reading.interval.high}
    return values


def _accuracy(test: TestResult) -> dict[str, Any]:
    accuracy = test.accuracy
    if accuracy is None:
        return {}
    return {
        "accuracy_metric": accuracy.metric,
        "accuracy_unit": accuracy.unit.strip(),
        "accuracy": accuracy.value,
        "accuracy_low": accuracy.interval.low,
        "accuracy_high": accuracy.interval.high,
        "accuracy_target": accuracy.target,
        "meets_target": accuracy.meets_target,
    }
