"""Description: the TOML file that says what a simulated system is like, read and written."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from inferometer.rounds.table import RoundError, Table
from inferometer.simulating.described_times import (
    MS,
    read_shape,
    read_time,
    write_shape,
    write_time,
)
from inferometer.simulating.distribution import Constant, Distribution
from inferometer.simulating.service import BatchTime, Drift, ServiceTime
from inferometer.simulating.system import (
    Batching,
    Failures,
    Network,
    Price,
    Routing,
    SimulatedSystem,
    SimulationError,
    SlowStart,
)

_Section = TypeVar("_Section")

__all__ = ["parse_system", "read_system", "system_toml"]


def read_system(path: Path) -> SimulatedSystem:
    """Read a description; raise `SimulationError` that names the file and the key."""
    try:
        return parse_system(path.read_text("utf-8"), path.name)
    except OSError as error:
        raise SimulationError(
            f"{path}: {error.strerror or error}; `inferometer simulate --example` prints one"
        ) from error
    except UnicodeDecodeError as error:
        raise SimulationError(f"{path}: not a text in UTF-8 ({error.reason})") from error


def parse_system(text: str, name: str) -> SimulatedSystem:
    """Read a description from the text of a TOML file of a name."""
    try:
        table = Table(tomllib.loads(text), name)
        system = _system(table)
        table.finish()
    except tomllib.TOMLDecodeError as error:
        raise SimulationError(f"{name}: not a TOML file: {error}") from error
    except RoundError as error:
        raise SimulationError(str(error)) from error
    return system


def _system(table: Table) -> SimulatedSystem:
    routing = table.word("routing", Routing, "routing") if table.has("routing") else Routing.RANDOM
    return SimulatedSystem(
        service=_service(table.table("service")),
        name=table.text("name", "simulated"),
        replicas=_from_one(table, "replicas"),
        routing=routing,
        batching=_section(table, "batching", _batching) or Batching(),
        network=_section(table, "network", _network) or Network(),
        failures=_section(table, "failures", _failures),
        slow_start=_section(table, "slow_start", _slow_start),
        price=_section(table, "price", _price),
    )


def _section(table: Table, key: str, read: Callable[[Table], _Section]) -> _Section | None:
    if not table.has(key):
        return None
    inner = table.table(key)
    found = read(inner)
    inner.finish()
    return found


def _from_one(table: Table, key: str) -> int:
    value = table.count(key, 1)
    if value < 1:
        raise SimulationError(f"{table.where(key)} is {value}; it takes 1 or more")
    return value


def _positive(table: Table, key: str) -> float:
    value = table.number(key)
    if value <= 0:
        raise SimulationError(f"{table.where(key)} is {value:g}; it takes a number above 0")
    return value


def _service(table: Table) -> ServiceTime:
    shape = read_shape(table.table("shape")) if table.has("shape") else Constant(1.0)
    if table.has("batch"):
        rows = tuple(_row(inner, shape) for inner in table.tables("batch"))
        if [row.size for row in rows] != sorted({row.size for row in rows}):
            raise SimulationError(f"{table.where('batch')}: sizes have to ascend")
    else:
        setup, each = table.number("setup_ms", 0.0) * MS, table.number("per_sample_ms") * MS
        if not setup + each:
            raise SimulationError(f"{table.where('per_sample_ms')}: a call has to take some time")
        rows = ServiceTime.line(setup, each, shape).rows
    drift = _section(
        table, "drift", lambda inner: Drift(inner.number("spread"), _positive(inner, "period_s"))
    )
    found = ServiceTime(
        rows,
        contention=table.number("contention", 0.0),
        drift=drift,
        wake_ns=table.number("wake_ms", 0.0) * MS,
        preprocess_ns=table.number("preprocess_ms", 0.0) * MS,
        postprocess_ns=table.number("postprocess_ms", 0.0) * MS,
    )
    table.finish()
    return found


def _row(table: Table, shape: Distribution) -> BatchTime:
    own = read_shape(table.table("shape")) if table.has("shape") else shape
    row = BatchTime(_from_one(table, "size"), _positive(table, "mean_ms") * MS, own)
    table.finish()
    return row


def _batching(table: Table) -> Batching:
    wait_ns = table.number("max_wait_ms", 0.0) * MS
    return Batching(_from_one(table, "workers"), _from_one(table, "max_batch"), wait_ns)


def _network(table: Table) -> Network:
    delays = {key: read_time(table.table(key)) for key in ("request", "response") if table.has(key)}
    return Network(
        **delays,
        request_bytes=table.number("request_bytes", 0.0),
        response_bytes=table.number("response_bytes", 0.0),
        bytes_per_s=table.number("gigabits_per_s", 0.0) * 1e9 / 8,
    )


def _failures(table: Table) -> Failures:
    return Failures(
        _positive(table, "between_s"),
        _positive(table, "repair_s"),
        table.number("detect_s", 0.0),
        table.number("retry_s", 0.0),
    )


def _slow_start(table: Table) -> SlowStart:
    return SlowStart(_positive(table, "factor"), _positive(table, "seconds"))


def _price(table: Table) -> Price:
    return Price(table.number("per_replica_hour"), table.text("currency", ""))


def system_toml(system: SimulatedSystem, remark: str = "") -> str:
    """Write a description that reads back as the same system; the remark stands above it."""
    lines = [f"# {line}" for line in remark.splitlines()]
    lines += _pairs(name=system.name, replicas=system.replicas, routing=system.routing.value)
    service = system.service
    lines += ["", "[service]"]
    lines += _pairs(
        contention=round(service.contention, 6),
        wake_ms=service.wake_ns / MS,
        preprocess_ms=service.preprocess_ns / MS,
        postprocess_ms=service.postprocess_ns / MS,
    )
    if service.drift is not None:
        drift = {"spread": service.drift.spread, "period_s": service.drift.period_s}
        lines += ["", "[service.drift]", *_pairs(**drift)]
    for row in service.rows:
        values = {"size": row.size, "mean_ms": row.mean_ns / MS, "shape": write_shape(row.shape)}
        lines += ["", "[[service.batch]]", *_pairs(**values)]
    batching = system.batching
    lines += ["", "[batching]"]
    lines += _pairs(
        workers=batching.workers,
        max_batch=batching.max_batch,
        max_wait_ms=batching.max_wait_ns / MS,
    )
    lines += _network_lines(system.network)
    for key in ("failures", "slow_start", "price"):
        section = getattr(system, key)
        if section is not None:
            lines += ["", f"[{key}]", *_pairs(**vars(section))]
    return "\n".join(lines) + "\n"


def _network_lines(network: Network) -> list[str]:
    if network == Network():
        return []
    return [
        "",
        "[network]",
        *_pairs(
            request=write_time(network.request),
            response=write_time(network.response),
            request_bytes=network.request_bytes,
            response_bytes=network.response_bytes,
            gigabits_per_s=network.bytes_per_s * 8 / 1e9,
        ),
    ]


def _pairs(**values: Any) -> list[str]:
    return [f"{key} = {_value(value)}" for key, value in values.items()]


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(_pairs(**value)) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return f"{value:.9g}" if isinstance(value, float) else str(value)
