"""Shares on the command line: ``2%`` or ``0.02``."""

from __future__ import annotations

from typing import Any

import click

__all__ = ["Share"]


class Share(click.ParamType):  # type: ignore[type-arg]  # click 8.1 has no arguments
    """A share of something, written as a percentage or as a fraction, between two limits."""

    name = "share"

    def __init__(self, least: float, most: float):
        self._least, self._most = least, most

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Give the fraction."""
        text = str(value).strip()
        try:
            share = float(text.removesuffix("%")) / (100.0 if text.endswith("%") else 1.0)
        except ValueError:
            self.fail(f"{value!r} is not a share; write 2% or 0.02", param, ctx)
        if not self._least <= share <= self._most:
            self.fail(f"{value} is not from {self._least:.2%} to {self._most:.0%}", param, ctx)
        return share
