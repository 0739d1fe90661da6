"""``inferometer submit``: exit codes, what it prints, and its wrong uses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from inferometer.cli.main import main
from inferometer.cli.submit import command
from tests.submission.building.conftest import pocket_v05, whole_v05
from tests.submission.building.sessions import DESCRIPTION, change_json, files_below

__all__ = ["pocket_v05", "whole_v05"]


@pytest.fixture
def system(tmp_path: Path) -> Path:
    path = tmp_path / "system.json"
    path.write_text(json.dumps({"status": DESCRIPTION["status"]}))
    return path


def run(runs: Path, system: Path, *more: str) -> Result:
    arguments = [
        str(runs), "--round", "v0.5", "--division", "open", "--submitter", "ACME",
        "--system-id", "sysA", "--system", str(system), "--into", str(system.parent / "tree"),
        "--measurement", "starting_weights_filename=mobilenet.onnx", *more,
    ]  # fmt: skip
    return CliRunner().invoke(command, arguments)


def test_a_tree(whole_v05: Path, system: Path) -> None:
    found = run(whole_v05, system)
    assert found.exit_code == 0, found.output
    assert "made  " in found.output
    assert "open/ACME/results/sysA/mobilenet/Offline" in found.output
    assert "check it with: inferometer check" in found.output
    assert "submit.accuracy-believed" in found.output
    again = run(whole_v05, system)
    assert again.exit_code == 1
    assert "submit.result-exists" in again.output
    assert run(whole_v05, system, "--replace").exit_code == 0


def test_a_demo(pocket_v05: Path, system: Path) -> None:
    refused = run(pocket_v05, system)
    assert refused.exit_code == 1
    assert "submit.small-data-set" in refused.output
    assert "→ run it on the benchmark's data set, or build a demonstration with --demo" in (
        refused.output
    )
    assert not (system.parent / "tree").exists()
    found = run(pocket_v05, system, "--demo")
    assert found.exit_code == 0, found.output
    assert found.output.count("[submit.demo]") == 1
    assert len(files_below(system.parent / "tree")) > 20


def test_json(whole_v05: Path, system: Path, tmp_path: Path) -> None:
    found = json.loads(run(whole_v05, system, "--json").output)
    assert found["results"] == ["open/ACME/results/sysA/mobilenet/Offline"]
    assert [one["rule"] for one in found["findings"]] == ["submit.accuracy-believed"]
    runs = Path(shutil.copytree(whole_v05, tmp_path / "runs"))
    change_json(runs / "session.json", lambda v: v["workload"].update(options={"count": 5}))
    refused = run(runs, system, "--json", "--replace")
    assert refused.exit_code == 1
    rules = {one["rule"] for one in json.loads(refused.output)["refused"]}
    assert rules == {"submit.part-of-data-set"}


def test_describe_system() -> None:
    found = CliRunner().invoke(command, ["--describe-system"])
    assert found.exit_code == 0
    values = json.loads(found.output)
    assert len(values) == 35
    assert values["number_of_nodes"] == "1"
    found = CliRunner().invoke(command, ["--describe-system", "--round", "v0.5"])
    assert len(json.loads(found.output)) == 32


def test_describe_the_system_of_runs(whole_v05: Path) -> None:
    found = CliRunner().invoke(command, [str(whole_v05), "--describe-system"])
    assert json.loads(found.output)["framework"] == "ONNX Runtime 1.32.0"


def test_wrong_use(whole_v05: Path, system: Path) -> None:
    found = CliRunner().invoke(command, [str(whole_v05)])
    assert found.exit_code == 2
    assert "give --round, --division, --submitter, --system-id" in found.output
    options = ["--round", "v0.5", "--division", "open", "--submitter", "A", "--system-id", "b"]
    found = CliRunner().invoke(command, options)
    assert found.exit_code == 2
    assert "name the folders of the runs" in found.output
    found = run(whole_v05, system, "--measurement", "retraining")
    assert found.exit_code == 2
    assert "write name=value" in found.output


def test_errors_are_one_line(
    whole_v05: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["submit", str(whole_v05), "--round", "v0.5", "--division", "open",
              "--submitter", "../ACME", "--system-id", "sysA"])  # fmt: skip
    assert stopped.value.code == 2
    assert "--submitter is '../ACME'; it names a folder" in capsys.readouterr().err
