"""By the book: areas and divisions pick scenarios, and say early what can't count."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from inferometer.cli.run import command
from inferometer.loadgen import InferometerError, Mode, Scenario, SettingsError, Severity
from inferometer.rounds import load_round
from inferometer.runs import (
    Runner,
    RunRequest,
    Session,
    TestResult,
    breaches,
    by_the_book,
    for_division_and_area,
    load_session,
    loaded,
)
from inferometer.runs.by_the_book import format_breaches, round_notes
from inferometer.runs.chooser import Chooser
from inferometer.runs.effort import Pace
from inferometer.runs.findings import findings_of_test
from inferometer.runs.loaded import LoadedWorkload
from inferometer.runs.outlook import Outlook, duration_text, expectation_lines
from inferometer.runs.plan import planned_tests
from inferometer.workloads import WorkloadOptions, get_workload

S, M, V, OFF = (
    Scenario.SINGLE_STREAM,
    Scenario.MULTI_STREAM,
    Scenario.SERVER,
    Scenario.OFFLINE,
)
V05 = load_round("v0.5")
INFO = get_workload("pocket-mobilenet").info
MODEL = """
import numpy as np

def right(x):
    return np.zeros((len(x), 10), np.float32)
"""


class Heard:
    """A listener that remembers remarks, and the names of tests."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.begun: list[tuple[str, float]] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def begin(self, name: str, expected_s: float) -> None:
        self.begun.append((name, expected_s))

    def progress(self, progress: Any) -> None: ...
    def end(self, result: TestResult) -> None: ...


def request(**changes: Any) -> RunRequest:
    values = {"workload": "pocket-mobilenet", "output": Path("unused"), "round": V05, **changes}
    return RunRequest(**values)


@pytest.mark.parametrize(
    ("round_name", "area", "workload", "scenarios"),
    [
        ("v0.5", "mobile", "pocket-mobilenet", (S,)),
        ("v0.5", "automotive", "pocket-ssd-resnet", (M,)),
        ("v0.5", "robotics", "pocket-resnet", (S, M)),
        ("v0.5", "cloud", "pocket-gnmt", (V, OFF)),
        ("v6.1", "mobile", "pocket-resnet", (S, M, OFF)),
        ("v6.1", "automotive", "pocket-resnet", (S, M, OFF)),
        ("v6.1", "robotics", "pocket-resnet", (S, M, OFF)),
        ("v6.1", "cloud", "pocket-resnet", (V, OFF)),
    ],
)
def test_the_area_picks_the_scenarios(
    round_name: str, area: str, workload: str, scenarios: tuple[Scenario, ...]
) -> None:
    asked = request(workload=workload, round=load_round(round_name), division="closed", area=area)
    assert for_division_and_area(asked).scenarios == scenarios


def test_the_open_division_needs_only_the_area() -> None:
    asked = request(round=load_round("v6.1"), division="open", area="mobile")
    assert for_division_and_area(asked).scenarios == (S,)


@pytest.mark.parametrize(
    ("scenarios", "remark"),
    [
        ((V,), "area cloud, by --scenario without Offline, which it also asks for"),
        (
            (V, OFF, S),
            "area cloud, by --scenario with SingleStream, which isn't one of its scenarios",
        ),
        ((V, OFF), None),
    ],
)
def test_scenarios_that_are_named_come_first_and_that_is_said(
    scenarios: tuple[Scenario, ...], remark: str | None
) -> None:
    found = for_division_and_area(request(area="cloud", scenarios=scenarios))
    assert found.scenarios == scenarios
    assert found.remarks == (() if remark is None else (remark,))


def test_a_benchmark_that_an_area_was_not_meant_for_is_remarked() -> None:
    (remark,) = for_division_and_area(request(workload="pocket-gnmt", area="mobile")).remarks
    assert remark == "area mobile: gnmt isn't one of its benchmarks, mobilenet, ssd-small, resnet"


