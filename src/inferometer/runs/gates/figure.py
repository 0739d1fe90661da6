"""Figure names: what a gate may ask for, by name, with the unit that it is in."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass

from inferometer.loadgen import PERCENTILES

__all__ = ["EXAMPLES", "FigureName", "Quantity", "figure_name"]


class Quantity(enum.Enum):
    """What a figure is measured in."""

    TIME = "a time"
    RATE = "a rate"
    SHARE = "a share or an accuracy"
    COUNT = "a count"

    @property
    def units(self) -> Mapping[str, float]:
        """The units that it may be written in, each in ns, 1/s, as a fraction or plainly."""
        return _UNITS[self]


_UNITS: Mapping[Quantity, Mapping[str, float]] = {
    Quantity.TIME: {
        "ns": 1.0,
        "us": 1e3,
        "µs": 1e3,
        "μs": 1e3,
        "ms": 1e6,
        "s": 1e9,
    },
    Quantity.RATE: {"/s": 1.0, "": 1.0},
    Quantity.SHARE: {"%": 0.01, "": 1.0},
    Quantity.COUNT: {"": 1.0},
}


@dataclass(frozen=True)
class FigureName:
    """Name of a figure of a test.

    family:
        ``latency``, ``lateness``, ``ttft`` (time to first token) or ``tpot`` (time per output
        token), of which ``part`` is ``mean``, ``min``, ``max`` or ``p``; else the figure itself.
    fraction:
        Of a percentile, such as 0.99.
    """

    family: str
    part: str = ""
    fraction: float | None = None

    @property
    def quantity(self) -> Quantity:
        """What it is measured in."""
        return _PLAIN.get(self.family, Quantity.TIME)

    def __str__(self) -> str:
        if self.family in _PLAIN:
            return self.family
        part = f"p{_percent(self.fraction)}" if self.fraction is not None else self.part
        return part if self.family == _LATENCY else f"{self.family}_{part}"


_LATENCY = "latency"
_FAMILIES = (_LATENCY, "lateness", "ttft", "tpot")
_TOKENS = ("ttft", "tpot")
_PARTS = ("mean", "min", "max")
_PLAIN: Mapping[str, Quantity] = {
    "throughput": Quantity.RATE,
    "tokens_per_s": Quantity.RATE,
    "accuracy": Quantity.SHARE,
    "goodput": Quantity.SHARE,
    "queries": Quantity.COUNT,
    "samples": Quantity.COUNT,
    "findings.errors": Quantity.COUNT,
    "findings.warnings": Quantity.COUNT,
}
_OTHER_NAMES = {
    "samples_per_s": "throughput",
    "samples/s": "throughput",
    "tokens/s": "tokens_per_s",
    "errors": "findings.errors",
    "warnings": "findings.warnings",
}
_PERCENTILE = re.compile(r"p([0-9]{1,2}(?:\.[0-9]{1,6})?)")

EXAMPLES = (
    *(f"p{100 * fraction:g}" for fraction in PERCENTILES),
    *_PARTS,
    *_PLAIN,
    *_OTHER_NAMES,
    *(f"{family}_{part}" for family in _FAMILIES[1:] for part in ("p99", *_PARTS)),
)
"""Names to suggest; every other percentile may be asked for as well."""


def figure_name(word: str) -> FigureName | None:
    """Read the name of a figure, in any case; ``None`` if it is none."""
    word = word.lower()
    word = _OTHER_NAMES.get(word, word)
    if word in _PLAIN:
        return FigureName(word)
    family, _, part = word.rpartition("_")
    family = family or _LATENCY
    if family not in _FAMILIES:
        return None
    if part in _PARTS:
        return FigureName(family, part)
    found = _PERCENTILE.fullmatch(part)
    if found is None or not float(found[1]):
        return None
    fraction = round(float(found[1]) / 100, 8)
    if family in _TOKENS and fraction not in PERCENTILES:
        return None
    return FigureName(family, "p", fraction)


def _percent(fraction: float) -> str:
    """Write a fraction as percent, without the noise of floating point."""
    return f"{fraction * 100:.6f}".rstrip("0").rstrip(".")
