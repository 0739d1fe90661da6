"""What `inferometer submit` builds passes the checker, and the rounds' own; the rest is refused."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from inferometer.submission.building import RefusedError, SubmissionRequest, build_submission
from inferometer.submission.checking import CheckOptions, check_tree
from tests.submission.building.conftest import pocket_v05, pocket_v61, whole_v05, whole_v61
from tests.submission.building.sessions import DESCRIPTION, change_json, request_for
from tests.submission.building.test_refusing import setting
from tests.submission.checking.current_trees import DETAIL, EDGE, SUMMARY, set_value

__all__ = ["pocket_v05", "pocket_v61", "whole_v05", "whole_v61"]


def test_a_closed_tree(whole_v05: Path, tmp_path: Path) -> None:
    tree = build_submission(request_for(tmp_path, whole_v05)).tree
    report = check_tree(tree, workers=1)
    assert report.is_good, [c for c in report.findings() if c.is_error]
    assert report.published.exit_code == 0


def test_an_open_tree(pocket_v05: Path, tmp_path: Path) -> None:
    tree = build_submission(request_for(tmp_path, pocket_v05, demo=True)).tree
    report = check_tree(tree, workers=1)
    assert report.is_good, [c for c in report.findings() if c.is_error]
    assert report.published.exit_code == 0


@pytest.mark.slow
def test_demonstrations_and_open_trees_of_v61(
    pocket_v61: Path, whole_v61: Path, tmp_path: Path
) -> None:
    demo = request_for(tmp_path, pocket_v61, round_name="v6.1", demo=True)
    report = check_tree(build_submission(demo).tree, options=CheckOptions(is_demo=True), workers=1)
    assert report.published.exit_code == 0
    for name in ("mobilenet", "my-mobilenet"):
        tree = tmp_path / name
        request = request_for(tmp_path, whole_v61, round_name="v6.1", tree=tree, benchmark=name)
        report = check_tree(build_submission(request).tree, workers=1)
        assert len(report.results) == 4
        assert report.published.exit_code == 0, report.published


def _part(runs: Path, folder: Path, scenarios: Sequence[str]) -> Path:
    """Copy the runs of some scenarios only."""
    left_out = {"SingleStream", "MultiStream", "Server", "Offline"} - set(scenarios)
    return Path(shutil.copytree(runs, folder, ignore=lambda _, names: left_out & set(names)))


def _audits(runs: Path, folder: Path, scenarios: Sequence[str]) -> Path:
    """Make tests that passed, with runs that keep the rules for runs."""
    for scenario in scenarios:
        for name in ("TEST01", "TEST04"):
            test = folder / scenario / name
            (test / "performance/run_1").mkdir(parents=True)
            for log in (DETAIL, SUMMARY):
                source = runs / scenario / "performance/run_1" / log
                shutil.copy(source, test / "performance/run_1" / log)
            for verdict in ("verify_accuracy.txt", "verify_performance.txt"):
                (test / verdict).write_text("TEST PASS\n")
    return folder


def _closed(
    runs: Path,
    tmp_path: Path,
    scenarios: Sequence[str] = EDGE,
    description: Mapping[str, str] = DESCRIPTION,
) -> SubmissionRequest:
    part = _part(runs, tmp_path / "runs", scenarios)
    audits = _audits(runs, tmp_path / "audits", scenarios)
    return request_for(
        tmp_path,
        part,
        round_name="v6.1",
        division="closed",
        audit=audits,
        description=description,
    )


@pytest.mark.slow
def test_a_closed_tree_of_v61(whole_v61: Path, tmp_path: Path) -> None:
    tree = build_submission(_closed(whole_v61, tmp_path)).tree
    published = check_tree(tree, workers=1).published
    assert len(published.results) == 3
    assert published.exit_code == 0, published


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scenarios", "kind", "seen"),
    [
        ((*EDGE, "Server"), "edge", "Server: on a system of type edge it is run in SingleStream"),
        (EDGE, "datacenter", "on a system of type datacenter it is run in none"),
    ],
)
def test_a_kind_of_system_that_has_no_such_result(
    scenarios: Sequence[str], kind: str, seen: str, whole_v61: Path, tmp_path: Path
) -> None:
    description = {**DESCRIPTION, "system_type": kind}
    with pytest.raises(RefusedError, match=rf"submit\.not-in-round.*{seen}"):
        build_submission(_closed(whole_v61, tmp_path, scenarios, description))


@pytest.mark.slow
def test_audits_that_the_checker_would_not_take(whole_v61: Path, tmp_path: Path) -> None:
    request = _closed(whole_v61, tmp_path)
    assert request.audit is not None
    test = request.audit / "Offline/TEST04"
    set_value(f"performance/run_1/{DETAIL}", "effective_min_duration_ms", 20_000)(test)
    (test / "performance/run_1/notes.txt").write_text("quick")
    with pytest.raises(RefusedError) as raised:
        build_submission(request)
    seen = [found.seen.split("TEST04: ")[-1] for found in raised.value.findings]
    assert {found.rule.id for found in raised.value.findings} == {"submit.audit-not-by-the-book"}
    assert "the minimum duration is 20000 ms, not 600000" in seen
    assert seen[-1].endswith("TEST04/performance/run_1 has other files")
    assert not request.tree.exists()


@pytest.mark.slow
def test_settings_that_the_checker_would_not_take(whole_v61: Path, tmp_path: Path) -> None:
    server = _part(whole_v61, tmp_path / "server", ["Server"])
    setting(server_target_latency_ns=30_000_000)(server)
    with pytest.raises(RefusedError, match="target_latency 30 ms, not 15 ms or less"):
        build_submission(request_for(tmp_path, server, round_name="v6.1"))
    own = _part(whole_v61, tmp_path / "own", ["Offline"])
    change_json(
        own / "session.json",
        lambda v: v["workload"].update(name="classification", options={"model": "m.onnx"}),
    )
    setting(min_query_count=100, offline_expected_qps=1.0)(own)
    facts = {"retraining": "none", "weight_transformations": "none"}
    request = request_for(
        tmp_path,
        own,
        round_name="v6.1",
        division="closed",
        benchmark="resnet",
        measurements=facts,
    )
    with pytest.raises(RefusedError, match="samples_per_query 660, not 24576 or more"):
        build_submission(request)
