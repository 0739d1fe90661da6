"""Result row: what is known of one result, published or one's own, in flat columns."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inferometer.loadgen import Finding, InferometerError, Rule, Severity

__all__ = ["COLUMNS", "SCHEMA_VERSION", "Column", "ResultRow", "TableError"]

SCHEMA_VERSION = 1
"""Version of the columns. Columns may be added within a version, never change their meaning."""

_KINDS = {
    "str": "text",
    "str | None": "text",
    "float | None": "number",
    "int | None": "count",
    "bool": "flag",
    "bool | None": "flag",
    "tuple[float, ...]": "numbers",
    "tuple[Finding, ...]": "findings",
}


class TableError(InferometerError):
    """A file of results can't be read or written; the message names it and what to do."""


def _column(about: str, default: Any = None) -> Any:
    return dataclasses.field(default=default, metadata={"about": about})


@dataclass(frozen=True, kw_only=True)
class ResultRow:
    """One result: a system, a benchmark and a scenario, with what was odd about it.

    What isn't known is ``None``; a kind, family or format that can't be told is "unknown".
    """

    round: str = _column("round, such as v0.5; for own runs how they were run, such as quick", "")
    division: str | None = _column("closed, open or network; none for own runs")
    submitter: str = _column("name of the submitter's folder; own for own runs", "")
    is_own: bool = _column("whether it is a run of one's own", False)
    system_id: str = _column("name of the system's folder", "")
    system_name: str | None = _column("name of the system in its description")
    status: str | None = _column("availability: available, preview, rdi, or what was written")
    processor_kind: str = _column("CPU, GPU, DSP, FPGA, ASIC or unknown", "unknown")
    accelerator: str | None = _column("accelerator's make and model; none if there is none")
    accelerator_count: int | None = _column("accelerators of all nodes together")
    host_processor: str | None = _column("host processor's make and model")
    host_processor_count: int | None = _column("host processors of all nodes together")
    node_count: int | None = _column("nodes of the system")
    framework: str | None = _column("framework, as it was written")
    framework_family: str = _column("family of the framework, other or unknown", "unknown")
    operating_system: str | None = _column("operating system, as it was written")
    benchmark: str = _column("official name of the benchmark in its round", "")
    benchmark_written: str = _column("name of the benchmark's folder, or of the workload", "")
    scenario: str = _column("SingleStream, MultiStream, Server, Offline, or what was written", "")
    metric: str | None = _column("name of the scenario's metric")
    metric_value: float | None = _column("the metric: of several runs the worst")
    metric_unit: str | None = _column("unit of the metric: ns, 1/s or streams")
    higher_is_better: bool | None = _column("whether more is better")
    run_count: int | None = _column("performance runs that were found")
    run_values: tuple[float, ...] = _column("the metric of each run, in the order of the runs", ())
    is_valid: bool | None = _column("whether every run says VALID")
    latency_bound_ms: float | None = _column("latency that had to be kept, in ms")
    latency_percentile: float | None = _column("percentile that counts for latency, such as 99")
    latency_ms: float | None = _column("latency at that percentile, in ms; none for Offline")
    latency_mean_ms: float | None = _column("mean latency of samples, in ms")
    latency_p50_ms: float | None = _column("median latency, in ms; MultiStream: of queries")
    latency_p90_ms: float | None = _column("90th percentile of latency, in ms")
    latency_p95_ms: float | None = _column("95th percentile of latency, in ms")
    latency_p97_ms: float | None = _column("97th percentile of latency, in ms")
    latency_p99_ms: float | None = _column("99th percentile of latency, in ms")
    latency_p999_ms: float | None = _column("99.9th percentile of latency, in ms")
    accuracy: float | None = _column("accuracy, in its unit")
    accuracy_metric: str | None = _column("what the accuracy is: top-1, mAP, BLEU, …")
    accuracy_unit: str | None = _column("unit of the accuracy: % or nothing")
    accuracy_target: float | None = _column("accuracy that the closed division asks for")
    meets_target: bool | None = _column("whether the accuracy reaches that")
    precision: str = _column("number formats of the weights, such as int8 or int8+fp16", "unknown")
    precision_written: str | None = _column("what the description says of the weights")
    source: str = _column("folder that was imported", "")
    folder: str = _column("folder of the result, below the source", "")
    findings: tuple[Finding, ...] = _column("what was odd, each with its rule and remedy", ())

    @property
    def title(self) -> str:
        """Name of the system for people: its description's, else its folder's."""
        return self.system_name or self.system_id

    @property
    def hardware(self) -> str:
        """What ran the model: the accelerator with its count, else the host processor."""
        name, count = self.host_processor, self.host_processor_count
        if self.accelerator and self.accelerator_count != 0:
            name, count = self.accelerator, self.accelerator_count
        if name is None:
            return UNTOLD
        return f"{count} × {name}" if count and count > 1 else name

    def to_mapping(self) -> dict[str, Any]:
        """Give the schema's version and all columns as plain values, ready for JSON."""
        values: dict[str, Any] = {"schema_version": SCHEMA_VERSION}
        for column in COLUMNS:
            value = getattr(self, column.name)
            if column.kind == "findings":
                value = [found.to_mapping() for found in value]
            values[column.name] = list(value) if column.kind == "numbers" else value
        return values

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], where: str) -> ResultRow:
        """Read what `to_mapping` gave; columns that are missing keep their defaults.

        Raises `TableError` that names ``where`` and the column.
        """
        version = values.get("schema_version")
        if not isinstance(version, int) or not 1 <= version <= SCHEMA_VERSION:
            raise TableError(
                f"{where}: column schema_version is {version!r}, expected 1 to {SCHEMA_VERSION}; "
                "give a file that `inferometer results import` wrote, or a newer Inferometer"
            )
        taken = {}
        for column in COLUMNS:
            value = values.get(column.name)
            if value is None and column.kind not in ("numbers", "findings"):
                continue
            try:
                taken[column.name] = _TAKERS[column.kind](value)
            except (TypeError, ValueError, KeyError, AttributeError):
                raise TableError(
                    f"{where}: column {column.name} holds {str(value)[:60]!r}, expected "
                    f"{column.kind}; import the folders again into a new file"
                ) from None
        return cls(**taken)


