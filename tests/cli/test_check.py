"""`inferometer check`: exit codes, and the forms in which it reports."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from inferometer.cli.main import main
from tests.submission.checking.trees import labels, make_tree, replace


def _code(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(["check", *arguments])
    assert isinstance(stopped.value.code, int)
    return stopped.value.code


def test_a_good_tree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_tree(tmp_path)
    assert _code(str(tmp_path)) == 0
    assert "OK: 1 of 1 results good" in capsys.readouterr().out


def test_a_bad_tree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = make_tree(tmp_path)
    replace(result / "performance/run_1/mlperf_log_summary.txt", "is : VALID", "is : INVALID")
    assert _code(str(tmp_path)) == 1
    assert "[result.invalid]" in capsys.readouterr().out


def test_warnings_are_no_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_tree(tmp_path, folder="singlestream")
    assert _code(str(tmp_path)) == 0
    assert "warning The scenario is spelt" in capsys.readouterr().out


def test_json_is_all_there_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_tree(tmp_path)
    assert _code(str(tmp_path), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["is_good"] is True
    assert found["round"] == "v0.5"
    assert found["published"]["exit_code"] == 0
    assert {check["outcome"] for check in found["results"][0]["checks"]} >= {"pass", "declared"}


def test_files_for_other_programs(tmp_path: Path) -> None:
    make_tree(tmp_path / "tree")
    junit, markdown = tmp_path / "out/junit.xml", tmp_path / "out/check.md"
    assert _code(str(tmp_path / "tree"), "--junit", str(junit), "--markdown", str(markdown)) == 0
    assert ElementTree.parse(junit).getroot().tag == "testsuites"
    assert markdown.read_text().startswith("# Check of ")


def test_labels_recompute_the_accuracy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_tree(tmp_path / "tree")
    file = tmp_path / "val_map.txt"
    file.write_text("".join(f"{n}.JPEG {label}\n" for n, label in enumerate(labels().tolist())))
    assert _code(str(tmp_path / "tree"), "--labels", str(file), "--json") == 0
    (result,) = json.loads(capsys.readouterr().out)["results"]
    assert result["recomputed_accuracy"] == "accuracy=77.000%, good=38500, total=50000"


def test_the_published_verdict_has_its_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = make_tree(tmp_path)
    log = result / "performance/run_1/mlperf_log_summary.txt"
    replace(log, r"^qsl_rng_seed : \d+", "qsl_rng_seed : 1")
    assert _code(str(tmp_path)) == 1
    assert _code(str(tmp_path), "--as-published") == 0
    assert "exit code 0" in capsys.readouterr().out
    assert _code(str(tmp_path), "--as-published", "--json") == 0
    assert json.loads(capsys.readouterr().out)["results"][0]["is_good"] is True


def test_no_results_are_never_good(tmp_path: Path) -> None:
    (tmp_path / "closed/ACME/results").mkdir(parents=True)
    assert _code(str(tmp_path)) == 1
    assert _code(str(tmp_path), "--as-published") == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["{}"], "is empty"),
        (["{}/nothing"], "does not exist"),
        (["{}/file"], "not a folder"),
        (["{}/tree", "--submitter", "Nobody"], "there are some of ACME"),
        (["{}/tree", "--round", "v9"], "v9"),
        (["{}/tree", "--labels", "{}/nothing"], "does not exist"),
        (["{}/tree", "--labels", "{}/labels"], "line 1"),
    ],
)
def test_wrong_usage(
    arguments: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if arguments != ["{}"]:
        make_tree(tmp_path / "tree")
        (tmp_path / "file").write_text("")
        (tmp_path / "labels").write_text("a.JPEG cat\n")
    assert _code(*(argument.format(tmp_path) for argument in arguments)) == 2
    assert told in capsys.readouterr().err
