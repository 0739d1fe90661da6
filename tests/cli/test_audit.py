"""``inferometer audit``: what it checks, the folders that it writes, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from inferometer.cli.audit import command
from inferometer.loadgen import InferometerError
from inferometer.logs import read_detail
from inferometer.submission.audit import AuditError
from inferometer.workloads.packaged import data_file

pytest.importorskip("onnxruntime")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give either a WORKLOAD or --tree"),
        (["pocket-mobilenet", "--tree", "."], "give either a WORKLOAD or --tree"),
        (["pocket-mobilenet", "--test", "TEST99"], "there is no test 'TEST99' in round v0.5"),
        (["pocket-mobilenet", "--scenario", "Sometimes"], "there is no scenario 'Sometimes'"),
        (["pocket-mobilenet", "--against", "nowhere"], "does not exist"),
    ],
)
def test_wrong_usage(arguments: list[str], words: str) -> None:
    found = run(*arguments)
    assert found.exit_code == 2
    assert words in found.output


def test_an_unknown_round_or_workload() -> None:
    assert isinstance(run("pocket-mobilenet", "--round", "v9").exception, InferometerError)
    assert isinstance(run("pocket-nothing", "--test", "payload").exception, InferometerError)


def test_a_tree_without_audits_is_not_ok(tmp_path: Path) -> None:
    (tmp_path / "closed" / "ACME" / "results").mkdir(parents=True)
    found = run("--tree", tmp_path)
    assert found.exit_code == 2
    assert "holds no audit folders" in found.output


def test_a_tree_whose_verdict_is_wrong(tmp_path: Path) -> None:
    text = "Scenario : Offline\nSamples per second: {}\nResult is : VALID\n"
    for name, value in (("results", 100), ("audit", 10)):
        folder = tmp_path / "closed" / "ACME" / name / "box" / "resnet" / "Offline"
        run_folder = folder / ("TEST05" if name == "audit" else ".") / "performance" / "run_1"
        run_folder.mkdir(parents=True)
        (run_folder / "mlperf_log_summary.txt").write_text(text.format(value))
        if name == "audit":
            (folder / "TEST05" / "verify_performance.txt").write_text("TEST PASS\n")
    assert run("--tree", tmp_path).exit_code == 1
    found = run("--tree", tmp_path, "--json")
    (one,) = json.loads(found.stdout)
    assert (one["stated"], one["found"], one["agrees"]) == ("pass", "fail", False)


@pytest.mark.realtime
def test_answers_and_files_of_an_honest_model(tmp_path: Path) -> None:
    """Nothing here depends on how fast anything is."""
    found = run(
        "pocket-mobilenet", "--json", "--output", tmp_path, "--scenario", "Offline",
        "--test-s", "0.05", "--test", "payload", "--test", "exchanged-samples",
        "--test", "dropped-samples", "--test", "weights-changed", "--test", "weights-differ",
    )  # fmt: skip
    assert found.exit_code == 0, found.output
    report = json.loads(found.stdout)
    assert report["quick"] is True
    assert report == json.loads((tmp_path / "audit.json").read_text())
    outcomes = {one["audit"]: one["outcome"] for one in report["results"]}
    assert outcomes == {
        "audit.payload": "pass",
        "audit.exchanged-samples": "pass",
        "audit.dropped-samples": "pass",
        "audit.weights-changed": "pass",
        "audit.weights-differ": "not checkable",
    }


@pytest.mark.realtime
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_published_tests_write_their_folders(tmp_path: Path) -> None:
    found = run(
        "pocket-mobilenet", "--json", "--output", tmp_path, "--scenario", "Offline",
        "--test", "TEST01", "--test", "TEST03", "--test", "TEST04", "--test", "TEST05",
        "--count", "1000",
    )  # fmt: skip
    report = json.loads(found.stdout)
    assert [one["test"] for one in report["results"]] == ["TEST01", "TEST03", "TEST04", "TEST05"]
    assert found.exit_code == (0 if report["passed"] else 1)
    assert report["results"][1]["seen"].startswith("two fifths of the light are left")
    for test in ("TEST01", "TEST03", "TEST04-A", "TEST04-B", "TEST05"):
        folder = tmp_path / "Offline" / test
        verdict = (folder / "verify_performance.txt").read_text().splitlines()[-1]
        assert verdict in ("TEST PASS", "TEST FAIL")
        names = sorted(path.name for path in (folder / "performance" / "run_1").iterdir())
        assert names == [
            "mlperf_log_accuracy.json", "mlperf_log_detail.txt", "mlperf_log_summary.txt",
        ]  # fmt: skip
        assert read_detail(folder / "performance" / "run_1" / "mlperf_log_detail.txt").is_v05
    answers = (tmp_path / "Offline" / "TEST01" / "verify_accuracy.txt").read_text()
    assert "num_perf_log_data_mismatch = 0" in answers
    assert answers.splitlines()[-1] == "TEST PASS"
    altered = (tmp_path / "Offline" / "TEST03" / "accuracy" / "accuracy.txt").read_text()
    assert 0.7 < float(altered.removeprefix("accuracy=").split("%")[0]) / 100 < 0.9


@pytest.mark.realtime
def test_a_reference_of_another_workload_is_refused(tmp_path: Path) -> None:
    session = {
        "workload": {"name": "pocket-resnet"}, "backend": {}, "label": "quick", "system": {},
        "command": "", "started_at": "", "notes": [],
        "findings": [dict.fromkeys(("rule", "title", "seen", "remedy"), "") | {"severity": "info"}],
    }  # fmt: skip
    (tmp_path / "session.json").write_text(json.dumps(session))
    found = run(
        "pocket-mobilenet", "--against", tmp_path, "--test", "TEST05", "--output", tmp_path / "out"
    )
    assert isinstance(found.exception, AuditError)
    assert "holds a run of pocket-resnet" in str(found.exception)


CACHING = """
import time
import numpy as np