UNTOLD = "not told"


@dataclass(frozen=True)
class Column:
    """A column: its name, what it holds, and what that means.

    kind:
        text, number, count, flag, numbers (a list), or findings (a list of texts by name).
    """

    name: str
    kind: str
    about: str


COLUMNS = tuple(
    Column(field.name, _KINDS[str(field.type)], field.metadata["about"])
    for field in dataclasses.fields(ResultRow)
)
"""The columns of a table of results, in order."""


def _text(value: Any) -> str:
    """Take a text, made harmless to a terminal: a table may come from anybody."""
    if not isinstance(value, str):
        raise TypeError(value)
    plain = value.encode("utf-8", "backslashreplace").decode()
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in plain
    )


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(value)
    return float(value)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(value)
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


def _numbers(value: Sequence[Any] | None) -> tuple[float, ...]:
    return tuple(_number(item) for item in value or ())


def _findings(value: Sequence[Mapping[str, Any]] | None) -> tuple[Finding, ...]:
    return tuple(_finding(item) for item in value or ())


def _finding(value: Mapping[str, Any]) -> Finding:
    """Read a finding as it was written, whatever the catalogue says today."""
    names = ("rule", "title", "severity", "remedy", "seen")
    rule_id, title, severity, remedy, seen = (_text(value[name]) for name in names)
    return Finding(Rule(rule_id, title, Severity(severity), remedy), seen)


_TAKERS: Mapping[str, Any] = {
    "text": _text,
    "number": _number,
    "count": _count,
    "flag": _flag,
    "numbers": _numbers,
    "findings": _findings,
}
