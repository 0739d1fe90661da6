"""Described service: times of calls as they stand in a description, read and written."""

from __future__ import annotations

from dataclasses import replace

from inferometer.rounds.table import Table
from inferometer.simulating.described_keys import from_one, pairs, positive, section
from inferometer.simulating.described_times import (
    MS,
    read_shape,
    read_time,
    write_shape,
    write_time,
)
from inferometer.simulating.distribution import Constant, Distribution
from inferometer.simulating.service import BatchTime, Cold, Drift, ServiceTime, Slack, Stalls
from inferometer.simulating.system import SimulationError

__all__ = ["read_service", "service_lines"]


def read_service(table: Table) -> ServiceTime:
    """Read times of calls; raise `SimulationError` that names the key."""
    shape = _shape(table, "shape") or Constant(1.0)
    woken_shape = _shape(table, "woken_shape")
    if table.has("batch"):
        rows = tuple(_row(inner, shape, woken_shape) for inner in table.tables("batch"))
        if [row.size for row in rows] != sorted({row.size for row in rows}):
            raise SimulationError(f"{table.where('batch')}: sizes have to ascend")
    else:
        setup, each = table.number("setup_ms", 0.0) * MS, table.number("per_sample_ms") * MS
        if not setup + each:
            raise SimulationError(f"{table.where('per_sample_ms')}: a call has to take some time")
        line = ServiceTime.line(setup, each, shape).rows
        rows = tuple(replace(row, woken_shape=woken_shape) for row in line)
    found = ServiceTime(
        rows,
        contention=table.number("contention", 0.0),
        drift=section(table, "drift", _drift),
        wake_ns=table.number("wake_ms", 0.0) * MS,
        gather_ns=table.number("gather_ms", 0.0) * MS,
        preprocess_ns=table.number("preprocess_ms", 0.0) * MS,
        postprocess_ns=table.number("postprocess_ms", 0.0) * MS,
        cold=section(table, "cold", _cold),
        slack=section(table, "slack", _slack),
        stalls=section(table, "stalls", _stalls),
    )
    table.finish()
    return found


def _shape(table: Table, key: str) -> Distribution | None:
    return read_shape(table.table(key)) if table.has(key) else None


def _drift(table: Table) -> Drift:
    spreads = table.number("spread"), table.number("idle_spread", 0.0)
    return Drift(spreads[0], positive(table, "period_s"), spreads[1])


def _cold(table: Table) -> Cold:
    times = (positive(table, key) * MS for key in ("cools_ms", "warms_ms"))
    return Cold(table.number("extra_ms") * MS, *times)


def _slack(table: Table) -> Slack:
    memory_s = positive(table, "memory_s")
    return Slack(table.number("excess", 0.0), memory_s, table.number("scatter", 0.0))


def _stalls(table: Table) -> Stalls:
    return Stalls(positive(table, "per_s"), read_time(table.table("lasting")))


def _row(table: Table, shape: Distribution, woken_shape: Distribution | None) -> BatchTime:
    own = _shape(table, "shape")
    woken = _shape(table, "woken_shape") or (woken_shape if own is None else None)
    size, mean_ns = from_one(table, "size"), positive(table, "mean_ms") * MS
    row = BatchTime(size, mean_ns, own or shape, woken)
    table.finish()
    return row


def service_lines(service: ServiceTime) -> list[str]:
    """Write times of calls."""
    lines = ["", "[service]"]
    lines += pairs(
        contention=round(service.contention, 6),
        wake_ms=service.wake_ns / MS,
        gather_ms=service.gather_ns / MS,
        preprocess_ms=service.preprocess_ns / MS,
        postprocess_ms=service.postprocess_ns / MS,
    )
    if service.drift is not None:
        lines += ["", "[service.drift]", *pairs(**vars(service.drift))]
    if service.cold is not None:
        times = {key.replace("_ns", "_ms"): at / MS for key, at in vars(service.cold).items()}
        lines += ["", "[service.cold]", *pairs(**times)]
    if service.slack is not None:
        lines += ["", "[service.slack]", *pairs(**vars(service.slack))]
    if service.stalls is not None:
        per_s, lasting = service.stalls.per_s, write_time(service.stalls.lasting)
        lines += ["", "[service.stalls]", *pairs(per_s=per_s, lasting=lasting)]
    for row in service.rows:
        lines += ["", "[[service.batch]]", *_row_lines(row)]
    return lines


def _row_lines(row: BatchTime) -> list[str]:
    woken = {} if row.woken_shape is None else {"woken_shape": write_shape(row.woken_shape)}
    mean_ms = row.mean_ns / MS
    return pairs(size=row.size, mean_ms=mean_ms, shape=write_shape(row.shape), **woken)