def test_the_label_says_round_division_and_area() -> None:
    def short(_: Scenario) -> Mapping[str, Any]:
        return {"min_duration_ms": 1}

    assert request(division="closed", area="mobile").label == "round v0.5, closed, mobile"
    assert request(settings=short).label == "round v0.5, changed settings"
    assert request(division="open", settings=short).label == "round v0.5, open, changed settings"


def test_server_is_run_five_times_after_its_accuracy() -> None:
    asked = request(scenarios=(V, OFF))
    names = [test.name for test in planned_tests(asked, asked.modes)]
    servers = [f"Server performance {number}" for number in range(1, 6)]
    assert names == ["Offline accuracy", "Offline performance", "Server accuracy", *servers]


OTHER_SETTINGS = {
    "min_duration_ms": 100,
    "qsl_rng_seed": 1,
    "server_target_latency_ns": 50,
}
OWN_SETTINGS = {"server_target_qps": 5.0, "min_duration_ms": 90_000, "min_query_count": 10**6}


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        ({}, {}),
        ({"settings": lambda _: OWN_SETTINGS}, {}),
        (
            {"settings": lambda _: OTHER_SETTINGS},
            {
                "submit.changed-settings": "Server: server_target_latency_ns 50, not 10000000, "
                "min_duration_ms 100, not 60000, qsl_rng_seed 1, not 3133965575612453542"
            },
        ),
        (
            {"workload_options": WorkloadOptions(count=5)},
            {"submit.part-of-data-set": "--count 5"},
        ),
        (
            {"workload": "resnet50",
             "workload_options": WorkloadOptions(weights="random", data=Path("synthetic"))},
            {"submit.random-weights": "--weights random",
             "submit.synthetic-data": "--data synthetic"},
        ),
        ({"workload_options": WorkloadOptions(number_format="int8")}, {}),
        ({"scenarios": (Scenario.MULTI_STREAM_FREE,)},
         {"submit.not-in-round": "round v0.5 has no MultiStreamFree"}),
        ({"workload": "pocket-gnmt", "round": load_round("v6.1")},
         {"submit.not-in-round": "pocket-gnmt is none of "}),
        ({"division": "open", "workload_options": WorkloadOptions(count=5)}, {}),
        ({"division": "", "workload_options": WorkloadOptions(count=5)}, {}),
    ],
)  # fmt: skip
def test_what_the_closed_division_does_not_take(
    changes: dict[str, Any], seen: dict[str, str]
) -> None:
    asked = request(**{"division": "closed", "scenarios": (V,), **changes})
    info = get_workload(asked.workload, asked.workload_options).info
    found = {one.rule.id: one.seen for one in breaches(asked, info)}
    assert found.keys() == seen.keys()
    for rule, text in seen.items():
        assert text in found[rule] if rule == "submit.not-in-round" else text == found[rule]
    assert all(one.rule.severity is Severity.ERROR for one in breaches(asked, info))


@pytest.mark.parametrize(
    ("division", "round_name", "precision", "is_found"),
    [
        ("closed", "v0.5", "fp64", True),
        ("closed", "v0.5", "bf16", False),
        ("closed", "v0.5", "the function's own", False),
        ("closed", "v6.1", "fp8", False),
        ("open", "v0.5", "fp64", False),
    ],
)
def test_number_formats(division: str, round_name: str, precision: str, is_found: bool) -> None:
    asked = request(division=division, round=load_round(round_name))
    found = format_breaches(asked, {"precision": precision})
    assert [one.rule.id for one in found] == ["rule.number-format"] * is_found


def test_the_target_of_the_round_holds_for_its_own_data_set() -> None:
    info = get_workload("pocket-mobilenet").info
    own = dataclasses.replace(info, sample_count=50_000)
    closed = request(division="closed", area="mobile")
    assert round_notes(closed, own) == {
        "division": "closed", "area": "mobile", "round_target": 70.2464,
    }  # fmt: skip
    assert "not 50,000 of ImageNet" in round_notes(closed, info)["other_data_set"]
    assert round_notes(request(division="open"), own) == {"division": "open"}
    assert round_notes(request(), own) == {}


