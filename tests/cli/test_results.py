"""``inferometer results``: import, show and report, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from inferometer.cli.main import main
from inferometer.cli.results import command
from inferometer.submission.published import NeedError, ReadingError, TableError, read_table
from tests.submission.published.trees import Made


def run(*arguments: str | int | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    root = tmp_path / "round"
    Made(root, benchmark="resnet50")
    Made(root, scenario="SingleStream", values=(2e6,), system="a")
    Made(root, scenario="SingleStream", values=(1e6,), system="b")
    Made(root, scenario="Offline", values=(500.0,))
    path = tmp_path / "results.csv"
    found = run("import", root, "--into", path)
    assert found.exit_code == 0, found.output
    assert "4 results of 1 submitters read" in found.output
    assert "1 × The benchmark has another name" in found.output
    return path


def test_importing_again_replaces(file: Path, tmp_path: Path) -> None:
    before = read_table(file)
    found = run("import", tmp_path / "round", "--into", file, "--json")
    assert [values["scenario"] for values in json.loads(found.output)] == [
        row.scenario for row in before
    ]
    assert read_table(file) == before
    Made(tmp_path / "other", scenario="Offline", values=(5.0,))
    assert "holds 5" in run("import", tmp_path / "other", "--into", file).output


def test_show_filters_sorts_and_limits(file: Path) -> None:
    text = run("show", file, "--scenario", "singlestream").output
    assert text.index("1.00 ms") < text.index("2.00 ms")
    assert "2 of 4 results" in text
    assert "1 more" in run("show", file, "--scenario", "SingleStream", "--limit", 1).output
    picked = run("show", file, "--max-latency-ms", 3, "--processor-kind", "gpu", "--json").output
    assert [values["system_id"] for values in json.loads(picked)] == ["b", "a"]
    limited = json.loads(run("show", file, "--limit", 1, "--json").output)
    assert [values["scenario"] for values in limited] == ["Offline", "Server", "SingleStream"]
    none = run("show", file, "--scenario", "Server", "--max-latency-ms", 1).output
    assert "none of 4 results meets all of this" in none


def test_show_refuses_words_that_nothing_has(file: Path) -> None:
    found = run("show", file, "--framework", "TensorRTT")
    assert isinstance(found.exception, NeedError)
    assert "did you mean 'TensorRT'" in str(found.exception)


def test_report_writes_a_page(file: Path) -> None:
    found = run("report", file)
    assert found.exit_code == 0
    page = file.with_suffix(".html")
    assert str(page) in found.output.replace("\n", "")
    assert "4 published results" in page.read_text("utf-8")
    assert run("report", file, "--output", file.with_name("x.html")).exit_code == 0
    assert file.with_name("x.html").is_file()


def test_the_file_is_looked_at_before_the_folder(tmp_path: Path) -> None:
    found = run("import", tmp_path, "--into", tmp_path / "results.xlsx")
    assert isinstance(found.exception, TableError)
    submitter = Made(tmp_path / "round").submitter
    found = run("import", submitter, "--into", tmp_path / "results.csv")
    assert isinstance(found.exception, ReadingError)


def test_errors_are_one_line_and_a_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["results", "show", str(tmp_path / "none.csv")])
    assert stop.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
    with pytest.raises(SystemExit) as stop:
        main(["results", "import", str(tmp_path), "--into", str(tmp_path / "x.csv")])
    assert stop.value.code == 2
    assert "is empty" in capsys.readouterr().err
