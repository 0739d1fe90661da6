"""Packing: what is unpacked is what was packed, and JSON ends no script."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inferometer.report.page.packing import packed, page_json


def unpacked(entry: dict[str, Any]) -> list[int]:
    """Unpack as the page's script does."""
    values = [entry["low"]] * entry["n"]
    planes = zlib.decompress(base64.b64decode(entry["data"])) if entry["bytes"] else b""
    for plane in range(entry["bytes"]):
        for place in range(entry["n"]):
            values[place] += planes[plane * entry["n"] + place] << (8 * plane)
    if "start" in entry:
        total = entry["start"]
        for place, step in enumerate(values):
            total += step
            values[place] = total
    return values


@given(st.lists(st.integers(-(2**40), 2**52), max_size=60))
@settings(deadline=None)
def test_numbers_come_back(values: list[int]) -> None:
    assert unpacked(packed(np.array(values, np.int64))) == values


def test_rising_numbers_are_packed_as_steps() -> None:
    values: NDArray[np.int64] = np.cumsum(np.arange(1000) % 7)
    entry = packed(values)
    assert "start" in entry
    assert entry["bytes"] == 1
    assert unpacked(entry) == values.tolist()
    assert packed(np.full(9, 5))["data"] == ""


@pytest.mark.parametrize("text", ["</script>", "<!-- <script>", "\u2028 & \u202e", 'a "quote"'])
def test_json_in_a_page_is_data_whatever_it_says(text: str) -> None:
    written = str(page_json({"name": text}))
    assert not set(written) & set("<>&\u2028\u202e")
    assert json.loads(written) == {"name": text}
