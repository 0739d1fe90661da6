"""Recorded folders: what may stand beside --resume and --show, and how to go on."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from inferometer.cli.main import cli
from inferometer.cli.recorded import new_folder, say_how_to_go_on


@pytest.mark.parametrize("verb", ["compare", "run", "search", "sweep"])
def test_beside_a_folder_to_go_on_with_nothing_is_asked_anew(verb: str, tmp_path: Path) -> None:
    asked = [verb, "--resume", str(tmp_path), "--json", "--quiet", "--output", "other"]
    found = CliRunner().invoke(cli, asked)
    assert found.exit_code == 2
    assert "goes on with what was asked for before; leave out --output" in found.output


@pytest.mark.parametrize("verb", ["search", "sweep"])
def test_beside_a_folder_that_is_shown_nothing_is_asked_anew(verb: str, tmp_path: Path) -> None:
    found = CliRunner().invoke(cli, [verb, "--show", str(tmp_path), "--output", "other"])
    assert found.exit_code == 2
    assert "--show only shows what was recorded; leave out --output" in found.output


def test_a_new_folder_is_named_by_the_time_unless_it_was_named(tmp_path: Path) -> None:
    assert new_folder({"output": tmp_path}, "search-x") == tmp_path
    found = new_folder({"output": None}, "search-x")
    assert found.parent == Path("runs")
    assert found.name.endswith("-search-x")
    assert found.name[:8].isdecimal()


def test_the_line_to_go_on_can_be_pasted(capsys: pytest.CaptureFixture[str]) -> None:
    say_how_to_go_on("sweep", Path("my runs/one"), as_json=False)
    assert capsys.readouterr().out == "to go on: inferometer sweep --resume 'my runs/one'\n"
    say_how_to_go_on("sweep", Path("one"), as_json=True)
    assert capsys.readouterr().err == "to go on: inferometer sweep --resume one\n"
