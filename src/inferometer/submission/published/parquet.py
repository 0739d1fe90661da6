"""Parquet: a table of results as a typed, columnar file. The only part that needs pyarrow."""

from __future__ import annotations

import importlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

from inferometer.submission.published.row import COLUMNS, TableError

__all__ = ["arrow_modules", "parquet_bytes", "read_parquet"]

_INSTALL = "pip install 'inferometer[results]'"
_FINDING = ("rule", "severity", "title", "seen", "remedy")


def parquet_bytes(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Give the file for rows of plain values; raise `TableError` if pyarrow isn't installed."""
    arrow, parquet = arrow_modules()
    table = arrow.Table.from_pylist(list(rows), schema=_schema(arrow))
    file = io.BytesIO()
    parquet.write_table(table, file, compression="zstd")
    return file.getvalue()


def read_parquet(content: bytes, where: str) -> list[dict[str, Any]]:
    """Read rows of plain values; raise `TableError` if this isn't such a file."""
    arrow, parquet = arrow_modules()
    try:
        rows: list[dict[str, Any]] = parquet.read_table(io.BytesIO(content)).to_pylist()
    except (arrow.ArrowException, OSError, ValueError, UnicodeDecodeError) as error:
        raise TableError(f"{where}: not a Parquet file that can be read ({error})") from error
    return rows


def arrow_modules() -> tuple[Any, Any]:
    """Give pyarrow and its Parquet part; raise `TableError` that says how to install them."""
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise TableError(
            f"Parquet needs pyarrow, which isn't installed: {_INSTALL}, or write CSV instead"
        ) from error


def _schema(arrow: Any) -> Any:
    """Give the types of the columns; what each means stands in its metadata."""
    types = {
        "text": arrow.string(),
        "number": arrow.float64(),
        "count": arrow.int64(),
        "flag": arrow.bool_(),
        "numbers": arrow.list_(arrow.float64()),
        "findings": arrow.list_(arrow.struct([(name, arrow.string()) for name in _FINDING])),
    }
    fields = [arrow.field("schema_version", arrow.int64())]
    for column in COLUMNS:
        about = {"about": column.about}
        fields.append(arrow.field(column.name, types[column.kind], metadata=about))
    return arrow.schema(fields)
