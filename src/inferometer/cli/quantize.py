"""``inferometer quantize``: make an int8 model, and measure it beside the fp32 one."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from inferometer.backends import BackendOptions
from inferometer.cli.options import json_option, weights_option
from inferometer.cli.output import listener_for
from inferometer.cli.recorded import new_folder
from inferometer.cli.request import named_value
from inferometer.quantization import (
    QuantizationOptions,
    QuantizedModel,
    quantize_workload,
    tool_names,
    workload_for_tool,
)
from inferometer.report import print_formats, write_html
from inferometer.runs import Effort, FormatComparison, RunRequest, compare_formats
from inferometer.workloads import WorkloadOptions, suite_or_workload

__all__ = ["command"]

_LEAST_KEPT = 0.99
_BACKENDS = {"litert": "litert", "litert-per-tensor": "armnn", "nncf": "openvino"}


@click.command("quantize")
@click.argument("workload")
@click.option("--tool", type=click.Choice(tool_names()), default="onnxruntime", show_default=True)
@click.option(
    "--calibrate",
    type=click.Choice(["minmax", "entropy", "percentile"]),
    default="minmax",
    show_default=True,
    help="how ranges follow from the calibration samples",
)
@click.option("--calibration-count", type=click.IntRange(1), help="most calibration samples")
@click.option("--data", type=click.Path(path_type=Path), help="the data set's folder")
@click.option("--model", type=click.Path(path_type=Path), help="the fp32 model to quantise")
@weights_option
@click.option(
    "--workload-option",
    "-o",
    "workload_extra",
    multiple=True,
    metavar="NAME=VALUE",
    help="what only this workload knows, such as calibration=LIST",
)
@click.option("--backend", help="what measures both formats [default: the one of the tool]")
@click.option("--threads", type=click.IntRange(1), help="threads within one model call")
@click.option("--budget", type=click.FloatRange(0.1), default=5.0, show_default=True)
@click.option("--measure/--no-measure", default=True, help="measure both formats [default: yes]")
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), help="run folder")
@json_option
def command(**options: Any) -> None:
    """Quantise the model of WORKLOAD to int8 from its calibration list.

    The model is kept where `inferometer run WORKLOAD --number-format int8` finds it, with
    the recipe that made it. Then accuracy, latency, throughput and size are measured in
    both formats. A suite's name does so for each of its workloads. Exit code 1 if int8
    keeps less than 99 % of the fp32 accuracy.
    """
    console = Console(stderr=options["as_json"])
    folder = new_folder(options, f"{options['workload']}-formats")
    results = []
    for name in suite_or_workload(options["workload"]):
        request = _request(options, name, folder / name)
        made = _quantize(options, request, console)
        if options["measure"]:
            sizes = (made.source_bytes, made.quantized_bytes)
            listener = listener_for(console, quiet=options["as_json"])
            results.append(compare_formats(request, sizes, listener))
            print_formats(results[-1], console)
    _finish(results, folder, console, options["as_json"])


def _request(options: dict[str, Any], name: str, folder: Path) -> RunRequest:
    budget_s = options["budget"]
    return RunRequest(
        workload=name,
        output=folder,
        workload_options=WorkloadOptions(
            data=options["data"],
            model=options["model"],
            weights=options["weights"],
            extra=dict(named_value(text) for text in options["workload_extra"]),
        ),
        backend=options["backend"] or _BACKENDS.get(options["tool"], "onnxruntime"),
        backend_options=BackendOptions(threads=options["threads"]),
        effort=Effort(budget_s=budget_s, least_s=min(1.0, budget_s / 2)),
        command=shlex.join(["inferometer", *sys.argv[1:]]),
    )


def _quantize(options: dict[str, Any], request: RunRequest, console: Console) -> QuantizedModel:
    workload = workload_for_tool(request.workload, request.workload_options, options["tool"])
    asked = QuantizationOptions(options["tool"], options["calibrate"], options["calibration_count"])
    made = quantize_workload(workload, asked)
    _tell(request.workload, made, console)
    return made


def _tell(name: str, made: QuantizedModel, console: Console) -> None:
    recipe = made.recipe
    calibration = recipe["calibration"]
    samples = f", {calibration['count']} calibration samples" if calibration else ""
    console.print(
        f"{escape(name)}: {escape(recipe['method'])}{samples}; "
        f"{made.source_bytes / 1e6:.2f} MB to {made.quantized_bytes / 1e6:.2f} MB, in "
        f"{escape(str(made.folder))}",
        highlight=False,
        soft_wrap=True,
    )


def _finish(results: list[FormatComparison], folder: Path, console: Console, as_json: bool) -> None:
    """Write the page, print what is asked for, and exit by what int8 keeps."""
    if results:
        sessions = [session for result in results for session in result.sessions]
        page = write_html(sessions, folder / "report.html")
        console.print(f"report: {page}", style="bold", highlight=False, soft_wrap=True)
    if as_json:
        values = [result.to_mapping() for result in results]
        click.echo(json.dumps(values, indent=2, ensure_ascii=False, default=str))
    kept = [result.kept_accuracy() for result in results]
    sys.exit(1 if any(share is not None and share < _LEAST_KEPT for share in kept) else 0)
