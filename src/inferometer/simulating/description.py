"""Description: the TOML file that says what a simulated system is like, read and written."""

from __future__ import annotations

import tomllib
from pathlib import Path

from inferometer.rounds.table import RoundError, Table
from inferometer.simulating.described_keys import from_one, pairs, positive, section
from inferometer.simulating.described_service import read_service, service_lines
from inferometer.simulating.described_times import MS, read_time, write_time
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
        service=read_service(table.table("service")),
        name=table.text("name", "simulated"),
        replicas=from_one(table, "replicas"),
        routing=routing,
        batching=section(table, "batching", _batching) or Batching(),
        network=section(table, "network", _network) or Network(),
        failures=section(table, "failures", _failures),
        slow_start=section(table, "slow_start", _slow_start),
        price=section(table, "price", _price),
    )


def _batching(table: Table) -> Batching:
    wait_ns = table.number("max_wait_ms", 0.0) * MS
    return Batching(from_one(table, "workers"), from_one(table, "max_batch"), wait_ns)


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
        positive(table, "between_s"),
        positive(table, "repair_s"),
        table.number("detect_s", 0.0),
        table.number("retry_s", 0.0),
    )


def _slow_start(table: Table) -> SlowStart:
    return SlowStart(positive(table, "factor"), positive(table, "seconds"))


def _price(table: Table) -> Price:
    return Price(table.number("per_replica_hour"), table.text("currency", ""))


def system_toml(system: SimulatedSystem, remark: str = "") -> str:
    """Write a description that reads back as the same system; the remark stands above it."""
    lines = [f"# {line}" for line in remark.splitlines()]
    lines += pairs(name=system.name, replicas=system.replicas, routing=system.routing.value)
    lines += service_lines(system.service)
    batching = system.batching
    lines += ["", "[batching]"]
    lines += pairs(
        workers=batching.workers,
        max_batch=batching.max_batch,
        max_wait_ms=batching.max_wait_ns / MS,
    )
    lines += _network_lines(system.network)
    for key in ("failures", "slow_start", "price"):
        part = getattr(system, key)
        if part is not None:
            lines += ["", f"[{key}]", *pairs(**vars(part))]
    return "\n".join(lines) + "\n"


def _network_lines(network: Network) -> list[str]:
    if network == Network():
        return []
    return [
        "",
        "[network]",
        *pairs(
            request=write_time(network.request),
            response=write_time(network.response),
            request_bytes=network.request_bytes,
            response_bytes=network.response_bytes,
            gigabits_per_s=network.bytes_per_s * 8 / 1e9,
        ),
    ]
