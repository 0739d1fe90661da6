"""Figure: a chart as a picture, and the numbers from which the page's script draws it anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

__all__ = ["Figure"]


@dataclass(frozen=True)
class Figure:
    """A chart with what it shows.

    chart:
        Its kind, which the script knows, and its numbers, packed.
    """

    title: str
    text: str
    svg: Markup
    chart: Mapping[str, Any]
