"""Options that several verbs share, and what is made of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from inferometer.cli.as_run import as_run
from inferometer.cli.audit import command as audit_command
from inferometer.cli.main import cli, main
from inferometer.cli.request import requests_of
from inferometer.cli.run import command as run_command
from inferometer.cli.search import command as search_command
from inferometer.cli.tune import command as tune_command
from inferometer.loadgen import Mode, Scenario

VERBS = cli.list_commands(click.Context(cli))


def flags_of(command: click.Command) -> dict[str, click.Parameter]:
    return {flag: option for option in command.params for flag in option.opts}


@pytest.mark.parametrize("verb", VERBS)
def test_no_option_is_there_twice(verb: str) -> None:
    command = cli.get_command(click.Context(cli), verb)
    assert command is not None
    counts = Counter(flag for option in command.params for flag in option.opts)
    assert set(counts.values()) <= {1}
    assert CliRunner().invoke(command, ["--help"]).exit_code == 0


SERVING = [
    "--serving", "--serving-option", "--workers", "--generator-core",
    "--max-batch", "--max-wait-ms",
]  # fmt: skip


def test_a_search_serves_as_run_does() -> None:
    ours, of_run = flags_of(search_command), flags_of(run_command)
    assert all(ours[flag].to_info_dict() == of_run[flag].to_info_dict() for flag in SERVING)


@pytest.mark.parametrize("command", [tune_command, audit_command], ids=["tune", "audit"])
def test_what_measures_takes_a_model_as_run_does(command: click.Command) -> None:
    ours, of_run = flags_of(command), flags_of(run_command)
    wanted = {
        "--model", "--data", "--weights", "--number-format", "--count", "-o",
        "--backend", "--device", "--backend-option",
    }  # fmt: skip
    assert wanted <= ours.keys() & of_run.keys()
    assert all(ours[flag].to_info_dict() == of_run[flag].to_info_dict() for flag in wanted)


def test_tuning_starts_where_run_does(tmp_path: Path) -> None:
    given = ["pocket-mobilenet", "--scenario", "offline", "--device", "cpu", "-o", "a=b"]
    options = tune_command.make_context("tune", list(given)).params
    (tuned,) = requests_of({**as_run(), **options}, tmp_path)
    options = run_command.make_context("run", [*given, "--mode", "performance"]).params
    (run,) = requests_of(options, tmp_path)
    assert tuned.modes == run.modes == (Mode.PERFORMANCE,)
    assert tuned.scenarios == run.scenarios == (Scenario.OFFLINE,)
    assert tuned.workload_options == run.workload_options
    assert tuned.backend_options == run.backend_options
    assert tuned.serving == run.serving
    assert tuned.effort.precision == run.effort.precision


@pytest.mark.parametrize("verb", ["run", "search", "compare", "sweep", "tune"])
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("first", "'first' is no number of a core; give one from 0, or auto"),
        ("-1", "'-1' is no number of a core; give one from 0, or auto"),
        ("99999", "core 99999 can't be kept for the generator; this process may use 0"),
    ],
)
def test_core_that_can_t_be_kept_is_refused(
    verb: str, given: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([verb, "nothing", "--generator-core", given])
    assert ended.value.code == 2
    assert said in " ".join(capsys.readouterr().err.split())
