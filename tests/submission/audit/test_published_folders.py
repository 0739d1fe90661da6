"""Published audit folders: verdicts worked out anew, and the round of 2019 as it is."""

from __future__ import annotations

import tarfile
from collections import Counter
from pathlib import Path

import pytest

from inferometer.rounds import load_round
from inferometer.submission import Tree
from inferometer.submission.audit import FolderCheck, Outcome, audit_folders, check_folder
from tests.support import shared_data

ROUND = load_round("v0.5")
SUMMARY = "Scenario : Offline\nSamples per second: {}\nResult is : VALID\n"


def write(root: Path, files: dict[str, str]) -> Tree:
    for name, text in files.items():
        path = root / "closed" / "ACME" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Tree(root)


def checks(tree: Tree) -> list[FolderCheck]:
    return [one for folder in audit_folders(tree) for one in check_folder(tree, folder, ROUND)]


def offline(test: str, name: str) -> str:
    return f"audit/box/resnet/Offline/{test}/{name}"


RESULT = {
    "results/box/resnet/Offline/performance/run_1/mlperf_log_summary.txt": SUMMARY.format(100)
}


@pytest.mark.parametrize(("tested", "found"), [(95, Outcome.PASS), (50, Outcome.FAIL)])
@pytest.mark.parametrize("where", ["performance/run_1", "performance", "."])
def test_a_verdict_is_worked_out_from_the_logs(
    tmp_path: Path, tested: int, found: Outcome, where: str
) -> None:
    tree = write(
        tmp_path,
        RESULT
        | {
            offline("TEST05", f"{where}/mlperf_log_summary.txt"): SUMMARY.format(tested),
            offline("TEST05", "verify_performance_output.txt"): "TEST PASS",
        },
    )
    (one,) = checks(tree)
    assert (one.stated, one.found) == (Outcome.PASS, found)
    assert one.agrees is (found is Outcome.PASS)


def test_missing_and_damaged_files_are_named(tmp_path: Path) -> None:
    tree = write(
        tmp_path,
        {
            offline("TEST01", "verify_accuracy.txt"): "TEST PASS\n",
            offline("TEST05", "performance/run_1/mlperf_log_summary.txt"): "\x00nonsense",
            offline("TEST99", "verify_performance.txt"): "TEST PASS\n",
        },
    )
    found = checks(tree)
    assert [(one.folder.test, one.what, one.found) for one in found] == [
        ("TEST01", "answers", Outcome.NOT_CHECKABLE),
        ("TEST01", "performance", Outcome.NOT_CHECKABLE),
        ("TEST05", "performance", Outcome.NOT_CHECKABLE),
    ]
    assert all(one.agrees is None and one.seen for one in found)


def test_answers_that_differ_only_beyond_the_first_byte(tmp_path: Path) -> None:
    row = '[\n{{ "seq_id" : 0, "qsl_idx" : 7, "data" : "{}" }}\n]\n'
    tree = write(
        tmp_path,
        RESULT
        | {
            "results/box/resnet/Offline/accuracy/mlperf_log_accuracy.json": row.format("00002041"),
            offline("TEST01", "performance/run_1/mlperf_log_accuracy.json"): row.format("00004041"),
            offline("TEST01", "performance/run_1/mlperf_log_summary.txt"): SUMMARY.format(100),
        },
    )
    answers, performance = checks(tree)
    assert (answers.found, performance.found) == (Outcome.PASS, Outcome.PASS)
    assert answers.stricter == "1 of 1 whole answers differ"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> list[FolderCheck]:
    archive = shared_data("published-v0.5", "results.tar.xz")
    root = tmp_path_factory.mktemp("published")
    with tarfile.open(archive) as file:
        file.extractall(root, filter="data")
    roots = [path.parent for path in root.rglob("closed") if path.is_dir()]
    return checks(Tree(min(roots, key=lambda path: len(path.parts))))


@pytest.mark.slow
def test_the_published_round_agrees_with_itself(published: list[FolderCheck]) -> None:
    """Of the verdicts that logs allow to be worked out, all but one are as stated.

    The one: its accuracy run logged boxes whose first number isn't the sample's index.
    """
    found = published
    assert len(found) > 180
    performance = Counter(one.agrees for one in found if one.what == "performance")
    assert performance[True] > 120
    assert performance[False] == 0
    answers = [one for one in found if one.what == "answers"]
    assert sum(one.agrees is True for one in answers) > 15
    (odd,) = [one for one in answers if one.agrees is False]
    assert str(odd.folder).endswith("ICL-I3-1005G1_OpenVINO-Windows/ssd-small/SingleStream/TEST01")
    assert "924 of 956" in odd.seen


@pytest.mark.slow
def test_whole_answers_tell_more_than_first_bytes(published: list[FolderCheck]) -> None:
    stricter = {
        (one.folder.place.submitter, one.folder.place.benchmark, one.folder.place.scenario): one
        for one in published
        if one.stricter and one.found is Outcome.PASS
    }
    assert "481 of 481" in stricter["Qualcomm", "mobilenet", "MultiStream"].stricter
    assert "12361 of 12660" in stricter["Intel", "mobilenet", "SingleStream"].stricter
