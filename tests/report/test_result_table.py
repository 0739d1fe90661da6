"""Rows and Parquet files of sessions: complete, typed, and equal to what was judged."""

from __future__ import annotations

import csv
import dataclasses
import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inferometer.loadgen import Recording
from inferometer.report.result_table import COLUMNS, result_rows, results_csv
from inferometer.report.session_parquet import QUERY_COLUMNS, write_parquet
from inferometer.runs import Session
from inferometer.submission.published import TableError
from tests.report.sessions import HOSTILE, made_session, written
from tests.report.test_html import session_of


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return written(made_session(), tmp_path_factory.mktemp("run"))


def parquet_module() -> Any:
    pytest.importorskip("pyarrow")
    return pytest.importorskip("pyarrow.parquet")


def test_a_row_a_test_in_the_order_of_the_columns(session: Session) -> None:
    scored, single, server = result_rows([session])
    for row in (scored, single, server):
        assert list(row) == [column.name for column in COLUMNS]
    assert (scored["test"], scored["accuracy"], scored["meets_target"]) == (
        "SingleStream/accuracy",
        0.95,
        True,
    )
    assert scored["is_valid"] is None
    assert scored["latency_p99_ns"] is None
    verdict = session.tests[1].verdict
    assert verdict is not None
    assert verdict.sample_latency is not None
    assert single["metric_value"] == verdict.metric.value
    assert single["latency_p99_ns"] == verdict.sample_latency.percentiles_ns[0.99]
    assert single["latency_p99_low_ns"] <= single["latency_p99_ns"]
    # So few queries that follow each other don't bound p99 from above.
    assert single["latency_p99_high_ns"] is None
    assert single["latency_p99_9_ns"] == verdict.sample_latency.percentiles_ns[0.999]
    assert (single["query_count"], single["sample_count"]) == (1000, 1000)
    assert (server["metric_unit"], server["higher_is_better"]) == ("1/s", True)
    assert server["throughput_low_per_s"] < server["throughput_per_s"]


def test_csv_has_no_formulas() -> None:
    hostile = made_session(name="=cmd()")
    rows = list(csv.DictReader(io.StringIO(results_csv([hostile]).decode())))
    assert len(rows) == 3
    assert rows[0]["workload"] == "'=cmd()"
    assert rows[1]["is_valid"] == "true"
    assert float(rows[1]["metric_value"]) > 0


def test_results_as_parquet(session: Session, tmp_path: Path) -> None:
    parquet = parquet_module()
    write_parquet(tmp_path / "tables", [session])
    file = parquet.ParquetFile(tmp_path / "tables/results.parquet")
    assert file.schema_arrow.names == [column.name for column in COLUMNS]
    assert file.schema_arrow.field("metric_value").metadata[b"about"] == b"in metric_unit"
    assert file.read().to_pylist() == result_rows([session])
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"


def test_queries_as_parquet(session: Session, tmp_path: Path) -> None:
    parquet = parquet_module()
    write_parquet(tmp_path, [session])
    table = parquet.read_table(tmp_path / "queries.parquet")
    assert table.column_names == [column.name for column in QUERY_COLUMNS]
    recordings = [test.recording for test in session.tests]
    assert table.num_rows == sum(s.sample_count for r in recordings for s in r.series)
    rows = [row for row in table.to_pylist() if row["test"] == "Server/performance/run_1"]
    series = recordings[2].performance
    assert series is not None
    assert [row["latency_ns"] for row in rows] == series.latency_ns.tolist()
    assert [row["sample_index"] for row in rows] == series.sample_index.tolist()
    assert [row["lateness_ns"] for row in rows] == series.lateness_ns.tolist()
    assert {row["is_result"] for row in rows} == {True}
    assert {row["infer_ns"] for row in rows} == {None}


def changed(session: Session, **arrays: Any) -> Session:
    """Give a session of one test whose series has other arrays."""
    test = session.tests[1]
    (series,) = test.recording.series
    recording: Recording = dataclasses.replace(
        test.recording, series=(dataclasses.replace(series, **arrays),)
    )
    return dataclasses.replace(
        session, tests=(dataclasses.replace(test, recording=recording, folder=None),)
    )


def test_what_never_happened_or_was_not_told_is_empty(session: Session, tmp_path: Path) -> None:
    parquet = parquet_module()
    (series,) = session.tests[1].recording.series
    completed, began = series.completed_ns.copy(), series.issued_ns.copy()
    completed[3] = began[5] = -1
    told = np.full(len(began), 7, np.int64)
    some = changed(
        session, completed_ns=completed, began_ns=began, preprocess_ns=told, infer_ns=told
    )
    write_parquet(tmp_path, [some])
    rows = parquet.read_table(tmp_path / "queries.parquet").to_pylist()
    assert (rows[3]["completed_ns"], rows[3]["latency_ns"]) == (None, None)
    assert (rows[4]["infer_ns"], rows[5]["infer_ns"]) == (7, None)
    assert rows[3]["test"] == "SingleStream performance"


def test_many_queries_are_written_in_groups(session: Session, tmp_path: Path) -> None:
    parquet = parquet_module()
    (series,) = session.tests[1].recording.series
    repeat = 200
    arrays = {
        name: np.tile(getattr(series, name), repeat)
        for name in ("scheduled_ns", "issued_ns", "completed_ns", "sample_index")
    }
    write_parquet(tmp_path, [changed(session, **arrays)])
    metadata = parquet.ParquetFile(tmp_path / "queries.parquet").metadata
    assert metadata.num_rows == 200_000
    groups = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    assert groups == [65_536, 65_536, 65_536, 3392]


def test_hostile_names_are_written(tmp_path: Path) -> None:
    parquet = parquet_module()
    write_parquet(tmp_path, [made_session(name=HOSTILE)])
    rows = parquet.read_table(tmp_path / "results.parquet").to_pylist()
    assert rows[0]["workload"].startswith("a|b `c` <img")


def test_a_session_without_tests_gives_empty_tables(tmp_path: Path) -> None:
    parquet = parquet_module()
    write_parquet(tmp_path, [session_of()])
    for name, columns in (("results", COLUMNS), ("queries", QUERY_COLUMNS)):
        table = parquet.read_table(tmp_path / f"{name}.parquet")
        assert (table.num_rows, table.num_columns) == (0, len(columns))
    assert results_csv([session_of()]).decode().count("\n") == 1


def test_missing_pyarrow_is_one_line(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(TableError, match=r"pip install 'inferometer\[results\]'"):
        write_parquet(tmp_path, [session])
    assert list(tmp_path.iterdir()) == []