def test_durations_read_as_people_say_them() -> None:
    assert [duration_text(s) for s in (5.2, 300, 7200)] == [
        "about 5 s", "about 5 min", "about 2.0 h",
    ]  # fmt: skip
    tests = [(test, 600.0) for test in planned_tests(request(scenarios=(V,)), (Mode.PERFORMANCE,))]
    assert expectation_lines(tests) == ["  Server performance: 5 times about 10 min"]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, ["pocket-mobilenet", *arguments])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--division", "closed"], "--division closed needs a round, such as --round v0.5"),
        (["--area", "cloud"], "--area cloud needs a round"),
        (["--round", "v0.5", "--division", "close"], "did you mean 'closed'?"),
        (["--round", "v0.5", "--area", "clod"], "did you mean 'cloud'?"),
        (["--round", "v0.5", "--area", "space"], "known: mobile, automotive, robotics, cloud"),
        (
            ["--round", "v0.5", "--division", "closed", "--count", "5"],
            "--count 5 (submit.part-of-data-set). Leave it out, or run with --division open",
        ),
        (
            ["--round", "v0.5", "--division", "closed", "--area", "mobile", "--set",
             "min_duration_ms=1"],
            "SingleStream: min_duration_ms 1, not 60000 (submit.changed-settings)",
        ),
    ],
)  # fmt: skip
def test_refusals_come_before_anything_runs(
    arguments: list[str], message: str, tmp_path: Path
) -> None:
    found = run(*arguments, "--output", str(tmp_path / "run"))
    assert isinstance(found.exception, InferometerError)
    assert message in str(found.exception)
    assert not (tmp_path / "run").exists()


def test_unknown_words_are_refused_without_the_command_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="has no division 'shut'"):
        Runner(request(division="shut", scenarios=(OFF,), output=tmp_path), Heard())


SHORT = {
    "min_duration_ms": 20,
    "min_query_count": 20,
    "server_target_qps": 400.0,
    "performance_sample_count_override": 50,
}


@pytest.fixture
def run_short(tmp_path: Path) -> Any:
    """Give a way to run a model that is always wrong, by a book that was shortened."""
    model = tmp_path / "model.py"
    model.write_text(MODEL)

    def start(**changes: Any) -> tuple[Session, Heard]:
        heard = Heard()
        asked = request(
            output=tmp_path / "run",
            workload_options=WorkloadOptions(model=Path(f"{model}:right"), count=100),
            backend="python",
            settings=lambda _: SHORT,
            **changes,
        )
        return Runner(asked, heard).run(), heard

    return start


@pytest.mark.realtime
def test_a_closed_session_says_at_once_what_spoils_it(run_short: Any) -> None:
    session, heard = run_short(division="closed", area="cloud")
    assert [test.title for test in session.tests] == [
        "Offline accuracy", "Offline performance", "Server accuracy", *["Server performance"] * 5,
    ]  # fmt: skip
    assert session.label == "round v0.5, closed, cloud, changed settings"
    before = heard.notes[: heard.notes.index("  Server performance: 5 times about 0 s")]
    assert "the closed division doesn't take: --count 100" in before
    assert any(note.startswith("by the book of round v0.5: 8 tests, about ") for note in before)
    assert sum(note.startswith("left: ") for note in heard.notes) == 7
    for test in session.tests:
        rules = {found.rule.id for found in test.findings}
        assert {"submit.part-of-data-set", "submit.changed-settings"} <= rules
        assert not test.is_good
    again = load_session(session.folder)
    assert (again.round, again.division, again.area) == ("v0.5", "closed", "cloud")
    assert [t.findings for t in again.tests_of(OFF)] == [t.findings for t in session.tests_of(OFF)]


