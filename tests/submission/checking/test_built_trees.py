"""What `inferometer submit` builds passes the checker."""

from __future__ import annotations

from pathlib import Path

from inferometer.submission.building import build_submission
from inferometer.submission.checking import check_tree
from tests.submission.building.conftest import pocket_v05, whole_v05
from tests.submission.building.sessions import request_for

__all__ = ["pocket_v05", "whole_v05"]


def test_a_closed_tree(whole_v05: Path, tmp_path: Path) -> None:
    tree = build_submission(request_for(tmp_path, whole_v05)).tree
    report = check_tree(tree, workers=1)
    assert report.is_good, [c for c in report.findings() if c.is_error]
    assert report.published
    assert report.published.exit_code == 0


def test_an_open_tree(pocket_v05: Path, tmp_path: Path) -> None:
    tree = build_submission(request_for(tmp_path, pocket_v05, demo=True)).tree
    report = check_tree(tree, workers=1)
    assert report.is_good, [c for c in report.findings() if c.is_error]
    assert report.published
    assert report.published.exit_code == 0
