"""Numbers in logs that somebody else wrote: read if they are such, and never too long."""

from __future__ import annotations

import math
import re

import numpy as np
from numpy.typing import NDArray

__all__ = ["count_in", "counts_in", "real_in"]

_COUNT = re.compile(r"\d{1,20}", re.ASCII)
_COMMAS = re.compile(r",{2,}")
_REAL = re.compile(r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,3})?", re.ASCII)


def count_in(text: object) -> int | None:
    """Read a whole number of at most 20 digits; ``None`` if the text is none."""
    found = _COUNT.fullmatch(text.strip()) if isinstance(text, str) else None
    return int(found[0]) if found else None


def counts_in(digits: str) -> NDArray[np.int64]:
    """Read whole numbers, of digits with commas between; int64 [numbers].

    Numbers beyond int64 become its largest.
    """
    plain = _COMMAS.sub(",", digits).strip(",")
    return np.fromstring(plain, np.int64, sep=",") if plain else np.empty(0, np.int64)


def real_in(text: object) -> float | None:
    """Read a finite number; ``None`` if the text is none."""
    found = _REAL.fullmatch(text.strip()) if isinstance(text, str) else None
    number = float(found[0]) if found else math.inf
    return number if math.isfinite(number) else None