@pytest.mark.realtime
def test_the_open_division_takes_any_accuracy(run_short: Any) -> None:
    """But not a part of the data set, which counts in neither."""
    session, _ = run_short(division="open", scenarios=(OFF,), modes=(Mode.ACCURACY,))
    (test,) = session.tests
    errors = [found.rule.id for found in test.findings if found.rule.severity is Severity.ERROR]
    assert errors == ["round.part-of-data-set"]
    assert test.accuracy is not None
    missed = dataclasses.replace(test.accuracy, target=2.0)
    found = {
        one.rule.id: one.rule.severity for one in findings_of_test(test.recording, None, missed)
    }
    assert found["round.open-accuracy"] is Severity.INFO
    whole = dataclasses.replace(test.recording, notes={"division": "open"})
    assert dataclasses.replace(test, recording=whole, findings=(), accuracy=missed).is_good


@pytest.mark.realtime
def test_accuracy_that_spoils_a_closed_result(run_short: Any) -> None:
    session, heard = run_short(division="closed", scenarios=(OFF,), modes=(Mode.ACCURACY,))
    (test,) = session.tests
    notes = {**test.recording.notes, "round_target": 70.2464}
    recording = dataclasses.replace(test.recording, notes=notes)
    found = findings_of_test(recording, None, test.accuracy)
    (below,) = [one for one in found if one.rule.id == "round.below-target"]
    assert below.seen.endswith(", target 70.2464")
    heard.notes.clear()
    outlook = Outlook(request(), Chooser(request(), INFO), heard.note, heard.note)
    rest = planned_tests(request(scenarios=(OFF,)), (Mode.PERFORMANCE,))
    spoilt = dataclasses.replace(test, findings=found)
    outlook.say_what_is_left(spoilt, rest, Pace(1e-3, 1e3))
    assert heard.notes == ["left: 1 test, about 2 min; without its accuracy Offline can't count"]


def test_sessions_of_earlier_versions_load(tmp_path: Path, run_short: Any) -> None:
    session, _ = run_short(scenarios=(OFF,), modes=(Mode.ACCURACY,))
    path = session.folder / "session.json"
    lines = path.read_text().splitlines()
    new = ('"round"', '"division"', '"area"', '"resumed_at"')
    path.write_text("\n".join(line for line in lines if not line.strip().startswith(new)))
    again = load_session(session.folder)
    assert (again.round, again.division, again.area, again.resumed_at) == ("", "", "", ())


class _OnServer:
    """A backend whose models are on a server."""

    is_remote = True


@pytest.mark.parametrize(
    ("division", "is_remote", "seen"),
    [
        ("network", True, ""),
        ("network", False, "--backend onnxruntime runs the model in this machine"),
        ("closed", False, ""),
        ("closed", True, "--backend onnxruntime reaches its system over a network"),
        ("open", True, ""),
    ],
)
def test_the_side_of_the_network_that_a_division_asks_for(
    division: str, is_remote: bool, seen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_remote:
        monkeypatch.setattr(by_the_book, "get_backend", lambda _: _OnServer())
    asked = request(round=load_round("v6.1"), division=division, workload="resnet50")
    info = get_workload("resnet50").info
    found = [one.seen for one in breaches(asked, info) if one.rule.id == "system.network"]
    assert found == ([seen] if seen else [])


def test_v05_knows_no_network_and_so_forbids_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_the_book, "get_backend", lambda _: _OnServer())
    info = get_workload("pocket-mobilenet").info
    found = breaches(request(division="closed"), info)
    assert "system.network" not in {one.rule.id for one in found}


def test_a_system_behind_a_network_is_named_so_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = request(round=load_round("v6.1"), division="network", output=tmp_path)
    model = LoadedWorkload(asked)
    try:
        assert model.serve(S)[0].name == "pocket-mobilenet onnxruntime inline"
        monkeypatch.setattr(loaded, "get_backend", lambda _: _OnServer())
        named = model.serve(S)[0].name
    finally:
        model.close()
    version = model.backend_description["version"]
    assert named == f"Network SUT {version} pocket-mobilenet onnxruntime inline"
