"""As run: what other verbs that measure take over from `inferometer run`."""

from __future__ import annotations

from typing import Any

from inferometer.cli.run import command as run_command

__all__ = ["as_run"]


def as_run() -> dict[str, Any]:
    """Give what `run` takes, as it is where nobody says otherwise, for performance alone."""
    defaults = run_command.make_context("run", []).params
    return {**defaults, "mode": "performance"}
