"""Trees from recorded runs: what lies where, in both rounds, and what the files say."""

from __future__ import annotations

import hashlib
import json
import os
from importlib import metadata
from pathlib import Path

import pytest

from inferometer.loadgen import Era, Scenario
from inferometer.logs import (
    apply_config,
    parse_config,
    read_accuracy_log,
    read_detail,
    read_summary,
)
from inferometer.rounds import load_round
from inferometer.runs import load_session
from inferometer.submission import Tree, result_places
from inferometer.submission.building import build_submission
from inferometer.submission.building.candidate import candidates_of, load_runs
from inferometer.submission.building.user_conf import user_conf
from tests.submission.building.sessions import files_below, request_for

LOGS = ("mlperf_log_accuracy.json", "mlperf_log_detail.txt", "mlperf_log_summary.txt")
GOLDEN = Path(__file__).parent / "golden"


def test_the_layout_of_v05(pocket_v05: Path, tmp_path: Path) -> None:
    made = build_submission(request_for(tmp_path, pocket_v05, demo=True))
    top = "open/ACME"
    expected = [
        f"{top}/code/pocket-mobilenet/inferometer-onnxruntime/README.md",
        f"{top}/systems/sysA.json",
    ]
    for scenario, runs in (("Server", 5), ("SingleStream", 1)):
        below = f"sysA/pocket-mobilenet/{scenario}"
        expected += [
            f"{top}/measurements/{below}/{name}"
            for name in (
                "README.md",
                "checklist.md",
                "mlperf.conf",
                f"sysA_inferometer-onnxruntime_{scenario}.json",
                "user.conf",
            )
        ]
        for name in ("accuracy.txt", *LOGS):
            expected.append(f"{top}/results/{below}/accuracy/{name}")
        for run in range(1, runs + 1):
            expected += [f"{top}/results/{below}/performance/run_{run}/{name}" for name in LOGS]
    assert files_below(made.tree) == sorted(expected)
    assert [str(place) for place in made.places] == [
        f"{top}/results/sysA/pocket-mobilenet/{word}" for word in ("SingleStream", "Server")
    ]
    assert sorted(made.places) == sorted(result_places(Tree(made.tree)))


def test_the_layout_of_v61(pocket_v61: Path, tmp_path: Path) -> None:
    made = build_submission(request_for(tmp_path, pocket_v61, round_name="v6.1", demo=True))
    below = "open/ACME/results/sysA/pocket-mobilenet/SingleStream"
    assert files_below(made.tree) == [
        "open/ACME/documentation/sysA_pocket-mobilenet_SingleStream_checklist.md",
        "open/ACME/model_mapping.json",
        f"{below}/README.md",
        f"{below}/accuracy/accuracy.txt",
        *(f"{below}/accuracy/{name}" for name in LOGS),
        f"{below}/measurements.json",
        *(f"{below}/performance/run_1/{name}" for name in LOGS[1:]),
        f"{below}/user.conf",
        "open/ACME/src/pocket-mobilenet/inferometer-onnxruntime/README.md",
        "open/ACME/systems/sysA.json",
    ]
    mapping = json.loads((made.tree / "open/ACME/model_mapping.json").read_text())
    assert mapping == {"pocket-mobilenet": "resnet"}


def test_logs_are_those_of_the_recordings(pocket_v05: Path, tmp_path: Path) -> None:
    made = build_submission(request_for(tmp_path, pocket_v05, demo=True))
    below = made.tree / "open/ACME/results/sysA/pocket-mobilenet/SingleStream"
    for part in ("accuracy", "performance/run_1"):
        for name in LOGS:
            original = pocket_v05 / "SingleStream" / part / name
            assert (below / part / name).read_bytes() == original.read_bytes(), name
    assert read_summary(below / "performance/run_1" / LOGS[2]).is_valid
    assert not (below / "performance/run_1/mlperf_log_trace.json").exists()
    assert (below / "accuracy/accuracy.txt").read_text() == (
        "accuracy=93.000%, good=9300, total=10000\n"
    )


def test_the_accuracy_log_of_v61_is_truncated_and_hashed(pocket_v61: Path, tmp_path: Path) -> None:
    made = build_submission(request_for(tmp_path, pocket_v61, round_name="v6.1", demo=True))
    folder = made.tree / "open/ACME/results/sysA/pocket-mobilenet/SingleStream"
    whole = (pocket_v61 / "SingleStream/accuracy" / LOGS[0]).read_bytes()
    assert (folder / "accuracy" / LOGS[0]).read_bytes() == (
        whole[:4096] + b"\n\n...\n\n" + whole[-4096:]
    )
    digest = hashlib.sha256(whole).hexdigest()
    assert (folder / "accuracy/accuracy.txt").read_text() == (
        f"accuracy=93.000%, good=9300, total=10000\n\nhash={digest}\n"
    )
    assert len(list(read_accuracy_log(pocket_v61 / "SingleStream/accuracy" / LOGS[0]))) == 10_000
    detail = read_detail(folder / "performance/run_1" / LOGS[1])
    assert detail.problems == ()
    assert detail.first("effective_scenario") == "SingleStream"


