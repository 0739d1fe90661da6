"""Schedules of Server, replayed: those of real logs fit, and anything else is found."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from inferometer.loadgen import Scenario
from inferometer.loadgen.arrivals import poisson_arrivals
from inferometer.loadgen.random_stream import RandomStream
from inferometer.submission import Tree
from inferometer.submission.checking import Check, Outcome
from inferometer.submission.checking.notebook import Notebook
from inferometer.submission.checking.run_logs import read_run
from inferometer.submission.checking.schedule import check_schedule
from tests.submission.checking.trees import replace
from tests.support import V05_SEEDS, shared_data

_SUMMARY, _DETAIL = "mlperf_log_summary.txt", "mlperf_log_detail.txt"
_SEED = V05_SEEDS["schedule_rng_seed"]


def _check(folder: Path, scenario: Scenario = Scenario.SERVER) -> list[Check]:
    notebook = Notebook("v0.5")
    run = read_run(Tree(folder.parent), (folder.name,), Notebook("v0.5"))
    check_schedule(run, scenario, notebook)
    return notebook.checks


def _outcome(folder: Path) -> Outcome:
    (check,) = _check(folder)
    assert check.rule.id == "replay.schedule"
    return check.outcome


def _run(
    folder: Path,
    changes: Mapping[str, str] | None = None,
    *,
    rate: float = 500.0,
    seed: int = _SEED,
    least: int = 100,
) -> Path:
    """Write the logs of a test of 2 s, and change settings that they state."""
    due, duration_ns = poisson_arrivals(RandomStream(seed), rate, least, 2_000_000_000)
    values = {
        "Test mode": "Performance", "target_qps": f"{rate:g}", "target_duration (ms)": "2000",
        "min_query_count": str(least), "schedule_rng_seed": str(_SEED), "queries": str(len(due)),
        "duration": str(duration_ns), "stated": f"{(len(due) - 1) / (due[-1] / 1e9):.2f}",
        **(changes or {}),
    }  # fmt: skip
    count, duration, stated = (values.pop(name) for name in ("queries", "duration", "stated"))
    records = [
        "Effective Settings:", *(f"{name} : {text}" for name, text in values.items()),
        "Starting performance mode:",
        f'GeneratedQueries: "queries" : {count}, "samples per query" : 1, "duration" : {duration}',
    ]  # fmt: skip
    run = folder / "run_1"
    run.mkdir()
    (run / _DETAIL).write_text(
        "".join(f'"pid": 7, "tid": 7, "ts": {n}ns : {text}\n' for n, text in enumerate(records))
    )
    (run / _SUMMARY).write_text(f"Scheduled samples per second : {stated}\n")
    return run


def test_a_schedule_that_fits(tmp_path: Path) -> None:
    (check,) = _check(_run(tmp_path))
    assert check.outcome is Outcome.PASS
    assert check.seen.endswith("to the nanosecond")


@pytest.mark.parametrize("rate", [1234.5678, 0.98765432, 98765.4321])
def test_a_rate_of_more_digits_than_are_printed(rate: float, tmp_path: Path) -> None:
    (check,) = _check(_run(tmp_path, rate=rate))
    assert check.outcome is Outcome.PASS, check.seen
    assert check.seen.endswith("digits tell")


@pytest.mark.parametrize(
    ("changes", "seed"),
    [
        ({}, 1),
        ({"duration": "2000000000"}, _SEED),
        ({"queries": "999"}, _SEED),
        ({"target_qps": "501"}, _SEED),
        ({"schedule_rng_seed": "5"}, _SEED),
        ({"min_query_count": "2000"}, _SEED),
        ({"target_duration (ms)": "1900"}, _SEED),
        ({"target_duration (ms)": "2100"}, _SEED),
        ({"stated": "480.00"}, _SEED),
    ],
    ids=str,
)
def test_what_the_seed_doesnt_give(changes: dict[str, str], seed: int, tmp_path: Path) -> None:
    assert _outcome(_run(tmp_path, changes, seed=seed)) is Outcome.FAIL


@pytest.mark.parametrize(
    "changes",
    [
        {"Test mode": "Find Peak Performance"},
        {"target_qps": "0"},
        {"target_qps": "many"},
        {"schedule_rng_seed": "-1"},
        {"queries": "99999999999"},
        {"duration": "long"},
    ],
    ids=str,
)
def test_what_cant_be_replayed(changes: dict[str, str], tmp_path: Path) -> None:
    assert _outcome(_run(tmp_path, changes)) is Outcome.NOT_CHECKABLE


def test_no_query_at_all(tmp_path: Path) -> None:
    assert _outcome(_run(tmp_path, {"queries": "0", "duration": "0"})) is Outcome.FAIL


def test_a_run_that_ended_early_states_another_rate(tmp_path: Path) -> None:
    run = _run(tmp_path, {"stated": "480.00"})
    with (run / _DETAIL).open("a") as log:
        log.write('"pid": 7, "tid": 7, "ts": 99ns : ERROR : Ending early: Max duration.\n')
    assert _outcome(run) is Outcome.PASS


def test_other_scenarios_have_no_schedule(tmp_path: Path) -> None:
    assert _check(_run(tmp_path), Scenario.OFFLINE) == []


@pytest.mark.parametrize("version", ["v0.5", "v4.0", "v5.0.25", "v6.0.17"])
@pytest.mark.parametrize("mode", ["PerformanceOnly", "AccuracyOnly"])
def test_real_logs(version: str, mode: str, tmp_path: Path) -> None:
    source = shared_data("loadgen-logs", version) / f"Server_{mode}"
    if not source.is_dir():
        pytest.skip(f"no such log of {version}")
    run = tmp_path / "run"
    run.mkdir()
    for name in (_SUMMARY, _DETAIL):
        (run / name).write_bytes((source / name).read_bytes())
    (check,) = _check(run)
    assert check.outcome is Outcome.PASS, check.seen
    pattern = r'(effective_schedule_rng_seed", "value": |^(.* : )?schedule_rng_seed : )\d+'
    replace(run / _DETAIL, pattern, r"\g<1>77")
    assert _outcome(run) is Outcome.FAIL
