"""Packing: whole numbers made small enough for a page, exactly, and JSON that a page can hold."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

__all__ = ["packed", "page_json"]

_LEVEL = 6
_STEP_GAIN = 4

Integers = NDArray[np.int64]


def packed(values: Integers) -> dict[str, Any]:
    """Pack int64 [n], exact below 2**53, for the page's script.

    ``low`` is taken off each number; what is left is cut into ``bytes`` planes, lowest byte
    first, which are deflated and written in base 64. Where neighbours are alike, the steps
    from one to the next are packed in place of the numbers, from ``start`` on.
    """
    start = None
    if len(values) > 1:
        steps = np.diff(values, prepend=values[:1])
        if np.ptp(steps) < np.ptp(values) // _STEP_GAIN:
            start, values = int(values[0]), steps
    low = int(values.min()) if len(values) else 0
    rest = values - low
    width = (int(rest.max()).bit_length() + 7) // 8 if len(values) else 0
    planes = rest.astype("<i8").view(np.uint8).reshape(-1, 8).T[:width]
    found: dict[str, Any] = {"n": len(values), "low": low, "bytes": width}
    if start is not None:
        found["start"] = start
    data = zlib.compress(planes.tobytes(), _LEVEL) if width else b""
    return {**found, "data": base64.b64encode(data).decode()}


def page_json(value: Any) -> Markup:
    """Give JSON that stays data wherever it stands in a page: no text in it ends a script."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704 - no sign in it means anything to HTML
