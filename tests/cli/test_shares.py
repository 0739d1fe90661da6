"""Shares on the command line."""

from __future__ import annotations

import click
import pytest

from inferometer.cli.shares import Share


@pytest.mark.parametrize(
    ("text", "share"), [("2%", 0.02), ("0.02", 0.02), (" 0.5 % ", 0.005), ("100%", 1)]
)
def test_shares(text: str, share: float) -> None:
    assert Share(1e-4, 1.0).convert(text, None, None) == pytest.approx(share)


@pytest.mark.parametrize("text", ["two", "2", "0", "-1%", "101%", "%"])
def test_what_is_no_share(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Share(1e-4, 1.0).convert(text, None, None)
