"""Described times: distributions as they stand in a description, read and written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from inferometer.loadgen import nearest_name
from inferometer.rounds.table import Table
from inferometer.simulating.distribution import (
    Constant,
    Distribution,
    Exponential,
    Gamma,
    Lognormal,
    Mixture,
    Quantiles,
)
from inferometer.simulating.system import SimulationError

__all__ = ["MS", "read_shape", "read_time", "write_shape", "write_time"]

MS = 1e6
"""ns in a ms: descriptions hold ms."""


def read_time(table: Table) -> Distribution:
    """Read a time, in ms, as ns."""
    return _read(table, "_ms").scaled(MS)


def read_shape(table: Table) -> Distribution:
    """Read a shape: a distribution scaled to a mean of 1."""
    found = _read(table, "")
    if not found.mean > 0:
        raise SimulationError(f"{table.where('kind')}: the mean of a shape has to be above 0")
    return found.scaled(1.0 / found.mean)


def write_time(found: Distribution) -> dict[str, Any]:
    """Give a time, ns, as it stands in a description."""
    return _write(found.scaled(1.0 / MS), "_ms")


def write_shape(found: Distribution) -> dict[str, Any]:
    """Give a shape as it stands in a description."""
    return _write(found, "")


def _read(table: Table, unit: str) -> Distribution:
    kind = table.text("kind")
    if kind not in _KINDS:
        raise SimulationError(
            f"{table.where('kind')}: there is no distribution {kind!r}"
            f"{nearest_name(kind, _KINDS)}; known: {', '.join(_KINDS)}"
        )
    found = _KINDS[kind](table, unit)
    table.finish()
    return found


def _mean(table: Table, unit: str) -> float:
    return table.number(f"mean{unit}", None if unit else 1.0)


def _variation(table: Table) -> float:
    value = table.number("variation")
    if value == 0:
        raise SimulationError(
            f"{table.where('variation')} is 0; it takes the standard deviation over the mean, or "
            'use kind = "constant"'
        )
    return value


def _quantiles(table: Table, unit: str) -> Distribution:
    key = f"values{unit}"
    values = _numbers(table, key)
    even = [n / max(1, len(values) - 1) for n in range(len(values))]
    fractions = _numbers(table, "fractions") if table.has("fractions") else even
    if len(values) < 2 or len(fractions) != len(values):
        raise SimulationError(
            f"{table.where(key)} holds {len(values)} values for {len(fractions)} fractions; it "
            "takes at least two, and as many of both"
        )
    if values != sorted(values) or fractions != sorted(fractions):
        raise SimulationError(f"{table.where(key)}: values and fractions have to ascend")
    if (fractions[0], fractions[-1]) != (0.0, 1.0):
        raise SimulationError(f"{table.where('fractions')} have to go from 0 to 1")
    return Quantiles(tuple(fractions), tuple(values))


def _numbers(table: Table, key: str) -> list[float]:
    found = table.values(key)
    for value in found:
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise SimulationError(f"{table.where(key)} holds {value!r}; it takes numbers from 0")
    return [float(value) for value in found]


def _mixture(table: Table, unit: str) -> Distribution:
    shares, parts = [], []
    for inner in table.tables("parts"):
        shares.append(inner.share("share"))
        parts.append(_read(inner, unit))
    if abs(sum(shares) - 1.0) > 1e-6:
        raise SimulationError(
            f"{table.where('parts')}: the shares add up to {sum(shares):g}; they have to make 1"
        )
    return Mixture(tuple(shares), tuple(parts))


_KINDS: Mapping[str, Callable[[Table, str], Distribution]] = {
    "constant": lambda table, unit: Constant(_mean(table, unit)),
    "exponential": lambda table, unit: Exponential(_mean(table, unit)),
    "lognormal": lambda table, unit: Lognormal(_mean(table, unit), _variation(table)),
    "gamma": lambda table, unit: Gamma(_mean(table, unit), _variation(table)),
    "quantiles": _quantiles,
    "mixture": _mixture,
}


def _write(found: Distribution, unit: str) -> dict[str, Any]:
    match found:
        case Constant():
            return {"kind": "constant", f"mean{unit}": _rounded(found.mean)}
        case Exponential():
            return {"kind": "exponential", f"mean{unit}": _rounded(found.mean)}
        case Lognormal() | Gamma():
            kind = "lognormal" if isinstance(found, Lognormal) else "gamma"
            return {
                "kind": kind,
                f"mean{unit}": _rounded(found.mean),
                "variation": _rounded(found.variation),
            }
        case Quantiles():
            return {
                "kind": "quantiles",
                "fractions": [_rounded(fraction) for fraction in found.fractions],
                f"values{unit}": [_rounded(value) for value in found.values],
            }
        case Mixture():
            pairs = zip(found.shares, found.parts, strict=True)
            parts = [{"share": _rounded(share), **_write(part, unit)} for share, part in pairs]
            return {"kind": "mixture", "parts": parts}
    raise TypeError(f"{found!r} can't be written")


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
