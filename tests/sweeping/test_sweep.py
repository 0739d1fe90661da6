"""Sweeps: measured for real, cut off and gone on with, with options that fail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from inferometer.cli.output import SilentListener
from inferometer.cli.sweep import command
from inferometer.runs import Listener, Runner, RunRequest, Session
from inferometer.sweeping import Matrix, SweepError, load_sweep, parse_matrix, run_sweep

pytestmark = pytest.mark.slow

TEXT = """
workload = "pocket-mobilenet"
scenarios = ["SingleStream", "Offline"]
budget_s = 0.2
need = ["accuracy >= 90 %", "size <= 10 MB"]
[matrix]
backend = ["onnxruntime", "no-such-backend"]
max_batch = [8, 32]
[[exclude]]
backend = "no-such-backend"
max_batch = 8
[price]
per_hour = 3.6
currency = "EUR"
"""


def matrix(text: str = TEXT) -> Matrix:
    return parse_matrix(text, "m.toml")


def in_process(request: RunRequest, listener: Listener) -> Session:
    return Runner(request, listener).run()


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sweep")
    run_sweep(matrix(), folder, SilentListener(), in_process)
    return folder


def test_every_option_is_measured_and_a_failing_one_says_why(swept: Path) -> None:
    found = load_sweep(swept)
    by_name = {row.option.label: row for row in found.rows}
    good = by_name["onnxruntime max-batch 8"]
    assert set(good.figures) >= {
        "accuracy", "SingleStream latency", "Offline throughput", "size", "cost"
    }  # fmt: skip
    throughput = good.figures["Offline throughput"].value
    assert good.figures["cost"].value == pytest.approx(3.6 / 3600 / throughput * 1e6)
    assert good.figures["accuracy"].value > 0.9
    failed = by_name["no-such-backend max-batch 32"]
    assert "no-such-backend" in failed.error
    assert found.rows[-1] is failed


def test_a_sweep_goes_on_where_it_was(swept: Path) -> None:
    ran: list[str] = []

    def run(request: RunRequest, listener: Listener) -> Session:
        ran.append(request.backend)
        return in_process(request, listener)

    run_sweep(matrix(), swept, SilentListener(), run)
    # What failed is tried again, and nothing else.
    assert ran == ["no-such-backend"]


def test_an_interrupted_sweep_keeps_what_it_has(tmp_path: Path) -> None:
    def interrupted(request: RunRequest, listener: Listener) -> Session:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_sweep(matrix(), tmp_path, SilentListener(), interrupted)
    assert {row.error for row in load_sweep(tmp_path).rows} == {"not measured yet"}


def test_another_matrix_in_the_same_folder_is_refused(swept: Path) -> None:
    with pytest.raises(SweepError, match="differs from the matrix"):
        run_sweep(matrix(TEXT + "# more\n"), swept, SilentListener(), in_process)


def test_a_folder_without_a_sweep_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SweepError, match="holds no sweep"):
        load_sweep(tmp_path)


def invoke(*arguments: Any) -> tuple[int, str]:
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def test_a_sweep_is_shown_as_table_json_markdown_and_page(swept: Path, tmp_path: Path) -> None:
    code, text = invoke("--show", swept, "--markdown", tmp_path / "table.md")
    assert code == 0
    assert "onnxruntime" in text
    assert "meet all needs" in text
    assert "| option | accuracy |" in (tmp_path / "table.md").read_text()
    code, text = invoke("--show", swept, "--json")
    values = json.loads(text)
    assert code == 0
    assert len(values["options"]) == 3
    page = Path(values["report"]).read_text()
    for option in values["options"]:
        assert option["name"] in page
    assert page.count("<svg") >= 3


@pytest.mark.parametrize("arguments", [(), ("--show", "x", "--resume", "y")])
def test_it_says_what_it_wants(arguments: tuple[str, ...]) -> None:
    code, text = invoke(*arguments)
    assert code == 2
    assert "--example prints a matrix" in text


def test_names_from_outside_stay_text(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>"
    text = TEXT.replace("no-such-backend", hostile)
    folder = tmp_path / "sweep"
    run_sweep(matrix(text), folder, SilentListener(), _failing)
    code, shown = invoke("--show", folder, "--json")
    assert code == 1
    assert hostile in json.loads(shown)["options"][-1]["name"] + shown
    assert "<script>" not in (folder / "sweep.html").read_text()


def _failing(request: RunRequest, listener: Listener) -> Session:
    raise SweepError(f"{request.backend} <b>fails</b>")
