"""Matrix: the file that says what a sweep measures, and what is needed of it."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from inferometer.comparing import Option
from inferometer.loadgen import Scenario
from inferometer.rounds.table import RoundError, Table
from inferometer.runs import Effort
from inferometer.sweeping.cost import Price
from inferometer.sweeping.need import Need
from inferometer.sweeping.option import SweepError, checked_value, option_from, place_of

__all__ = ["Matrix", "parse_matrix", "read_matrix"]

_MOST_OPTIONS = 1000
_SCENARIOS = (Scenario.SINGLE_STREAM, Scenario.OFFLINE)


@dataclass(frozen=True)
class Matrix:
    """What a sweep measures.

    server_qps:
        The rate of Server, the same for all options; 0 where Server isn't measured.
    needs:
        What an option has to meet to be of use.
    seed:
        Of the order in which the options are run.
    """

    workload: str
    options: tuple[Option, ...]
    scenarios: tuple[Scenario, ...] = _SCENARIOS
    server_qps: float = 0.0
    effort: Effort = Effort()
    needs: tuple[Need, ...] = ()
    price: Price | None = None
    seed: int = 0
    text: str = ""


def read_matrix(path: Path) -> Matrix:
    """Read a matrix from a TOML file; raise `SweepError` that names it and the key."""
    try:
        return parse_matrix(path.read_text("utf-8"), path.name)
    except OSError as error:
        raise SweepError(
            f"{path}: {error.strerror or error}; `inferometer sweep --example` prints one"
        ) from error
    except UnicodeDecodeError as error:
        raise SweepError(f"{path}: not a text in UTF-8 ({error.reason})") from error


def parse_matrix(text: str, name: str) -> Matrix:
    """Read a matrix from the text of a TOML file of a name."""
    try:
        table = Table(tomllib.loads(text), name)
        matrix = _matrix(table, text)
        table.finish()
    except tomllib.TOMLDecodeError as error:
        raise SweepError(f"{name}: not a TOML file: {error}") from error
    except RoundError as error:
        raise SweepError(str(error)) from error
    return matrix


def _matrix(table: Table, text: str) -> Matrix:
    scenarios = table.scenarios("scenarios") if table.has("scenarios") else _SCENARIOS
    server_qps = table.number("server_qps", 0.0)
    if Scenario.SERVER in scenarios and not server_qps:
        raise SweepError(
            f"{table.where('server_qps')} is missing; Server options are compared at one rate, "
            "in queries a second"
        )
    budget_s = table.number("budget_s", 3.0)
    return Matrix(
        workload=table.text("workload"),
        options=_options(table),
        scenarios=scenarios,
        server_qps=server_qps,
        effort=Effort(budget_s, min(1.0, budget_s / 2), table.number("precision", 0.02)),
        needs=tuple(
            Need.parse(text, f"{table.where('need')} {number}")
            for number, text in enumerate(table.texts("need", ()), start=1)
        ),
        price=_price(table),
        seed=table.count("seed", 0),
        text=text,
    )


def _price(table: Table) -> Price | None:
    if not table.has("price"):
        return None
    inner = table.table("price")
    price = Price(inner.number("per_hour"), inner.text("currency", ""))
    inner.finish()
    return price


def _options(table: Table) -> tuple[Option, ...]:
    """Give every combination but the excluded ones, and those added by name, each once."""
    axes = _axes(table)
    combined = [
        dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())
    ]
    excluded = _named(table, "exclude")
    for number, left_out in enumerate(excluded, start=1):
        if not any(_matches(values, left_out) for values in combined):
            raise SweepError(f"{table.where('exclude')} {number} leaves nothing out")
    kept = [values for values in combined if not any(_matches(values, left) for left in excluded)]
    kept += _named(table, "include")
    distinct = {tuple(values.items()): values for values in kept}.values()
    options = tuple(option_from(values, table.where("matrix")) for values in distinct)
    if not options:
        raise SweepError(f"{table.where('matrix')}: no option is left to measure")
    if len(options) > _MOST_OPTIONS:
        raise SweepError(
            f"{table.where('matrix')} gives {len(options):,} options; at most {_MOST_OPTIONS:,} "
            "are measured: take fewer values, or leave some out with [[exclude]]"
        )
    _check_places(options, table)
    return options


def _check_places(options: Sequence[Option], table: Table) -> None:
    places: dict[str, Option] = {}
    for option in options:
        other = places.setdefault(place_of(option).lower(), option)
        if other is not option:
            raise SweepError(
                f"{table.where('matrix')}: two options are called {option.label!r}; give files "
                "that tell them apart by name"
            )


def _axes(table: Table) -> dict[str, list[str]]:
    inner = table.table("matrix", may_miss=table.has("include"))
    axes = {}
    for name in inner.names():
        values = inner.values(name)
        if not values:
            raise SweepError(f"{inner.where(name)} is empty; leave it out, or give values")
        axes[name] = [checked_value(name, value, inner.where(name)) for value in values]
    return axes


def _named(table: Table, key: str) -> list[dict[str, str]]:
    found = []
    for inner in table.tables(key, may_miss=True):
        values = {
            name: checked_value(name, inner.value(name), inner.where(name))
            for name in inner.names()
        }
        if not values:
            raise SweepError(f"{inner.where('').rstrip('. ')} names nothing")
        found.append(values)
    return found


def _matches(values: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return all(values.get(name) == value for name, value in wanted.items())
