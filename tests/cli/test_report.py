"""``inferometer report`` and gates on the command line: files, exit codes, errors."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from inferometer.cli.main import main
from inferometer.cli.report import command
from inferometer.loadgen import InferometerError
from inferometer.runs import Session
from tests.report.sessions import made_session, written


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return written(made_session(1.5), tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return written(made_session(), tmp_path_factory.mktemp("kept"))


def report(*arguments: str | Path) -> Result:
    return CliRunner(catch_exceptions=False).invoke(command, [str(word) for word in arguments])


def test_without_gates_the_exit_code_is_0(session: Session) -> None:
    found = report(session.folder)
    assert found.exit_code == 0
    assert "gate" not in found.output


def test_a_gate_that_fails_is_exit_code_4(session: Session, kept: Session) -> None:
    found = report(
        session.folder, "--fail-if", "Server p99 > 1 s", "--fail-if",
        "SingleStream p50 > baseline * 1.1", "--baseline", kept.folder,
    )  # fmt: skip
    assert found.exit_code == 4
    text = " ".join(found.output.split())
    assert "gate passed mobilenet mobilenet Server performance: p99" in text
    assert "gate failed mobilenet mobilenet SingleStream performance: p50" in text
    assert "fails if SingleStream p50 > baseline * 1.1" in text
    assert "[gate.failed]" in text
    assert report(session.folder, "--fail-if", "p99 > 1 s").exit_code == 0


def test_a_gate_about_nothing_is_exit_code_4(session: Session) -> None:
    found = report(session.folder, "--fail-if", "Offline throughput < 5")
    assert found.exit_code == 4
    assert "[gate.no-match]" in found.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fail-if", "p99 > 15"], "p99 is a time; write its unit"),
        (["--fail-if", "p99 > baseline"], "needs a kept run: give it with --baseline RUN"),
        (["--fail-if", "p99 > baseline", "--baseline", "nowhere"], "nowhere is not a run folder"),
        (["--json", "--markdown", "-"], "both want standard output"),
    ],
)
def test_wrong_use_is_exit_code_2(
    arguments: list[str], message: str, session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["report", str(session.folder), *arguments])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_json_has_the_gates(session: Session) -> None:
    found = report(session.folder, "--json", "--fail-if", "accuracy < 99%")
    assert found.exit_code == 4
    (values,) = json.loads(found.stdout)
    (gate,) = values["gates"]
    assert gate["outcome"] == "failed"
    assert gate["value"] == 0.95
    assert "gate failed" in found.stderr
    (values,) = json.loads(report(session.folder, "--json").stdout)
    assert "gates" not in values


def test_markdown_on_standard_output_stands_alone(session: Session) -> None:
    found = report(session.folder, "--markdown", "-")
    assert found.stdout.startswith("### ✅ Inferometer: 3 of 3 tests good\n")
    assert "report.html" not in found.stdout
    assert "report.html" in found.stderr


def test_every_file_that_was_asked_for(session: Session, kept: Session, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    found = report(
        session.folder, "--output", tmp_path / "r.html", "--markdown", tmp_path / "new/r.md",
        "--junit", tmp_path / "r.xml", "--csv", tmp_path / "r.csv",
        "--parquet", tmp_path / "tables", "--perfetto", tmp_path / "t.json.gz",
        "--perfetto-limit", "5", "--baseline", kept.folder,
    )  # fmt: skip
    assert found.exit_code == 0
    names = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert names == {
        "r.html", "new/r.md", "r.xml", "r.csv", "t.json.gz",
        "tables/results.parquet", "tables/queries.parquet",
    }  # fmt: skip
    assert "| baseline | ratio |" in (tmp_path / "new/r.md").read_text()
    root = ElementTree.parse(tmp_path / "r.xml").getroot()
    assert (root.get("tests"), root.get("failures")) == ("3", "0")


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        ("p99 > 15", "p99 is a time"),
        ("Offline throughput < 5", "'Offline' is run; run are pocket-mobilenet, "),
        ("pocket-mobilnet p99 > 1 s", "did you mean 'pocket-mobilenet'?"),
        ("p99 > baseline", "needs a kept run"),
    ],
)
def test_run_refuses_a_wrong_gate_before_it_measures(
    gate: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnxruntime")
    with pytest.raises(SystemExit) as stop:
        main(["run", "pocket-mobilenet", "--scenario", "Server", "--fail-if", gate,
              "--output", str(tmp_path / "run")])  # fmt: skip
    assert stop.value.code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.realtime
def test_run_ends_with_the_gates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("onnxruntime")
    with pytest.raises(SystemExit) as stop:
        main(["run", "pocket-mobilenet", "--scenario", "SingleStream", "--mode", "performance",
              "--budget", "0.2", "--in-process", "--output", str(tmp_path / "run"),
              "--fail-if", "p99 > 1 ns", "--fail-if", "queries < 1",
              "--junit", str(tmp_path / "r.xml"), "--markdown", "-"])  # fmt: skip
    assert stop.value.code == 4
    assert capsys.readouterr().out.startswith("### ❌ Inferometer: 1 of 1 test good, 1 of 2 gates")
    root = ElementTree.parse(tmp_path / "r.xml").getroot()
    assert [suite.get("failures") for suite in root] == ["0", "1"]


def test_errors_are_of_the_house(session: Session) -> None:
    with pytest.raises(InferometerError, match="at character"):
        report(session.folder, "--fail-if", "nonsense")
