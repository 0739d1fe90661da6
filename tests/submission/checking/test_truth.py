"""Accuracy computed anew: the same as the accuracy command gives, whatever the answers are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.loadgen import Response
from inferometer.submission.checking.accuracy_line import accuracy_line, hash_line
from inferometer.submission.checking.truth import ClassJudge, labels_of, score_with_variants
from inferometer.workloads import ScoredAnswer, WorkloadError
from inferometer.workloads.classification.scoring import DTYPES, top1_accuracy
from tests.workloads.detection.scenes import make_scenes


@given(
    answers=st.lists(
        st.one_of(
            st.binary(max_size=10),
            st.sampled_from(["<f4", "<i4", "<i8"]).flatmap(
                lambda dtype: st.integers(0, 5).map(lambda n: np.array(n, dtype).tobytes())
            ),
        ),
        max_size=20,
    )
)
def test_classes_are_judged_as_the_scorer_does(answers: list[bytes]) -> None:
    labels = np.arange(20) % 6
    judge = ClassJudge(labels)
    sizes = np.array([len(data) for data in answers], np.int64)
    judge.take(np.arange(len(answers)), sizes, b"".join(answers))
    scored = [ScoredAnswer(n, Response(n, data, b"", None)) for n, data in enumerate(answers)]
    for dtype in DTYPES:
        assert judge.good[dtype] == top1_accuracy(scored, labels, None, dtype=dtype).good


def test_the_data_type_is_the_one_that_makes_the_stated_count() -> None:
    judge = ClassJudge(np.zeros(4, np.int64))
    judge.good = {"float32": 7, "int32": 3, "int64": 5}
    assert judge.best_dtype(3) == "int32"
    assert judge.best_dtype(4) == "float32"
    assert judge.best_dtype(None) == "float32"


def test_damaged_labels_are_named(tmp_path: Path) -> None:
    file = tmp_path / "val_map.txt"
    file.write_text("a.JPEG 1\nb.JPEG ²\n")
    with pytest.raises(WorkloadError, match="line 2"):
        labels_of(file)


def _write_log(folder: Path, answers: list[bytes]) -> Path:
    entries = [{"seq_id": n, "qsl_idx": n, "data": d.hex()} for n, d in enumerate(answers)]
    log = folder / "mlperf_log_accuracy.json"
    log.write_text(json.dumps(entries))
    return log


def test_translations_are_scored(tmp_path: Path) -> None:
    sentences = ["das ist ein kurzer Satz .", "und noch ein anderer Satz hier ."]
    (tmp_path / "references.de").write_text("".join(f"{s}\n" for s in sentences))
    log = _write_log(tmp_path, [sentence.encode() for sentence in sentences])
    line, value = score_with_variants(log, "translation", tmp_path / "references.de", 23.9)
    assert line == "BLEU: 100.0"
    assert value == pytest.approx(100.0)


@pytest.mark.parametrize("is_mapped", [False, True])
def test_detections_are_scored_in_either_way_of_naming_classes(
    is_mapped: bool, tmp_path: Path
) -> None:
    pytest.importorskip("hotcoco")
    scenes = make_scenes(21, 40)
    (tmp_path / "instances.json").write_text(json.dumps(scenes.annotations))
    places = {
        category: place
        for place, category in enumerate(
            sorted(entry["id"] for entry in scenes.annotations["categories"]), start=1
        )
    }
    answers = []
    for index in range(40):
        rows = scenes.rows[index].copy()
        if is_mapped and rows.size:
            rows[:, 6] = [places[int(category)] for category in rows[:, 6]]
        answers.append(rows.astype("<f4").tobytes())
    truth = tmp_path / "instances.json"
    line, value = score_with_variants(_write_log(tmp_path, answers), "detection", truth, 0.0)
    plain = _write_log(tmp_path, [scenes.rows[n].astype("<f4").tobytes() for n in range(40)])
    expected, _ = score_with_variants(plain, "detection", truth, value)
    assert line == expected
    assert value > 10


@pytest.mark.parametrize(
    ("text", "task", "value", "contradiction"),
    [
        ("accuracy=76.038%, good=38019, total=50000", "classification", 76.038, ""),
        ("noise\naccuracy=76.0%, good=38000, total=50000\n", None, 76.0, ""),
        ("accuracy=77%, good=38019, total=50000", "classification", 77.0, "not 77 %"),
        ("accuracy=0%, good=5, total=0", "classification", 0.0, "5 right of 0"),
        ("mAP=22.911%", "detection", 22.911, ""),
        ("BLEU: 23.8", "translation", 23.8, ""),
    ],
)
def test_lines_of_the_scripts(
    text: str, task: str | None, value: float, contradiction: str
) -> None:
    line = accuracy_line(text, task)
    assert line is not None
    assert line.value == value
    assert contradiction in line.contradiction
    assert bool(contradiction) == bool(line.contradiction)


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("", None),
        (" accuracy=76%", None),
        ("accuracy=1.2.3", None),
        ("accuracy=nan", None),
        ("mAP=22.9%", "classification"),
    ],
)
def test_other_lines_state_nothing(text: str, task: str | None) -> None:
    assert accuracy_line(text, task) is None


def test_hash_lines() -> None:
    assert hash_line("accuracy=1%\n\nhash=0123ABCDef\n") == "0123abcdef"
    assert hash_line("nohash=0123456789") == ""
