"""Parquet files of sessions: every test as a row, and every sample of every test as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import SeriesRecord, atomic_file
from inferometer.report.markup import xml_text
from inferometer.report.result_table import (
    COLUMNS,
    SCHEMA_VERSION,
    TableColumn,
    result_rows,
    test_name,
)
from inferometer.runs import Session, TestResult
from inferometer.submission.published.parquet import arrow_modules

__all__ = ["QUERIES", "QUERY_COLUMNS", "RESULTS", "write_parquet"]

RESULTS = "results.parquet"
QUERIES = "queries.parquet"
_ROWS_IN_A_GROUP = 65_536

QUERY_COLUMNS = (
    TableColumn("workload", "text", "name of the workload"),
    TableColumn("backend", "text", "name of the backend"),
    TableColumn("scenario", "text", "SingleStream, MultiStream, Server or Offline"),
    TableColumn("mode", "text", "AccuracyOnly or PerformanceOnly, of the series"),
    TableColumn("test", "text", "folder of the test within its run folder"),
    TableColumn("series", "count", "number of the series within the test"),
    TableColumn("is_result", "flag", "the result is taken from this series"),
    TableColumn("series_started_unix_s", "number", "when the series began"),
    TableColumn("query", "count", "number of the query within the series"),
    TableColumn("sample_index", "count", "index into the sample library"),
    TableColumn("scheduled_ns", "count", "from when latency counts, after the start of the series"),
    TableColumn("issued_ns", "count", "when the issue call began"),
    TableColumn("completed_ns", "count", "when the sample was answered; empty for never"),
    TableColumn("latency_ns", "count", "completed minus scheduled"),
    TableColumn("lateness_ns", "count", "issued minus scheduled, the generator's own delay"),
    TableColumn("began_ns", "count", "when work on the sample's batch began, if told"),
    TableColumn("preprocess_ns", "count", "how long the batch's inputs took, if told"),
    TableColumn("infer_ns", "count", "how long the model took for the batch, if told"),
    TableColumn("first_token_ns", "count", "when the first token came, with token latencies"),
    TableColumn("token_count", "count", "tokens of the answer, with token latencies"),
)


def write_parquet(folder: Path, sessions: Sequence[Session]) -> None:
    """Write ``results.parquet`` and ``queries.parquet`` into a folder, whole or not at all.

    Rows are written in groups, so memory doesn't grow with the number of samples. Raises
    `TableError` if pyarrow isn't installed.
    """
    arrow, parquet = arrow_modules()
    schema = _schema(arrow, COLUMNS)
    table = arrow.Table.from_pylist(result_rows(sessions), schema=schema)
    with atomic_file(folder / RESULTS) as file:
        parquet.write_table(table, file, compression="zstd")
    schema = _schema(arrow, QUERY_COLUMNS)
    with (
        atomic_file(folder / QUERIES) as file,
        parquet.ParquetWriter(file, schema, compression="zstd") as writer,
    ):
        for session in sessions:
            for test in session.tests:
                for columns in _groups(arrow, session, test):
                    writer.write_table(arrow.table(columns, schema=schema))


def _schema(arrow: Any, columns: Sequence[TableColumn]) -> Any:
    """Give the types of the columns; what each means stands in its metadata."""
    types = {
        "text": arrow.string(),
        "number": arrow.float64(),
        "count": arrow.int64(),
        "flag": arrow.bool_(),
    }
    fields = [
        arrow.field(column.name, types[column.kind], metadata={"about": column.about})
        for column in columns
    ]
    return arrow.schema(fields, metadata={"inferometer_schema_version": str(SCHEMA_VERSION)})


def _groups(arrow: Any, session: Session, test: TestResult) -> Iterator[dict[str, Any]]:
    """Give the columns of a test, a group of rows after the other."""
    recording = test.recording
    for number, series in enumerate(recording.series):
        same = {
            "workload": xml_text(str(session.workload.get("name", ""))),
            "backend": xml_text(str(session.backend.get("name", ""))),
            "scenario": test.scenario.value,
            "mode": series.mode.value,
            "test": test_name(session, test),
            "series": number,
            "is_result": number == recording.result_series,
            "series_started_unix_s": series.wall_start_s,
        }
        for start in range(0, series.sample_count, _ROWS_IN_A_GROUP):
            stop = min(start + _ROWS_IN_A_GROUP, series.sample_count)
            repeated = {name: arrow.repeat(value, stop - start) for name, value in same.items()}
            yield repeated | _stamps(arrow, series, start, stop)


def _stamps(arrow: Any, series: SeriesRecord, start: int, stop: int) -> dict[str, Any]:
    """Give the columns that differ from sample to sample."""
    part = slice(start, stop)
    query = np.arange(start, stop) // series.samples_per_query
    scheduled, issued = series.scheduled_ns[query], series.issued_ns[query]
    completed = series.completed_ns[part]
    never = completed < 0
    columns = {
        "query": arrow.array(query),
        "sample_index": arrow.array(series.sample_index[part].astype(np.int64)),
        "scheduled_ns": arrow.array(scheduled),
        "issued_ns": arrow.array(issued),
        "completed_ns": arrow.array(completed, mask=never),
        "latency_ns": arrow.array(completed - scheduled, mask=never),
        "lateness_ns": arrow.array(issued - scheduled),
    }
    untold = _cut(series.began_ns, part)
    is_untold = np.ones(stop - start, bool) if untold is None else untold < 0
    for name in ("began_ns", "preprocess_ns", "infer_ns"):
        columns[name] = _told(arrow, _cut(getattr(series, name), part), is_untold)
    first = _cut(series.first_token_ns, part)
    is_missing = np.ones(stop - start, bool) if first is None else first < 0
    columns["first_token_ns"] = _told(arrow, first, is_missing)
    columns["token_count"] = _told(arrow, _cut(series.token_count, part), is_missing)
    return columns


def _cut(values: NDArray[np.int64] | None, part: slice) -> NDArray[np.int64] | None:
    return None if values is None else values[part]


def _told(arrow: Any, values: NDArray[np.int64] | None, is_missing: NDArray[np.bool_]) -> Any:
    """Give a column that is empty where nothing was told."""
    if values is None:
        return arrow.nulls(len(is_missing), arrow.int64())
    return arrow.array(values.astype(np.int64), mask=is_missing)
