"""Measuring a plan: fresh runs in random order, on a virtual clock, resumed and cut off."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from inferometer.backends import BackendError
from inferometer.cli.output import SilentListener
from inferometer.comparing import (
    Candidate,
    ComparisonFolderError,
    Group,
    Plan,
    compare_folders,
    is_comparison,
    load_comparison,
    measure_plan,
    read_plan,
    write_plan,
)
from inferometer.comparing.plan import usual_blocks
from inferometer.loadgen import CONFIDENCE, Mode, Scenario
from inferometer.runs import Listener, RunFolderError, RunRequest, Session
from tests.comparing.options import request_of, simulated_session


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)


class Machine:
    """Runs requests on a virtual clock; each backend has a latency of its own."""

    def __init__(self, latencies_ns: dict[str, int], seconds: float = 1.0):
        self._latencies_ns = latencies_ns
        self._seconds = seconds
        self.now_s = 0.0
        self.requests: list[RunRequest] = []
        self.fails: dict[int, BaseException] = {}

    def __call__(self, request: RunRequest, listener: Listener) -> Session:
        self.requests.append(request)
        self.now_s += self._seconds
        failure = self.fails.get(len(self.requests))
        if failure is not None:
            raise failure
        # A percent more or less, so that no two runs are the same.
        latency_ns = self._latencies_ns[request.backend] + 1000 * (len(self.requests) % 7)
        return simulated_session(request, latency_ns)

    def clock(self) -> float:
        return self.now_s


def plan_of(folder: Path, labels: Sequence[str] = ("a", "b"), **changes: Any) -> Plan:
    scenarios = changes.pop("scenarios", (Scenario.SINGLE_STREAM,))
    candidates = tuple(
        Candidate(label, {"backend": label}, request_of(folder, label, scenarios=scenarios))
        for label in labels
    )
    values: dict[str, Any] = {"blocks": 8, "seconds": 0.1, "seed": 3}
    return Plan((Group("simulated", candidates),), scenarios, **{**values, **changes})


def measured(plan: Plan, folder: Path, machine: Machine) -> Plan:
    return measure_plan(plan, folder, SilentListener(), machine, machine.clock)


def test_the_faster_one_is_found_and_said(tmp_path: Path) -> None:
    machine = Machine({"a": 200_000, "b": 300_000})
    measured(plan_of(tmp_path), tmp_path, machine)
    found = load_comparison(tmp_path)
    (scenario,) = found.groups[0].scenarios
    (pair,) = scenario.pairs
    assert pair.shows_difference
    assert (pair.first, pair.second) == ("a", "b")
    assert pair.ratio is not None
    assert pair.ratio.value == pytest.approx(1.5, rel=0.05)
    assert pair.sentence.startswith("a is 1.")
    assert "faster than b (95% interval" in pair.sentence
    assert not found.is_refused
    assert found.is_complete


def test_each_block_has_everyone_once_in_a_drawn_order(tmp_path: Path) -> None:
    machine = Machine({"a": 200_000, "b": 200_000, "c": 200_000})
    plan = measured(plan_of(tmp_path, "abc", blocks=12), tmp_path, machine)
    orders = plan.orders["simulated"]
    assert len(orders) == 12
    assert all(sorted(order) == ["a", "b", "c"] for order in orders)
    assert len({tuple(order) for order in orders}) > 1
    ran = [request.backend for request in machine.requests[3:]]
    assert ran == [label for order in orders for label in order]
    again = plan_of(tmp_path, "abc", blocks=12)
    drawn = [[one.label for one in again.order_of(again.groups[0], n)] for n in range(12)]
    assert drawn == [list(order) for order in orders], "the seed gives the same order again"


def test_a_block_draws_samples_anew_and_alike_for_all(tmp_path: Path) -> None:
    machine = Machine({"a": 200_000, "b": 200_000})
    measured(plan_of(tmp_path, blocks=6), tmp_path, machine)
    seeds = [
        request.settings(Scenario.SINGLE_STREAM)["sample_index_rng_seed"]
        for request in machine.requests[2:]
    ]
    assert set(Counter(seeds).values()) == {2}
    assert all(request.modes == (Mode.PERFORMANCE,) for request in machine.requests[2:])


def test_everyone_gets_the_server_rate_of_the_slowest(tmp_path: Path) -> None:
    machine = Machine({"a": 200_000, "b": 400_000})
    scenarios = (Scenario.SERVER,)
    named = tuple(
        Candidate(
            label, {"backend": label}, RunRequest("pocket-mobilenet", tmp_path, backend=label)
        )
        for label in "ab"
    )
    plan = Plan((Group("g", named),), scenarios, 2, 0.1, 3)
    plan = measured(plan, tmp_path, machine)
    rate = plan.groups[0].server_target_qps
    assert rate is not None
    # Offline the slower one answers 80 samples in 0.4 ms; the usual rate is a quarter of that.
    assert rate == pytest.approx(80 / 0.4e-3 / 4, rel=0.03)
    rates = {
        request.settings(Scenario.SERVER)["server_target_qps"] for request in machine.requests[2:]
    }
    assert rates == {rate}


def test_an_option_that_fails_is_left_out_and_the_others_are_compared(tmp_path: Path) -> None:
    machine = Machine({"a": 200_000, "b": 300_000, "c": 250_000})
    machine.fails[2] = BackendError("no such thing")
    measured(plan_of(tmp_path, "abc"), tmp_path, machine)
    found = load_comparison(tmp_path)
    (group,) = found.groups
    assert [one.rule.id for one in group.findings if "no such thing" in one.seen] == [
        "compare.failed"
    ]
    assert {group.scenarios[0].pairs[0].first, group.scenarios[0].pairs[0].second} == {"a", "c"}
    assert found.is_refused


def test_cut_off_it_goes_on_where_it_was(tmp_path: Path) -> None:
    machine = Machine({"a": 200_000, "b": 300_000})
    machine.fails[8] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        measured(plan_of(tmp_path), tmp_path, machine)
    found = load_comparison(tmp_path)
    assert (found.blocks, found.is_complete) == (2, False)
    assert not any(pair.shows_difference for pair in found.groups[0].scenarios[0].pairs)
    again = Machine({"a": 200_000, "b": 300_000})
    measured(read_plan(tmp_path), tmp_path, again)
    found = load_comparison(tmp_path)
    assert (found.blocks, found.is_complete) == (8, True)
    assert len(again.requests) == 12, "what was finished isn't run again"
    assert (tmp_path / "interrupted").is_dir(), "what was cut off stays as evidence"


def test_the_budget_cuts_blocks_and_never_below_what_has_an_interval(tmp_path: Path) -> None:
    machine = Machine({"a": 200_000, "b": 300_000}, seconds=1.0)
    plan = measured(plan_of(tmp_path, blocks=40, budget_s=30.0), tmp_path, machine)
    assert 10 <= len(plan.orders["simulated"]) <= 14
    machine = Machine({"a": 200_000, "b": 300_000}, seconds=100.0)
    plan = measured(
        plan_of(tmp_path / "slow", blocks=40, budget_s=30.0), tmp_path / "slow", machine
    )
    assert len(plan.orders["simulated"]) == 6


def test_a_precision_goes_on_until_it_is_reached(tmp_path: Path) -> None:
    machine = Machine({"a": 200_000, "b": 300_000})
    plan = measured(plan_of(tmp_path / "a", precision=0.5), tmp_path / "a", machine)
    assert len(plan.orders["simulated"]) == 8
    plan = measured(plan_of(tmp_path / "b", precision=1e-6, blocks=7), tmp_path / "b", machine)
    assert len(plan.orders["simulated"]) == 21
    assert plan.confidence == pytest.approx(1 - 0.05 / 3)


def test_more_comparisons_need_more_confidence_and_more_blocks(tmp_path: Path) -> None:
    two, three = plan_of(tmp_path), plan_of(tmp_path, "abc")
    assert two.confidence == CONFIDENCE
    assert three.confidence == pytest.approx(1 - 0.05 / 3)
    assert usual_blocks(1 - 0.05 / 60) > usual_blocks(three.confidence)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b'{"format": "inferometer-comparison", "version": 9}']
)
def test_a_damaged_plan_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "plan.json").write_bytes(content)
    with pytest.raises(ComparisonFolderError, match=r"plan\.json"):
        read_plan(tmp_path)


def test_a_plan_can_not_lead_out_of_its_folder(tmp_path: Path) -> None:
    write_plan(tmp_path, plan_of(tmp_path))
    values = json.loads((tmp_path / "plan.json").read_text("utf-8"))
    values["groups"][0]["name"] = "../elsewhere"
    (tmp_path / "plan.json").write_text(json.dumps(values), "utf-8")
    with pytest.raises(ComparisonFolderError, match="no name of a group"):
        read_plan(tmp_path)


def recorded(folder: Path, latency_ns: int, backend: str = "a", **workload: Any) -> Path:
    request = request_of(folder, backend, scenarios=(Scenario.SINGLE_STREAM,))
    simulated_session(request, latency_ns, **workload)
    return folder


def test_single_recorded_runs_are_compared_and_claim_nothing(tmp_path: Path) -> None:
    folders = [recorded(tmp_path / "x", 200_000), recorded(tmp_path / "y", 400_000)]
    found = compare_folders(folders)
    (scenario,) = found.groups[0].scenarios
    (pair,) = scenario.pairs
    assert not pair.shows_difference
    assert "in one run each" in pair.sentence
    assert "isn't known" in pair.sentence
    ids = {one.rule.id for one in found.groups[0].findings}
    assert {"compare.single-run", "compare.not-interleaved"} <= ids
    assert "same accuracy" not in pair.sentence or pair.accuracy is not None


def test_several_recorded_runs_of_each_have_an_interval(tmp_path: Path) -> None:
    for number in range(5):
        recorded(tmp_path / "x" / str(number), 200_000 + number * 900)
        recorded(tmp_path / "y" / str(number), 400_000 + number * 1100)
    found = compare_folders([tmp_path / "x", tmp_path / "y"])
    (pair,) = found.groups[0].scenarios[0].pairs
    assert pair.shows_difference
    assert pair.first == "x"
    ids = {one.rule.id for one in found.groups[0].findings}
    assert "compare.not-interleaved" in ids
    assert "compare.single-run" not in ids


def test_recorded_runs_of_other_data_are_refused(tmp_path: Path) -> None:
    folders = [
        recorded(tmp_path / "x", 200_000),
        recorded(tmp_path / "y", 200_000, data_set="another", samples=3),
    ]
    found = compare_folders(folders)
    assert found.is_refused
    assert "compare.data" in {one.rule.id for one in found.groups[0].findings}


def test_a_folder_without_runs_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="is not a run folder"):
        compare_folders([recorded(tmp_path / "x", 200_000), tmp_path / "y"])
    assert not is_comparison(tmp_path)