kept = {}

def classify(images):
    found = []
    for image in images:
        key = image.tobytes()
        if key not in kept:
            time.sleep(0.0005)
            kept[key] = np.eye(10, dtype=np.float32)[int(abs(image).sum()) % 10]
        found.append(kept[key])
    return np.stack(found)
"""


@pytest.mark.realtime
@pytest.mark.slow
def test_a_model_that_caches_is_caught(tmp_path: Path) -> None:
    """Its cache makes it many times as fast, so that no noise hides it."""
    (tmp_path / "model.py").write_text(CACHING)
    found = run(
        "pocket-mobilenet", "--model", f"{tmp_path / 'model.py'}:classify", "--output",
        tmp_path / "audit", "--scenario", "Offline", "--test-s", "0.05",
        "--test", "repeated-samples", "--test", "payload", "--quiet",
    )  # fmt: skip
    assert found.exit_code == 1, found.output
    assert "audit.repeated-samples" in found.output
    report = json.loads((tmp_path / "audit" / "audit.json").read_text())
    outcomes = {one["audit"]: one["outcome"] for one in report["results"]}
    assert outcomes == {"audit.payload": "pass", "audit.repeated-samples": "fail"}
    (finding,) = [one["finding"] for one in report["results"] if one["finding"]]
    assert finding["severity"] == "error"
    assert finding["remedy"]


UNSTEADY = """
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession({path!r})
random = np.random.default_rng()

def classify(images):
    found = session.run(None, {{"input": images}})[0]
    changed = random.random(len(found)) < 0.03
    found[changed] = np.roll(found[changed], 1, axis=1)
    return found
"""


@pytest.mark.realtime
@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize(("rules", "allowed"), [("v0.5", -1.0), ("v6.1", 0.01)])
def test_answers_that_differ_a_little_are_judged_by_their_worth(
    rules: str, allowed: float, tmp_path: Path
) -> None:
    """Three answers in a hundred are others each time; later rounds look at the accuracy then."""
    path = str(data_file("pocket_mobilenet.onnx"))
    (tmp_path / "model.py").write_text(UNSTEADY.format(path=path))
    run(
        "pocket-mobilenet", "--model", f"{tmp_path / 'model.py'}:classify", "--output",
        tmp_path / "audit", "--scenario", "Offline", "--rules", rules, "--test", "TEST01",
    )  # fmt: skip
    folder = tmp_path / "audit" / "Offline" / "TEST01"
    assert (folder / "verify_accuracy.txt").read_text().splitlines()[-1] == "TEST FAIL"
    scores = [
        float(
            (folder / "accuracy" / f"{name}_accuracy.txt").read_text().split("=")[1].split("%")[0]
        )
        for name in ("baseline", "compliance")
    ]
    assert all(80 < score <= 100 for score in scores)
    (one,) = json.loads((tmp_path / "audit" / "audit.json").read_text())["results"]
    assert "in the accuracy run" in one["seen"]
    if (folder / "verify_performance.txt").read_text().endswith("TEST PASS\n"):
        is_near = abs(scores[1] - scores[0]) <= allowed * scores[0]
        assert one["outcome"] == ("pass" if is_near else "fail"), (one["seen"], scores)
