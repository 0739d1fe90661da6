"""``inferometer compare`` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inferometer.cli.compare import _workloads_and_texts
from inferometer.cli.main import main
from inferometer.loadgen import Scenario
from tests.cli.test_cli import inferometer
from tests.comparing.options import request_of, simulated_session

pytestmark = pytest.mark.realtime


def compare(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command in this process; give exit code, output and errors."""
    with pytest.raises(SystemExit) as ended:
        main(["compare", *arguments])
    captured = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, captured.out, captured.err


@pytest.mark.parametrize(
    ("items", "texts", "workloads", "expected"),
    [
        (("a", "b"), (), (), (["pocket-mobilenet"], ["a", "b"])),
        (("pocket-resnet", "a", "b"), (), (), (["pocket-resnet"], ["a", "b"])),
        (("pocket",), ("a", "b"), (), (["pocket"], ["a", "b"])),
        (("a",), ("b",), ("pocket-gnmt", "gnmt"), (["pocket-gnmt", "gnmt"], ["a", "b"])),
        (
            ("pocket-resnet", "pocket-mobilenet"),
            (),
            (),
            (["pocket-mobilenet"], ["pocket-resnet", "pocket-mobilenet"]),
        ),
    ],
)
def test_the_workload_is_told_from_the_options(
    items: tuple[str, ...], texts: tuple[str, ...], workloads: tuple[str, ...], expected: object
) -> None:
    asked = {"items": items, "texts": texts, "workloads": workloads}
    assert _workloads_and_texts(asked) == expected


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["onnxruntime"], "two or more"),
        (["onnxruntime", "openvin"], "did you mean"),
        (["onnxruntime", "threads=x"], "threads is 'x'"),
        (["onnxruntime", "{folder}"], "can't take turns"),
        (["{folder}"], "give two or more"),
        (["--resume", "{folder}"], "holds no comparison"),
    ],
)
def test_wrong_usage_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    code, _, error = compare(capsys, *(one.format(folder=tmp_path) for one in arguments))
    assert code == 2
    assert words in error


def test_recorded_runs_become_a_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, scenario, latency_ns in (
        ("one", Scenario.SINGLE_STREAM, 200_000),
        ("other", Scenario.SINGLE_STREAM, 300_000),
        ("third", Scenario.OFFLINE, 200_000),
    ):
        simulated_session(request_of(tmp_path / name, name, scenarios=(scenario,)), latency_ns)
    code, text, _ = compare(capsys, "one", "other", "--output", "out", "--json")
    assert code == 0
    (pair,) = json.loads(text)["groups"][0]["scenarios"][0]["pairs"]
    assert pair["ratio"]["value"] == pytest.approx(1.5, rel=0.01)
    assert pair["shows_difference"] is False
    assert (tmp_path / "out" / "comparison.html").is_file()
    code, text, _ = compare(capsys, "one", "third", "--output", "out")
    assert code == 1
    assert "compare.scenario" in text


def test_the_report_of_runs_names_the_command_for_comparisons(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "plan.json").write_text("{}", "utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["report", str(tmp_path)])
    assert ended.value.code == 2
    assert "inferometer compare" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_real_comparison_and_its_page_again(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    asked = ["compare", "threads=1", "threads=2", "--scenario", "SingleStream", "--count", "100"]
    sized = ["--blocks", "6", "--seconds", "0.1", "--seed", "1", "--output", "out"]
    found = inferometer(*asked, *sized, "--json", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    values = json.loads(found.stdout)
    assert values["blocks"] == 6
    (group,) = values["groups"]
    (scenario,) = group["scenarios"]
    assert [len(one["runs"]) for one in scenario["options"]] == [6, 6]
    (pair,) = scenario["pairs"]
    assert pair["accuracy"]["difference"]["p_value"] == 1.0
    assert "compare.threads" not in [one["rule"] for one in group["findings"]]
    again = inferometer("compare", "out", "--json", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["groups"][0]["scenarios"][0]["pairs"] == [pair]
