"""The published v0.5 round, checked: nothing breaks, and what differs is accounted for."""

from __future__ import annotations

import lzma
import re
import tarfile
from collections import Counter
from pathlib import Path

import pytest

from inferometer.logs import read_accuracy_log
from inferometer.submission import Tree
from inferometer.submission.checking import (
    CheckOptions,
    Outcome,
    TreeReport,
    Truth,
    check_tree,
    read_answers,
)
from tests.support import shared_data

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the published part once."""
    archive = shared_data("published-v0.5", "results.tar.xz")
    folder = tmp_path_factory.mktemp("published")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def report(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> TreeReport:
    """Check it with the labels of the data set."""
    labels = tmp_path_factory.mktemp("labels") / "val_map.txt"
    labels.write_bytes(lzma.decompress(shared_data("imagenet", "val_map.txt.xz").read_bytes()))
    options = CheckOptions(truth=Truth(labels=labels), with_code=False)
    return check_tree(folder, options=options)


def test_every_result_has_a_verdict(report: TreeReport) -> None:
    assert report.round_name == "v0.5"
    assert len(report.results) == 59
    assert report.published
    assert len(report.published.results) == 59
    assert all(result.checks for result in report.results)
    assert "check.gave-up" not in {check.rule.id for check in report.findings()}


def test_every_classification_accuracy_is_what_its_log_gives(report: TreeReport) -> None:
    outcomes = Counter(
        check.outcome
        for result in report.results
        if result.benchmark in ("resnet", "mobilenet")
        for check in result.checks
        if check.rule.id == "accuracy.differs"
    )
    assert outcomes == {Outcome.PASS: 44, Outcome.NOT_CHECKABLE: 2}
    for result in report.results:
        if result.recomputed:
            assert result.recomputed == result.accuracy


def test_every_sample_stream_is_what_the_seeds_give(report: TreeReport) -> None:
    failed = [
        check.where
        for check in report.findings()
        if check.rule.id in ("replay.loaded-set", "replay.accuracy-order")
    ]
    # The log of a performance run, submitted as that of the accuracy run.
    folder = "closed/Intel/results/clx_9282-2s_openvino-linux/ssd-small/SingleStream/accuracy"
    assert failed == [f"{folder}/mlperf_log_accuracy.json"]


def test_every_schedule_is_what_its_seed_gives(report: TreeReport) -> None:
    outcomes = Counter(
        check.outcome for check in report.all_checks() if check.rule.id == "replay.schedule"
    )
    # One accuracy run has no detail log.
    assert outcomes == {Outcome.PASS: 24, Outcome.NOT_CHECKABLE: 1}


def test_stricter_findings_are_those_of_the_account(report: TreeReport) -> None:
    counts = Counter(c.rule.id for c in report.findings() if c.is_error)
    account = (Path(__file__).parents[3] / "docs" / "checking.md").read_text()
    told = dict(re.findall(r"^\| `([a-z.-]+)` \| (\d+) \|", account, re.MULTILINE))
    assert {rule: int(count) for rule, count in told.items()} == counts


def test_the_published_verdict_is_that_of_the_submitters_logs(
    folder: Path, report: TreeReport
) -> None:
    """Compare with the logs of the published checker that submitters put beside their results.

    They passed then; files that the published round leaves out are the only reasons not to now.
    """
    assert report.published
    verdicts = {str(result.place): result for result in report.published.results}
    compared = 0
    for log in folder.rglob("compliance_checker_log.txt"):
        for name in re.findall(r"INFO:main:(\S+/results/\S+) OK", log.read_text()):
            result = verdicts.get(name)
            if result is None:
                continue
            compared += 1
            assert all(
                "has other files: mlperf_log" in reason or "detail.txt: there is no" in reason
                for reason in result.reasons
            ), result
    assert compared >= 30


def test_the_fast_reader_gives_what_the_exact_one_gives(folder: Path) -> None:
    tree = Tree(folder)
    for log in sorted(folder.glob("*/*/results/*/*/*/accuracy/mlperf_log_accuracy.json"))[::7]:
        exact = [(e.seq_id, e.qsl_idx, e.data) for e in read_accuracy_log(log)]
        found: list[tuple[int, int, bytes]] = []
        for batch in read_answers(tree, *log.relative_to(folder).parts):
            ends = batch.sizes.cumsum().tolist()
            starts = [0, *ends[:-1]]
            data = [batch.data[a:b] for a, b in zip(starts, ends, strict=True)]
            found += zip(batch.ids.tolist(), batch.indices.tolist(), data, strict=True)
        assert found == exact
