"""Tables on disk: what is read is what was written, in every format."""

from __future__ import annotations

import csv
import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inferometer.submission.published import (
    COLUMNS,
    READING_RULES,
    ResultRow,
    TableError,
    check_table_name,
    import_folder,
    merged,
    read_table,
    write_table,
)
from inferometer.submission.published.findings import odd
from tests.submission.published.trees import Made
from tests.support import ROOT

texts = st.text(st.characters(categories=("L", "N", "P", "S"), include_characters=" "), max_size=20)
words = texts.filter(lambda text: text != "")
numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)
rows = st.builds(
    ResultRow,
    round=texts,
    submitter=texts,
    is_own=st.booleans(),
    system_name=st.none() | words,
    accelerator_count=st.none() | st.integers(0, 10**6),
    metric_value=numbers,
    higher_is_better=st.none() | st.booleans(),
    run_values=st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=3).map(tuple),
    latency_ms=numbers,
    precision=words,
    findings=st.lists(st.builds(odd, st.sampled_from(sorted(READING_RULES)), texts),
                      max_size=2).map(tuple),
)  # fmt: skip


def arrow_or_skip(suffix: str) -> None:
    if suffix == ".parquet":
        pytest.importorskip("pyarrow", reason="pyarrow isn't installed")


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_what_is_read_is_what_was_written(
    suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    arrow_or_skip(suffix)
    path = tmp_path_factory.mktemp("table") / f"results{suffix}"

    @given(st.lists(rows, max_size=4))
    @settings(max_examples=40, deadline=None)
    def check(written: list[ResultRow]) -> None:
        write_table(path, written)
        assert read_table(path) == written

    check()


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_a_tree_survives_the_disk(suffix: str, tmp_path: Path) -> None:
    arrow_or_skip(suffix)
    found = import_folder(Made(tmp_path / "tree", benchmark="resnet50").root).rows
    path = tmp_path / f"results{suffix}"
    write_table(path, found)
    assert read_table(path) == list(found)
    assert found[0].findings


def test_parquet_has_types_and_says_what_columns_mean(tmp_path: Path) -> None:
    arrow_or_skip(".parquet")
    parquet: Any = importlib.import_module("pyarrow.parquet")
    path = tmp_path / "results.parquet"
    write_table(path, [ResultRow()])
    schema = parquet.read_schema(path)
    assert schema.names == ["schema_version", *(column.name for column in COLUMNS)]
    assert str(schema.field("metric_value").type) == "double"
    assert schema.field("metric_value").metadata[b"about"].decode()


def test_without_pyarrow_the_command_that_brings_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(TableError, match=r"pip install 'inferometer\[results\]'") as found:
        check_table_name(tmp_path / "results.parquet")
    assert "\n" not in str(found.value)
    check_table_name(tmp_path / "results.csv")


def test_spreadsheets_get_no_formulas(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    row = ResultRow(submitter="=HYPERLINK(1)", system_name="'quoted", precision="-")
    write_table(path, [row])
    with path.open(encoding="utf-8", newline="") as file:
        cells = next(csv.DictReader(file))
    assert cells["submitter"] == "'=HYPERLINK(1)"
    assert read_table(path) == [row]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.txt", "", "names no format"),
        ("x.csv", "a,b\n1,2\n", "schema_version is None"),
        ("x.csv", "schema_version,metric_value\n1,much\n", "column metric_value holds 'much'"),
        ("x.csv", "schema_version,is_own\n1,maybe\n", "expected flag"),
        ("x.csv", 'schema_version\n"1', "not a CSV file"),
        ("x.jsonl", "{", "line 1 is no JSON"),
        ("x.jsonl", "[1]", "line 1 is no JSON object"),
        ("x.jsonl", '{"schema_version": 99}', "a newer Inferometer"),
        ("x.jsonl", '{"schema_version": 1, "round": 5}', "row 1: column round holds '5'"),
        ("x.jsonl", '{"schema_version": 1, "metric_value": NaN}', "expected number"),
        ("x.jsonl", '{"schema_version": 1, "findings": [{}]}', "column findings"),
        ("x.jsonl", '{"schema_version": 1, "run_values": 5}', "column run_values"),
    ],
)
def test_damaged_files_say_where(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(TableError, match="x") as found:
        read_table(path)
    assert message in str(found.value)


def test_a_damaged_parquet_file_says_so(tmp_path: Path) -> None:
    arrow_or_skip(".parquet")
    path = tmp_path / "x.parquet"
    for content in (b"", b"PAR1 and no more", b"PAR1" * 100):
        path.write_bytes(content)
        with pytest.raises(TableError, match="not a Parquet file"):
            read_table(path)


def test_a_file_that_is_not_there_says_how_it_is_made(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="inferometer results import FOLDER"):
        read_table(tmp_path / "none.csv")


def test_texts_of_foreign_tables_are_made_harmless(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({"schema_version": 1, "submitter": "\x1b[31m\ud800x"}))
    assert read_table(path)[0].submitter == "\N{REPLACEMENT CHARACTER}[31m\\ud800x"


def test_rows_of_the_same_source_are_replaced() -> None:
    old = [ResultRow(source="a", round="1"), ResultRow(source="b", round="1")]
    new = [ResultRow(source="a", round="2")]
    assert [(row.source, row.round) for row in merged(old, new)] == [("b", "1"), ("a", "2")]


def test_every_column_is_documented() -> None:
    text = (ROOT / "docs" / "results.md").read_text("utf-8")
    for column in COLUMNS:
        assert column.about
        assert f"`{column.name}`" in text
