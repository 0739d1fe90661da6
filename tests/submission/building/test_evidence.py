"""What comes with a result: recipes of quantised models, checklists, audits, own names."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from inferometer.submission.building import RefusedError, SubmissionError, build_submission
from inferometer.submission.building.recipes import calibration_text, recipe_of
from inferometer.workloads.places import HOME_VARIABLE
from tests.submission.building.sessions import change_json, request_for

RECIPE: dict[str, Any] = {
    "recipe": 1,
    "workload": "mobilenet",
    "tool": "onnxruntime",
    "method": "static, minmax",
    "weights": "int8 per channel",
    "activations": "uint8 per tensor",
    "weight_data_types": "int8",
    "calibration": {
        "source": "calibration list 1",
        "count": 12,
        "ids_sha256": "ff00",
        "ids": [f"{n}.JPEG" for n in range(12)],
    },
    "parts": {
        "model": {
            "source": "mobilenet.onnx",
            "source_sha256": "aa",
            "file": "model.onnx",
            "sha256": "bb",
            "left_in_float": ["softmax"],
        }
    },
    "tools": {"onnxruntime": "1.32.0"},
}


@pytest.fixture(autouse=True)
def _no_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))


def as_int8(runs: Path) -> None:
    change_json(
        runs / "session.json", lambda v: v["workload"].update(options={"number_format": "int8"})
    )


def write_recipe(folder: Path, **changes: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "recipe.json"
    path.write_text(json.dumps({**RECIPE, **changes}))
    return path


@pytest.mark.parametrize("place", ["given", "folder", "home"])
def test_a_recipe_becomes_a_description(whole: Path, tmp_path: Path, place: str) -> None:
    as_int8(whole)
    given: Path | None = write_recipe(tmp_path / "recipe")
    if place == "folder":
        given = tmp_path / "recipe"
    if place == "home":
        write_recipe(tmp_path / "home/quantized/mobilenet")
        given = None
    made = build_submission(
        request_for(tmp_path, whole, division="closed", calibration=given, measurements={})
    )
    folder = made.tree / "closed/ACME/measurements/sysA/mobilenet/Offline"
    text = (folder / "calibration.md").read_text("utf-8")
    assert text == calibration_text(RECIPE)
    assert "- Calibration samples: 12, calibration list 1" in text
    assert "0.JPEG" in text
    assert "11.JPEG" not in text
    facts = json.loads((folder / "sysA_inferometer-onnxruntime_Offline.json").read_text())
    assert facts == {
        "input_data_types": "fp32",
        "retraining": "none",
        "starting_weights_filename": "mobilenet.onnx",
        "weight_data_types": "int8",
        "weight_transformations": (
            "quantised by onnxruntime: static, minmax; weights int8 per channel"
        ),
    }


def test_a_closed_int8_result_without_a_recipe(whole: Path, tmp_path: Path) -> None:
    as_int8(whole)
    with pytest.raises(RefusedError, match=r"submit\.calibration-missing"):
        build_submission(request_for(tmp_path, whole, division="closed"))


def test_dynamic_recipes_have_no_samples() -> None:
    assert "none; the ranges follow" in calibration_text({**RECIPE, "calibration": None})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not a recipe"),
        ("[]", "not a recipe"),
        ('{"parts": {"model": 1}}', "damaged"),
        (json.dumps({**RECIPE, "workload": "other"}), "is a recipe of other"),
        ("[" * 100_000, "not a recipe"),
    ],
)
def test_damaged_recipes(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(content)
    with pytest.raises(SubmissionError, match=message):
        recipe_of("mobilenet", path)


def test_texts_of_the_submitter(whole: Path, tmp_path: Path) -> None:
    (tmp_path / "how.adoc").write_text("as we did it")
    (tmp_path / "list.txt").write_text("all answered")
    request = request_for(
        tmp_path,
        whole,
        division="closed",
        calibration=tmp_path / "how.adoc",
        checklist=tmp_path / "list.txt",
    )
    made = build_submission(request)
    folder = made.tree / "closed/ACME/measurements/sysA/mobilenet/Offline"
    assert (folder / "calibration.adoc").read_text() == "as we did it"
    assert (folder / "checklist.txt").read_text() == "all answered"
    assert not (folder / "checklist.md").exists()
    assert {found.rule.id for found in made.findings} == {"submit.accuracy-believed"}
    (tmp_path / "list.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(SubmissionError, match="can't be read as text"):
        build_submission(request_for(tmp_path, whole, checklist=tmp_path / "list.txt",
                                     tree=tmp_path / "other"))  # fmt: skip


def make_audit(folder: Path, verdict: str = "TEST PASS\n") -> Path:
    run = folder / "performance/run_1"
    run.mkdir(parents=True)
    (run / "mlperf_log_summary.txt").write_text("Result is : VALID\n")
    (folder / "verify_performance.txt").write_text(verdict)
    return folder


def test_audits_go_where_the_round_wants_them(
    whole: Path, pocket_v61: Path, tmp_path: Path
) -> None:
    audits = tmp_path / "audits"
    make_audit(audits / "Offline/TEST01")
    make_audit(audits / "Offline/TEST04-A")
    make_audit(audits / "Server/TEST01")
    made = build_submission(request_for(tmp_path, whole, division="closed", audit=audits))
    found = sorted(p.name for p in (made.tree / "closed/ACME/audit/sysA/mobilenet").iterdir())
    assert found == ["Offline"]
    folder = made.tree / "closed/ACME/audit/sysA/mobilenet/Offline"
    assert sorted(path.name for path in folder.iterdir()) == ["TEST01", "TEST04-A"]
    assert (folder / "TEST01/performance/run_1/mlperf_log_summary.txt").is_file()
    shutil.rmtree(audits)
    make_audit(audits / "pocket-mobilenet/singlestream/TEST01")
    request = request_for(
        tmp_path, pocket_v61, round_name="v6.1", demo=True, audit=audits, tree=tmp_path / "new"
    )
    made = build_submission(request)
    place = "open/ACME/results/sysA/pocket-mobilenet/SingleStream/TEST01/verify_performance.txt"
    assert (made.tree / place).is_file()


def test_audits_that_did_not_pass(whole: Path, tmp_path: Path) -> None:
    audits = tmp_path / "audits"
    make_audit(audits / "Offline/TEST01", "TEST FAIL\n")
    make_audit(audits / "Offline/TEST05")
    (audits / "Offline/TEST05/verify_performance.txt").unlink()
    with pytest.raises(RefusedError) as refused:
        build_submission(request_for(tmp_path, whole, audit=audits))
    assert len(refused.value.findings) == 2
    assert {found.rule.id for found in refused.value.findings} == {"submit.audit-not-passed"}


def test_answers_that_differ_are_let_where_accuracies_are_compared(
    whole: Path, tmp_path: Path
) -> None:
    folder = make_audit(tmp_path / "audits/Offline/TEST01")
    (folder / "verify_accuracy.txt").write_text("TEST FAIL\n")
    with pytest.raises(RefusedError, match="verify_accuracy"):
        build_submission(request_for(tmp_path, whole, audit=tmp_path / "audits"))
    (folder / "accuracy").mkdir()
    for name in ("baseline_accuracy.txt", "compliance_accuracy.txt"):
        (folder / "accuracy" / name).write_text("accuracy=75.000%\n")
    made = build_submission(request_for(tmp_path, whole, audit=tmp_path / "audits"))
    assert len(made.places) == 1


def test_a_folder_without_audits(whole: Path, tmp_path: Path) -> None:
    (tmp_path / "audits/Offline/TEST99").mkdir(parents=True)
    with pytest.raises(SubmissionError, match=r"holds no audit of round v0\.5"):
        build_submission(request_for(tmp_path, whole, audit=tmp_path / "audits"))


def test_names_of_ones_own(pocket_v61: Path, tmp_path: Path) -> None:
    request = request_for(
        tmp_path, pocket_v61, round_name="v6.1", demo=True, benchmark="mine+1",
        implementation="fast_path", measurements={"retraining": "yes"},
    )  # fmt: skip
    made = build_submission(request)
    top = made.tree / "open/ACME"
    assert json.loads((top / "model_mapping.json").read_text()) == {"mine+1": "resnet"}
    assert (top / "src/mine+1/fast_path/README.md").is_file()
    folder = top / "results/sysA/mine+1/SingleStream"
    assert json.loads((folder / "measurements.json").read_text())["retraining"] == "yes"
