"""``inferometer accuracy``: the score of any accuracy log, computed anew."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from inferometer.cli.options import json_option
from inferometer.runs.scoring import TASKS, LogScore, ScoringOptions, score_log
from inferometer.workloads import in_unit

__all__ = ["command"]

_TRUTH = {"classification": "labels", "detection": "annotations", "translation": "references"}


def _target(_: click.Context, parameter: click.Parameter, text: str | None) -> float | None:
    """Read a share written as 75.7% or 0.757, or a plain number such as 23.9 for BLEU."""
    if text is None:
        return None
    try:
        return float(text.strip().removesuffix("%")) / (100.0 if text.endswith("%") else 1.0)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is no accuracy; write 75.7%, 0.757 or (BLEU) 23.9", param=parameter
        ) from None


_file = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("accuracy")
@click.argument("log", metavar="LOG", type=click.Path(path_type=Path, exists=True))
@click.option("--task", type=click.Choice(list(TASKS)), help="[default: by the truth given]")
@click.option("--labels", type=_file, help="classification: val_map.txt")
@click.option("--annotations", type=_file, help="detection: instances_val2017.json")
@click.option("--references", type=_file, help="translation: newstest2014.tok.bpe.32000.de")
@click.option(
    "--dtype",
    default="float32",
    show_default=True,
    help="what classes were written as: float32, int32 or int64",
)
@click.option("--inverse-map", is_flag=True, help="classes of detections are 1 to 80")
@click.option("--only-annotated", is_flag=True, help="the data set has no images without boxes")
@click.option(
    "--target", callback=_target, metavar="ACCURACY", help="the accuracy to reach, such as 75.6954%"
)
@click.option("--published", is_flag=True, help="the published script's line: only samples seen")
@json_option
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="file for the line, such as accuracy.txt",
)
def command(
    log: Path, task: str | None, published: bool, as_json: bool, output: Path | None, **given: Any
) -> None:
    """Compute the accuracy of LOG anew: an mlperf_log_accuracy.json, or the folder with it.

    It may come from any LoadGen, v0.5 or current. Samples without an answer count as wrong.
    The last line is the one that belongs into accuracy.txt.

    Exit code 1 if samples have no answer, answers no sample, or --target is missed.
    """
    task, truth = _task_and_truth(task, {name: given.pop(name) for name in _TRUTH.values()})
    options = ScoringOptions(**given)
    _check_target(task, options.target)
    found = score_log(log, task, truth, options)
    line = found.published_line if published else found.accuracy.line
    if output is not None:
        output.write_text(f"{line}\n", "utf-8")
    if as_json:
        click.echo(json.dumps(found.to_mapping(), indent=2, ensure_ascii=False))
    else:
        _print(found, line)
    sys.exit(0 if found.is_good else 1)


def _task_and_truth(task: str | None, given: dict[str, Path | None]) -> tuple[str, Path]:
    """Find out what is to be scored against what; raise `click.UsageError` if it's unclear."""
    there = {name: path for name, path in given.items() if path is not None}
    if len(there) != 1:
        wanted = " or ".join(f"--{name} ({kind})" for kind, name in _TRUTH.items())
        raise click.UsageError(f"give what the answers are compared with, one of {wanted}")
    ((name, path),) = there.items()
    if task is not None and _TRUTH[task] != name:
        raise click.UsageError(f"{task} is scored against --{_TRUTH[task]}, not --{name}")
    return next(kind for kind, word in _TRUTH.items() if word == name), path


def _check_target(task: str, target: float | None) -> None:
    if target is not None and task != "translation" and target > 1:
        raise click.UsageError(f"--target {target:g} is more than everything; write {target:g}%")


def _print(found: LogScore, line: str) -> None:
    accuracy = found.accuracy
    console = Console(highlight=False, soft_wrap=True)
    answered = accuracy.total - accuracy.missing
    console.print(
        f"{escape(str(found.log))}: {answered:,} of {accuracy.total:,} samples answered, "
        f"{accuracy.repeated:,} answers again, {accuracy.unknown:,} to no sample"
    )
    for remark in found.remarks:
        console.print(f"[yellow]mind[/]  {escape(remark)}")
    value, low, high = (
        in_unit(number, accuracy.unit)
        for number in (accuracy.value, accuracy.interval.low, accuracy.interval.high)
    )
    text = f"{accuracy.metric} {value}, 95 % interval {low} – {high}"
    if accuracy.target is not None:
        word = "reaches" if accuracy.meets_target else "misses"
        text += f", {word} the target {in_unit(accuracy.target, accuracy.unit)}"
    console.print(escape(text))
    click.echo(line)
