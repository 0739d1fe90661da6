"""``inferometer llm``: measure a language model behind an OpenAI-compatible endpoint."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from inferometer.cli.exit_codes import EXIT_INTERRUPTED
from inferometer.cli.gates import (
    Gates,
    check_summaries,
    console_for,
    gate_options,
    session_json,
    summary_options,
    with_gates,
    write_summaries,
)
from inferometer.cli.options import json_option, quiet_option, scenario_option, set_option
from inferometer.cli.output import listener_for
from inferometer.cli.recorded import new_folder, output_option
from inferometer.cli.request import named_value, scenarios_of
from inferometer.cli.run import exit_code
from inferometer.loadgen import Mode, Scenario
from inferometer.report import print_sessions, write_html
from inferometer.report.gates import print_gates
from inferometer.runs import Effort, parse_assignment
from inferometer.runs.llm import LlmRequest, Prompts, read_prompts, run_llm, synthetic_prompts
from inferometer.serving.llm import LlmEndpoint, LlmOptions

__all__ = ["command"]

_SYNTHETIC = "synthetic"
_SEED = 20191106
_MODES = {
    "performance": (Mode.PERFORMANCE,),
    "accuracy": (Mode.ACCURACY,),
    "both": (Mode.ACCURACY, Mode.PERFORMANCE),
}


@click.command("llm")
@click.argument("url")
@click.option("--model", required=True, help="the model's name at the endpoint")
@click.option(
    "--prompts",
    default=_SYNTHETIC,
    show_default=True,
    help="file: a prompt a line, or .jsonl with prompt or messages",
)
@click.option(
    "--input-words", default="200", show_default=True, help="of synthetic prompts: N, or N-M"
)
@click.option("--prompt-count", type=click.IntRange(1), default=256, show_default=True)
@click.option(
    "--api", type=click.Choice(["chat", "completions"]), default="chat", show_default=True
)
@click.option("--max-tokens", type=click.IntRange(1), help="most tokens of an answer")
@click.option(
    "--body",
    "fields",
    multiple=True,
    metavar="NAME=JSON",
    help="further field of each request, such as temperature=0 or ignore_eos=true",
)
@click.option(
    "--usage/--no-usage", "asks_usage", default=True, help="ask the server to count its tokens"
)
@scenario_option("Server with --target-qps, Offline with --concurrency, else SingleStream")
@click.option(
    "--mode",
    type=click.Choice(list(_MODES)),
    default="performance",
    show_default=True,
    help="accuracy: each prompt once, answers kept",
)
@click.option("--target-qps", type=float, help="Server: requests a second, Poisson arrivals")
@click.option(
    "--concurrency",
    type=click.IntRange(1),
    help="most requests in flight; Offline keeps so many [default: Offline 16, Server 4096]",
)
@click.option("--requests", type=click.IntRange(1), help="requests a test, in place of --budget")
@click.option(
    "--budget",
    type=click.FloatRange(0.1),
    default=30.0,
    show_default=True,
    help="s; longest that a test lasts without --requests",
)
@click.option("--ttft-bound-ms", type=click.FloatRange(0), default=2000.0, show_default=True)
@click.option("--tpot-bound-ms", type=click.FloatRange(0), default=200.0, show_default=True)
@click.option(
    "--timeout-s",
    type=click.FloatRange(0, min_open=True),
    default=600.0,
    show_default=True,
    help="longest that a whole answer may take",
)
@click.option(
    "--retries",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="send a request again of which nothing came; recorded",
)
@click.option(
    "--max-failed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="requests that may fail before the test ends; the result is INVALID all the same",
)
@set_option
@output_option("llm-<model>")
@gate_options
@summary_options
@json_option
@quiet_option
def command(**options: Any) -> None:
    """Measure the language model at URL, such as http://localhost:8000/v1.

    Answers are streamed: time to the first token, time per output token, tokens and requests
    a second, and goodput, the share of requests that met both bounds. The API key is taken
    from INFEROMETER_API_KEY or OPENAI_API_KEY, and never recorded.
    """
    check_summaries(options)
    gates = Gates.asked(options["fail_if"], options["baseline"])
    request = _request(options)
    gates.check([request.options.model, "openai"], list(request.scenarios))
    console = console_for(options)
    listener = listener_for(console, quiet=options["as_json"] or options["quiet"])
    try:
        session = run_llm(request, listener)
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        sys.exit(EXIT_INTERRUPTED)
    page = write_html([session], request.output / "report.html")
    results = gates.hold([session])
    if options["as_json"]:
        value = {**session_json(session, results), "folder": str(request.output)}
        click.echo(json.dumps({**value, "report": str(page)}, indent=2, ensure_ascii=False))
    else:
        print_sessions([session], console)
        console.print(f"report: {page}", style="bold", highlight=False, soft_wrap=True)
    print_gates(results, console)
    write_summaries(options, [session], results, gates.baseline)
    sys.exit(with_gates(exit_code(session), results))


def _request(options: dict[str, Any]) -> LlmRequest:
    budget_s = options["budget"]
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", options["model"]).strip("-.") or "model"
    output = new_folder(options, f"llm-{slug}")
    return LlmRequest(
        endpoint=LlmEndpoint.read(options["url"]),
        options=LlmOptions(
            model=options["model"],
            api=options["api"],
            max_tokens=options["max_tokens"],
            body=dict(_field(text) for text in options["fields"]),
            asks_usage=options["asks_usage"],
            timeout_s=options["timeout_s"],
            retries=options["retries"],
            max_failed=options["max_failed"],
        ),
        prompts=_prompts(options),
        output=output,
        scenarios=scenarios_of(options) or _usual_scenarios(options),
        modes=_MODES[options["mode"]],
        effort=Effort(budget_s=budget_s, least_s=min(1.0, budget_s / 2)),
        target_qps=options["target_qps"],
        in_flight=options["concurrency"],
        requests=options["requests"],
        ttft_ns=int(options["ttft_bound_ms"] * 1e6),
        tpot_ns=int(options["tpot_bound_ms"] * 1e6),
        settings=dict(parse_assignment(text) for text in options["assignments"]),
        command=shlex.join(["inferometer", *sys.argv[1:]]),
    )


def _usual_scenarios(options: dict[str, Any]) -> tuple[Scenario, ...]:
    """Give the scenario that the options speak of."""
    if options["target_qps"] is not None:
        return (Scenario.SERVER,)
    return (Scenario.SINGLE_STREAM if options["concurrency"] is None else Scenario.OFFLINE,)


def _prompts(options: dict[str, Any]) -> Prompts:
    if options["prompts"] != _SYNTHETIC:
        return read_prompts(Path(options["prompts"]))
    found = re.fullmatch(r"(\d+)(?:-(\d+))?", options["input_words"])
    least = int(found[1]) if found else 0
    most = int(found[2] or found[1]) if found else 0
    if not 1 <= least <= most:
        text = f"{options['input_words']!r} is no length; write N, or N-M, words from 1"
        raise click.BadParameter(text, param_hint="--input-words")
    return synthetic_prompts(options["prompt_count"], least, most, _SEED)


def _field(text: str) -> tuple[str, Any]:
    """Read ``name=value``: JSON, or else a text."""
    name, value = named_value(text)
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
