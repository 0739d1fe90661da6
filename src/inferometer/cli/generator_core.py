"""``--generator-core``: keeps a core for the load generator while a command runs."""

from __future__ import annotations

import click

from inferometer.loadgen import keep_core

__all__ = ["generator_core_option"]

_ANY_CORE = "auto"


def _keep(context: click.Context, _: click.Parameter, value: str | None) -> None:
    """Keep the core until the command ends; threads of the system start after that."""
    if value is None:
        return
    if value != _ANY_CORE and not value.isdecimal():
        raise click.BadParameter(
            f"{value!r} is no number of a core; give one from 0, or {_ANY_CORE}"
        )
    context.with_resource(keep_core(None if value == _ANY_CORE else int(value)))


generator_core_option = click.option(
    "--generator-core",
    metavar="N|auto",
    callback=_keep,
    expose_value=False,
    help="keep a core for the load generator, which nothing of the system uses: it holds up no "
    "call when a query comes (Linux) [default: all share all cores]",
)
"""Keeps a core for as long as the command lasts."""
