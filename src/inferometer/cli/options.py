"""Options that several verbs take, each written once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from inferometer.backends import NUMBER_FORMATS
from inferometer.rounds import round_names

__all__ = [
    "backend_options",
    "count_option",
    "json_option",
    "quiet_option",
    "round_option",
    "scenario_option",
    "set_option",
    "threads_option",
    "together",
    "weights_option",
    "workload_option",
    "workload_options",
]

_Command = TypeVar("_Command", bound=Callable[..., Any])
_Option = Callable[[_Command], _Command]


def together(*options: _Option[Any]) -> _Option[Any]:
    """Give one decorator for several options, listed in this order."""

    def decorate(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


weights_option = click.option(
    "--weights",
    type=click.Choice(["published", "random"]),
    default="published",
    show_default=True,
    help="random: the true architecture with random weights; its accuracy is not measured",
)
number_format_option = click.option(
    "--number-format",
    type=click.Choice(NUMBER_FORMATS),
    default="fp32",
    show_default=True,
    help="bf16, fp16: computed so, where the backend can; int8: what `inferometer quantize` made",
)
count_option = click.option(
    "--count", type=click.IntRange(1), help="only the first so many samples, a preview"
)
workload_option = click.option(
    "--workload-option",
    "-o",
    "workload_extra",
    multiple=True,
    metavar="NAME=VALUE",
    help="what only this workload knows, such as preprocessing=torchvision",
)
workload_options = together(
    click.option(
        "--model",
        type=click.Path(path_type=Path),
        help="your own model: a file, a folder of its parts, or FILE.py:FUNCTION",
    ),
    click.option(
        "--data",
        type=click.Path(path_type=Path),
        help="the data set's folder or list; `synthetic` for made-up samples",
    ),
    weights_option,
    number_format_option,
    count_option,
    workload_option,
)
"""Which model runs on which samples."""

backend_options = together(
    click.option("--backend", help="what runs the model [default: onnxruntime]"),
    click.option(
        "--device", default="cpu", show_default=True, help="cpu, cuda, or a provider's name"
    ),
    click.option(
        "--backend-option",
        "extra",
        multiple=True,
        metavar="NAME=VALUE",
        help="what only this backend knows",
    ),
)
"""What runs it, and where."""

threads_option = click.option(
    "--threads",
    type=click.IntRange(1),
    help="threads within one model call [default: 1; SingleStream of models from 4 MB: all cores]",
)
round_option = click.option(
    "--round", "round_name", help=f"run by the book: {', '.join(round_names())}"
)
set_option = click.option(
    "--set", "assignments", multiple=True, metavar="NAME=VALUE", help="one setting"
)
json_option = click.option("--json", "as_json", is_flag=True, help="print JSON, nothing else")
quiet_option = click.option("--quiet", is_flag=True, help="print only the results")


def scenario_option(default: str = "all") -> _Option[Any]:
    """Give the option for scenarios; ``default`` says which are taken if none is named."""
    return click.option(
        "--scenario",
        "scenarios",
        multiple=True,
        help="SingleStream, MultiStream, Server or Offline; repeat for several "
        f"[default: {default}]",
    )
