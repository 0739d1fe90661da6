"""Options that say how long a quick run goes on, as `run` takes them."""

from __future__ import annotations

import click

from inferometer.cli.options import together
from inferometer.cli.shares import Share

__all__ = ["effort_options"]

effort_options = together(
    click.option(
        "--budget",
        type=click.FloatRange(0.1),
        default=5.0,
        show_default=True,
        help="s; longest that a quick performance run lasts",
    ),
    click.option(
        "--precision",
        type=Share(1e-4, 1.0),
        default="2%",
        show_default=True,
        help="a quick run ends once its percentile is known to within this share",
    ),
    click.option(
        "--decide", is_flag=True, help="a quick run ends once its latency bound is decided instead"
    ),
    click.option(
        "--bound-ms",
        type=click.FloatRange(0, min_open=True),
        help="latency bound to decide [default: Server's; SingleStream and MultiStream have none]",
    ),
    click.option(
        "--error-rate",
        type=Share(1e-6, 0.2),
        default="1%",
        show_default=True,
        help="highest chance of deciding a bound wrongly, on each side",
    ),
)
"""When a quick run ends."""
