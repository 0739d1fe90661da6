"""Options that say how queries reach the model, as `run` and `search` take them."""

from __future__ import annotations

import click

from inferometer.cli.generator_core import generator_core_option
from inferometer.cli.options import together
from inferometer.runs import SERVING_KINDS

__all__ = ["serving_options"]

serving_options = together(
    click.option(
        "--serving",
        type=click.Choice(SERVING_KINDS),
        help="processes, ray: copies of the model, here or in a cluster; queue-runner: as the v0.5 "
        "Python reference; in-flight: remote [default: by scenario]",
    ),
    click.option(
        "--serving-option",
        "serving_extra",
        multiple=True,
        metavar="NAME=VALUE",
        help="what only this serving knows, such as address=auto of ray",
    ),
    click.option(
        "--workers",
        type=click.IntRange(1),
        help="pool workers, or copies of the model [default: usable cores]",
    ),
    generator_core_option,
    click.option("--max-batch", type=click.IntRange(1), default=32, show_default=True),
    click.option("--max-wait-ms", type=click.FloatRange(0), default=0.0, show_default=True),
)
"""How queries reach the model."""
