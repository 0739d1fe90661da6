"""The published verdict on changed trees is what the published checker was seen to say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from inferometer.rounds import load_round
from inferometer.submission import Tree
from inferometer.submission.building import build_submission
from inferometer.submission.checking.published import PublishedTree, published_verdict
from inferometer.submission.places import result_places
from tests.submission.building.conftest import whole_v05
from tests.submission.building.sessions import change_json, request_for
from tests.submission.checking.published_changes import BAD, CHANGES, ERROR, PASS

__all__ = ["whole_v05"]


@pytest.fixture(scope="module")
def good(whole_v05: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a tree, moved to the closed division, without the answers, which aren't read."""
    folder = tmp_path_factory.mktemp("good")
    tree = build_submission(request_for(folder, whole_v05)).tree
    (tree / "open").rename(tree / "closed")
    change_json(
        tree / "closed/ACME/systems/sysA.json", lambda system: system.update(division="closed")
    )
    next(tree.glob("*/*/results/*/*/*/accuracy/mlperf_log_accuracy.json")).write_text("[\n]\n")
    return tree


def _verdict(root: Path) -> PublishedTree:
    tree = Tree(root)
    return published_verdict(tree, list(result_places(tree)), load_round("v0.5"), None)


def _level(verdict: PublishedTree) -> str:
    if not all(result.is_good for result in verdict.results):
        return BAD
    return ERROR if verdict.errors else PASS


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_tree(name: str, good: Path, tmp_path: Path) -> None:
    tree = Path(shutil.copytree(good, tmp_path / "tree"))
    CHANGES[name].change(tree / "closed/ACME/results/sysA/mobilenet/Offline")
    verdict = _verdict(tree)
    assert _level(verdict) == CHANGES[name].imitated, json.dumps(verdict.to_mapping(), indent=1)
    assert verdict.exit_code == (0 if CHANGES[name].imitated == PASS else 1)
