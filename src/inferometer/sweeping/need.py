"""Need: what an option has to meet to be of use, such as ``SingleStream latency <= 2 ms``."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass

from inferometer.loadgen import nearest_name
from inferometer.runs.gates import Quantity
from inferometer.sweeping.figure import FIGURES, Figure, FigureKind
from inferometer.sweeping.option import SweepError

__all__ = ["Answer", "Need"]

_TEXT = re.compile(
    r"\s*(?P<name>[A-Za-z][A-Za-z ]*?)\s*(?P<sign><=|>=)"
    r"\s*(?P<number>[\d.eE+-]+)\s*(?P<unit>\S*)\s*"
)
_UNITS: Mapping[str, Mapping[str, float]] = {
    "ns": Quantity.TIME.units,
    "1/s": Quantity.RATE.units,
    "bytes": {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30},
    "J": {"J": 1, "mJ": 1e-3, "uJ": 1e-6, "µJ": 1e-6},
    "cost": {"": 1},
    "accuracy": Quantity.SHARE.units,
}


class Answer(enum.Enum):
    """Whether a need is met."""

    MET = "meets it"
    OPEN = "may meet it"
    """The limit lies within the interval."""
    MISSED = "misses it"
    UNKNOWN = "not known"


@dataclass(frozen=True)
class Need:
    """A limit for one figure, in the figure's unit: ns, 1/s, bytes, J, the metric's own."""

    kind: FigureKind
    at_most: bool
    limit: float
    text: str

    @classmethod
    def parse(cls, text: str, where: str) -> Need:
        """Read a need; raise `SweepError` that begins with ``where``."""
        match = _TEXT.fullmatch(text)
        if match is None:
            raise SweepError(
                f"{where}: {text!r} isn't a need; write it like 'SingleStream latency <= 2 ms'"
            )
        kind = _kind(match["name"], where)
        units = _UNITS[kind.unit]
        if match["unit"] not in units:
            known = ", ".join(unit or "none" for unit in units)
            raise SweepError(f"{where}: {kind.name} has no unit {match['unit']!r}; known: {known}")
        try:
            number = float(match["number"])
        except ValueError:
            raise SweepError(f"{where}: {match['number']!r} isn't a number") from None
        limit = number * units[match["unit"]]
        return cls(kind, match["sign"] == "<=", limit, " ".join(text.split()))

    def answer(self, figure: Figure | None) -> Answer:
        """Say whether a figure keeps the limit, its whole interval being looked at."""
        if figure is None:
            return Answer.UNKNOWN
        within = (
            (figure.high <= self.limit, figure.low <= self.limit)
            if self.at_most
            else (figure.low >= self.limit, figure.high >= self.limit)
        )
        if not within[1]:
            return Answer.MISSED
        return Answer.MET if within[0] and figure.is_valid else Answer.OPEN


def _kind(name: str, where: str) -> FigureKind:
    known = {kind.lower(): FIGURES[kind] for kind in FIGURES}
    wanted = " ".join(name.lower().split())
    if wanted not in known:
        raise SweepError(
            f"{where}: there is no figure {name.strip()!r}{nearest_name(name, FIGURES)}; known: "
            f"{', '.join(FIGURES)}"
        )
    return known[wanted]
