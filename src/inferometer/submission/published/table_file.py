"""Table files: results written to and read from Parquet, CSV or JSON Lines, by suffix."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from inferometer.loadgen import write_atomically
from inferometer.submission.published.parquet import parquet_bytes, read_parquet
from inferometer.submission.published.row import COLUMNS, ResultRow, TableError

__all__ = ["SUFFIXES", "check_table_name", "csv_cell", "merged", "read_table", "write_table"]

_Rows = Sequence[Mapping[str, Any]]
_MOST_BYTES = 1 << 30
_JSON_KINDS = ("numbers", "findings")
_FORMULA_SIGNS = ("=", "+", "-", "@", "'")


def write_table(path: Path, rows: Iterable[ResultRow]) -> None:
    """Write rows into a file, whole or not at all; its suffix says in which format.

    Raises `TableError` for an unknown suffix, and if pyarrow is needed but not installed.
    """
    write, _ = _format(path)
    write_atomically(path, write([row.to_mapping() for row in rows]))


def read_table(path: Path) -> list[ResultRow]:
    """Read the rows of a file that `write_table` wrote.

    Raises `TableError` that names the file, and where known the row and column, and says what
    to do.
    """
    _, read = _format(path)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise TableError(f"{path}: larger than 1 GiB, which no table of results is")
        content = path.read_bytes()
    except OSError as error:
        raise TableError(
            f"{path}: {error.strerror or error}; `inferometer results import FOLDER --into "
            f"{path}` makes such a file"
        ) from error
    return [
        ResultRow.from_mapping(values, f"{path}, row {number}")
        for number, values in enumerate(read(content, str(path)), start=1)
    ]


def check_table_name(path: Path) -> None:
    """Raise `TableError` if a table can't be written under this name, before there is work."""
    write, _ = _format(path)
    write([])


def merged(old: Iterable[ResultRow], new: Sequence[ResultRow]) -> list[ResultRow]:
    """Give the old rows and the new ones; rows of a source that is imported anew are replaced."""
    sources = {row.source for row in new}
    return [*(row for row in old if row.source not in sources), *new]


def _format(path: Path) -> tuple[Callable[[_Rows], bytes], Callable[[bytes, str], _Rows]]:
    if path.suffix.lower() not in _FORMATS:
        raise TableError(
            f"{path}: the suffix {path.suffix!r} names no format; end the name in "
            f"{', '.join(SUFFIXES)}"
        )
    return _FORMATS[path.suffix.lower()]


def _csv_bytes(rows: _Rows) -> bytes:
    """Write a row a line; lists and findings are JSON within their cell, nothing is empty."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["schema_version", *(column.name for column in COLUMNS)])
    for row in rows:
        cells = [csv_cell(column.kind, row[column.name]) for column in COLUMNS]
        writer.writerow([row["schema_version"], *cells])
    return text.getvalue().encode("utf-8")


def csv_cell(kind: str, value: Any) -> str:
    """Write a value of a kind of column as a cell; nothing for ``None``."""
    if value is None:
        return ""
    if kind in _JSON_KINDS:
        return json.dumps(value, ensure_ascii=False) if value else ""
    if kind == "flag":
        return "true" if value else "false"
    if kind == "number":
        return repr(value)
    text = str(value)
    # A spreadsheet would take such a text for a formula.
    return f"'{text}" if text.startswith(_FORMULA_SIGNS) else text


def _read_csv(content: bytes, where: str) -> list[dict[str, Any]]:
    text = io.StringIO(content.decode("utf-8-sig", "replace"), newline="")
    kinds = {column.name: column.kind for column in COLUMNS} | {"schema_version": "count"}
    rows = []
    limit = csv.field_size_limit(_MOST_BYTES)
    try:
        for number, cells in enumerate(csv.DictReader(text, strict=True), start=1):
            place = f"{where}, row {number}"
            there = [name for name in kinds if cells.get(name)]
            rows.append({n: _from_cell(kinds[n], cells[n], place, n) for n in there})
    except csv.Error as error:
        raise TableError(f"{where}: not a CSV file that can be read ({error})") from error
    finally:
        csv.field_size_limit(limit)
    return rows


def _from_cell(kind: str, cell: str, place: str, name: str) -> Any:
    try:
        if kind in _JSON_KINDS:
            return json.loads(cell)
        if kind == "flag":
            return {"true": True, "false": False}[cell]
        if kind == "text":
            return cell.removeprefix("'")
        return {"number": float, "count": int}[kind](cell)
    except (ValueError, KeyError, RecursionError) as error:
        raise TableError(
            f"{place}: column {name} holds {cell[:60]!r}, expected {kind}; import the folders "
            "again into a new file"
        ) from error


def _jsonl_bytes(rows: _Rows) -> bytes:
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return "".join(lines).encode("utf-8")


def _read_jsonl(content: bytes, where: str) -> list[dict[str, Any]]:
    rows = []
    for number, line in enumerate(content.decode("utf-8-sig", "replace").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise TableError(f"{where}: line {number} is no JSON ({error})") from error
        if not isinstance(values, dict):
            raise TableError(f"{where}: line {number} is no JSON object")
        rows.append(values)
    return rows


_FORMATS: Mapping[str, tuple[Callable[[_Rows], bytes], Callable[[bytes, str], _Rows]]] = {
    ".parquet": (parquet_bytes, read_parquet),
    ".csv": (_csv_bytes, _read_csv),
    ".jsonl": (_jsonl_bytes, _read_jsonl),
}
SUFFIXES = tuple(_FORMATS)
"""What the name of a table's file may end in."""
