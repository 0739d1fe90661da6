"""Command line: finds the verb, turns errors into one line and an exit code."""

from __future__ import annotations

import importlib
import sys
from importlib import metadata
from typing import Any

import click

from inferometer.cli.exit_codes import EXIT_INTERRUPTED
from inferometer.loadgen.errors import InferometerError, nearest_name

__all__ = ["main"]

EXIT_USAGE = 2
EXIT_FAILED = 3
_VERBS = {
    "accuracy": "inferometer.cli.accuracy",
    "agree": "inferometer.cli.agree",
    "audit": "inferometer.cli.audit",
    "check": "inferometer.cli.check",
    "check-env": "inferometer.cli.check_env",
    "compare": "inferometer.cli.compare",
    "exec": "inferometer.cli.exec",
    "export": "inferometer.cli.export",
    "fetch": "inferometer.cli.fetch",
    "list": "inferometer.cli.list",
    "llm": "inferometer.cli.llm",
    "quantize": "inferometer.cli.quantize",
    "recover": "inferometer.cli.recover",
    "report": "inferometer.cli.report",
    "results": "inferometer.cli.results",
    "rules": "inferometer.cli.rules",
    "run": "inferometer.cli.run",
    "search": "inferometer.cli.search",
    "serve": "inferometer.cli.serve",
    "simulate": "inferometer.cli.simulate",
    "submit": "inferometer.cli.submit",
    "sweep": "inferometer.cli.sweep",
    "tune": "inferometer.cli.tune",
    "verify": "inferometer.cli.verify",
}


class _Verbs(click.Group):
    """Loads a verb's module only when it is called or listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _VERBS:
            return None
        command: click.Command = importlib.import_module(_VERBS[cmd_name]).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _VERBS and not args[0].startswith("-"):
            hint = nearest_name(args[0], _VERBS)
            raise click.UsageError(f"there is no command {args[0]!r}{hint}", ctx)
        return super().resolve_command(ctx, args)


def _version() -> str:
    try:
        return metadata.version("inferometer")
    except metadata.PackageNotFoundError:
        return "unknown"


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(_version(), prog_name="inferometer")
def cli() -> None:
    """Measure AI inference: accuracy, latency and throughput that you can decide from.

    \b
    inferometer run                    five real models on real data, all four scenarios
    inferometer run pocket-mobilenet --scenario Server --target-qps 500
    inferometer run --task classification --model my.onnx --data FOLDER
    inferometer quantize pocket-resnet int8 beside fp32: accuracy, speed, size
    inferometer export pocket --backend all    the model in each framework's own format
    inferometer agree                  whether all frameworks give the same answers
    inferometer tune pocket-mobilenet  good settings, confirmed on fresh runs
    inferometer compare onnxruntime openvino   which is faster, by how much, how sure
    inferometer search pocket-mobilenet  the highest rate within the bound
    inferometer serve pocket-mobilenet offered to others: Open Inference Protocol, HTTP and gRPC
    inferometer simulate SYSTEM.toml   what a system does that is only described
    inferometer llm URL --model NAME   a language model's endpoint: tokens, latencies, goodput
    inferometer exec harness.py        a script written against mlperf_loadgen
    inferometer report runs/…          the report of a run, again
    inferometer rules settings.seeds   what a rule asks, and how it is checked
    inferometer submit runs/…          the tree of a submission from recorded runs
    inferometer check TREE             anybody's submission, recomputed
    inferometer audit pocket-mobilenet whether a system cheats
    inferometer results show FILE      published and own results, the best first

    \b
    Exit codes: 0 all results good, 1 a result is INVALID or not accurate enough,
    2 wrong usage or settings or something missing, 3 the run failed, 4 a gate failed
    (--fail-if), 130 interrupted.
    """  # noqa: D301


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; exit with a documented code."""
    try:
        return cli.main(args=arguments, prog_name="inferometer", standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_USAGE)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(EXIT_INTERRUPTED)
    except OSError as error:
        click.echo(f"inferometer: {error.filename or ''}: {error.strerror or error}", err=True)
        sys.exit(EXIT_FAILED)
    except InferometerError as error:
        click.echo(f"inferometer: {error}", err=True)
        sys.exit(EXIT_USAGE)


if __name__ == "__main__":
    main()
