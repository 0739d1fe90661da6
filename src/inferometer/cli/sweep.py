"""``inferometer sweep``: measure a matrix of options, and choose among them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from inferometer.cli.exit_codes import EXIT_INTERRUPTED
from inferometer.cli.generator_core import generator_core_option
from inferometer.cli.options import json_option, quiet_option
from inferometer.cli.output import listener_for
from inferometer.cli.recorded import (
    check_alone,
    new_folder,
    output_option,
    resume_option,
    say_how_to_go_on,
    show_option,
)
from inferometer.report.sweep_page import write_sweep
from inferometer.report.sweep_terminal import print_sweep, sweep_markdown
from inferometer.runs.result import plain
from inferometer.sweeping import MATRIX, Choice, Matrix, load_sweep, read_matrix, run_sweep

__all__ = ["command"]

_EXAMPLE = """\
# What is measured: each combination of the values below, on this workload.
workload = "pocket-mobilenet"
scenarios = ["SingleStream", "Server", "Offline"]
server_qps = 200        # the rate of Server, the same for all
budget_s = 3            # longest that one performance run lasts, s

# What an option has to meet to be of use.
need = [
    "accuracy >= 92.1 %",
    "SingleStream latency <= 2 ms",
    "Server latency <= 10 ms",
    "cost <= 0.05",
]

# Any of: backend, device, max_batch, max_wait_ms, model, number_format, serving, threads,
# weights, workers.
[matrix]
backend = ["onnxruntime", "openvino"]
number_format = ["fp32", "int8"]
threads = [1, 2]

# Combinations that are left out, and single ones that are added.
[[exclude]]
backend = "openvino"
number_format = "int8"

[[include]]
backend = "pytorch"

# What an hour of the machine costs you.
[price]
per_hour = 0.34
currency = "EUR"
"""


@click.command("sweep")
@click.argument("matrix", required=False, type=click.Path(path_type=Path, dir_okay=False))
@output_option("sweep-<workload>")
@resume_option("a sweep", "what was finished is kept")
@show_option("a sweep", "judged anew")
@generator_core_option
@click.option("--example", is_flag=True, help="print a matrix to begin with")
@click.option(
    "--markdown",
    type=click.Path(path_type=Path, dir_okay=False),
    help="also write the table as Markdown",
)
@json_option
@quiet_option
def command(matrix: Path | None, **options: Any) -> None:
    """Measure every option of MATRIX, a TOML file, and say which meet what is needed.

    Each option runs in a process of its own, in random order; one that fails stops no other.
    Exit code 0 if an option surely meets every need, 1 if none does.
    """
    if options["example"]:
        click.echo(_EXAMPLE, nl=False)
        return
    console = Console(stderr=options["as_json"])
    asked, folder = _asked(matrix, options)
    listener = listener_for(console, quiet=options["as_json"] or options["quiet"])
    try:
        found = load_sweep(folder) if options["show"] else run_sweep(asked, folder, listener)
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        say_how_to_go_on("sweep", folder, as_json=options["as_json"])
        sys.exit(EXIT_INTERRUPTED)
    _tell(found, asked, folder, console, options)
    sys.exit(0 if found.meeting else 1)


def _asked(matrix: Path | None, options: dict[str, Any]) -> tuple[Matrix, Path]:
    """Give the matrix and the folder: of a new sweep, or of the one that is named."""
    given = [name for name in ("resume", "show") if options[name] is not None]
    if len(given) + (matrix is not None) != 1:
        raise click.UsageError(
            "give a MATRIX, or --resume FOLDER, or --show FOLDER; --example prints a matrix"
        )
    if given:
        check_alone(f"--{given[0]}")
        folder: Path = options[given[0]]
        return read_matrix(folder / MATRIX), folder
    assert matrix is not None
    asked = read_matrix(matrix)
    return asked, new_folder(options, f"sweep-{asked.workload}")


def _tell(
    found: Choice, asked: Matrix, folder: Path, console: Console, options: dict[str, Any]
) -> None:
    page = write_sweep(found, asked, folder / "sweep.html")
    currency = asked.price.currency if asked.price else ""
    if options["markdown"]:
        options["markdown"].write_text(sweep_markdown(found, currency), "utf-8")
    if options["as_json"]:
        click.echo(json.dumps(_json_of(found, folder, page), indent=2, ensure_ascii=False))
        return
    print_sweep(found, console, currency)
    console.print(f"report: {page}", style="bold", highlight=False, soft_wrap=True)


def _json_of(found: Choice, folder: Path, page: Path) -> dict[str, Any]:
    return {
        "folder": str(folder),
        "report": str(page),
        "sentence": found.sentence,
        "needs": [need.text for need in found.needs],
        "options": [
            {
                "option": dict(row.option.words),
                "name": row.option.label,
                "error": row.error,
                "warnings": list(row.warnings),
                "is_best": row.is_best,
                "meets": row.answer.name.lower(),
                "answers": [answer.name.lower() for answer in row.answers],
                "figures": {
                    name: {
                        "value": figure.value,
                        "unit": figure.kind.unit,
                        "interval": plain(figure.interval),
                        "note": figure.note,
                        "is_valid": figure.is_valid,
                    }
                    for name, figure in row.figures.items()
                },
            }
            for row in found.rows
        ],
    }