def test_a_closed_tree(whole_v05: Path, tmp_path: Path) -> None:
    made = build_submission(request_for(tmp_path, whole_v05, division="closed"))
    assert [str(place) for place in made.places] == ["closed/ACME/results/sysA/mobilenet/Offline"]
    said = {found.rule.id: found.rule.severity.value for found in made.findings}
    assert said == {"submit.accuracy-believed": "info", "submit.checklist-open": "warning"}
    text = (made.tree / "closed/ACME/measurements/sysA/mobilenet/Offline/checklist.md").read_text()
    assert text.count("- [ ]") == 8


@pytest.mark.parametrize(
    ("round_name", "fixture"), [("v0.5", "pocket_v05"), ("v6.1", "pocket_v61")]
)
def test_the_small_texts(
    round_name: str, fixture: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Compare with golden files; UPDATE_GOLDEN=1 writes them anew."""
    runs = request.getfixturevalue(fixture)
    made = build_submission(request_for(tmp_path, runs, round_name=round_name, demo=True))
    names = ("README.md", "checklist.md", "user.conf", "measurements.json", "sysA.json",
             "model_mapping.json")  # fmt: skip
    for path in sorted(made.tree.rglob("*")):
        name = path.name
        if "SingleStream" not in str(path) and name not in ("sysA.json", "model_mapping.json"):
            continue
        if not path.is_file() or not name.endswith((*names, "_SingleStream.json")):
            continue
        golden = GOLDEN / round_name / name.removeprefix("sysA_pocket-mobilenet_SingleStream_")
        version = f"inferometer {metadata.version('inferometer')}"
        text = path.read_text("utf-8").replace(version, "inferometer VERSION")
        if os.environ.get("UPDATE_GOLDEN"):
            golden.parent.mkdir(parents=True, exist_ok=True)
            golden.write_text(text, "utf-8")
        assert text == golden.read_text("utf-8"), golden


@pytest.mark.parametrize(
    ("round_name", "fixture"), [("v0.5", "pocket_v05"), ("v6.1", "pocket_v61")]
)
def test_user_conf_gives_the_settings_back(
    round_name: str, fixture: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    runs = request.getfixturevalue(fixture)
    asked = request_for(tmp_path, runs, round_name=round_name, demo=True)
    book = load_round(round_name)
    for candidate in candidates_of(load_runs((runs,)), asked):
        base = book.settings(candidate.scenario, candidate.settings_name)
        table = parse_config(user_conf(candidate, book))
        assert table.errors == []
        again, errors = apply_config(base, table, "mobilenet", candidate.scenario.value)
        assert errors == []
        had = candidate.performance[0].result.recording.settings
        assert again.replace(mode=had.mode) == had


def test_what_user_conf_cannot_say_is_a_comment(pocket_v05: Path, tmp_path: Path) -> None:
    asked = request_for(tmp_path, pocket_v05)
    book = load_round("v0.5")
    single, server = candidates_of(load_runs((pocket_v05,)), asked)
    assert single.scenario is Scenario.SINGLE_STREAM
    assert "*.SingleStream.target_latency = 10\n" in user_conf(single, book)
    assert "*.Server.target_qps = 500\n" in user_conf(server, book)
    (test,) = single.performance
    settings = test.result.recording.settings.replace(single_stream_expected_latency_ns=431_200.0)
    object.__setattr__(test.result.recording, "settings", settings)
    text = user_conf(single, book)
    assert "# *.SingleStream.target_latency was 0.4312, and this key takes whole" in text
    assert parse_config(text).errors == []


def test_demo_marks(pocket_v05: Path, tmp_path: Path) -> None:
    made = build_submission(request_for(tmp_path, pocket_v05, demo=True))
    top = made.tree / "open/ACME"
    for path in top.glob("measurements/*/*/*/README.md"):
        assert "Not a result of the round." in path.read_text("utf-8")
    assert "Not a result" in json.loads((top / "systems/sysA.json").read_text())["sw_notes"]
    assert {found.rule.id for found in made.findings} == {"submit.demo"}


def test_recordings_are_of_the_era_they_claim(pocket_v05: Path, pocket_v61: Path) -> None:
    eras = [load_session(folder).tests[0].recording.settings.era for folder in (pocket_v05,)]
    assert eras == [Era.V05]
    assert load_session(pocket_v61).tests[0].recording.settings.era is Era.CURRENT
