"""One's own model and photos: options, and what is missing or wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inferometer.backends import BackendError, Session
from inferometer.workloads import MODEL, WorkloadError, WorkloadOptions, get_workload
from inferometer.workloads.classification.answering import classifier
from inferometer.workloads.detection.answering import RULES, detector
from inferometer.workloads.own import recipe_of


class Fixed:
    """A session that gives the same outputs whatever it gets."""

    def __init__(self, outputs: dict[str, np.ndarray], inputs: tuple[str, ...] = ("x",)):
        self._outputs = outputs
        self.input_names = inputs
        self.output_names = tuple(outputs)
        self.description: dict[str, object] = {}

    def run(self, inputs: object) -> list[np.ndarray]:
        return list(self._outputs.values())

    def close(self) -> None:
        pass


PHOTOS = {"photos": np.zeros((2, 3, 4, 4), np.float32)}
INDICES = np.array([7, 9])


def classes_of(session: Session, *arguments: object) -> list[float]:
    predict = classifier(session, *arguments)  # type: ignore[arg-type]
    return [float(answer) for answer in np.asarray(predict(INDICES, PHOTOS)).ravel()]


def test_classes_come_from_scores_or_from_the_model_itself() -> None:
    scores = np.zeros((2, 5), np.float32)
    scores[0, 3] = scores[1, 1] = 1.0
    assert classes_of(Fixed({"scores": scores}), 0) == [3.0, 1.0]
    assert classes_of(Fixed({"scores": scores}), 1) == [2.0, 0.0]
    assert classes_of(Fixed({"scores": scores}), 0, None, 4) == [2.0, 0.0], "one class more"
    assert classes_of(Fixed({"scores": scores[:, :, None, None]}), 0) == [3.0, 1.0]
    ids = np.array([3, 1])
    assert classes_of(Fixed({"top": ids}), 1) == [2.0, 0.0]
    assert classes_of(Fixed({"scores": scores, "top": ids}), 0, "top") == [3.0, 1.0]
    with pytest.raises(WorkloadError, match="no output 'tops'; did you mean 'top'"):
        classifier(Fixed({"top": ids}), 0, "tops")
    with pytest.raises(WorkloadError, match="takes a, b"):
        classifier(Fixed({"top": ids}, ("a", "b")), 0)


def rows_of(session: Session, *arguments: object) -> list[np.ndarray]:
    answers = detector(session, *arguments)(INDICES, PHOTOS)  # type: ignore[arg-type]
    return [np.asarray(answer) for answer in answers]


def test_every_rule_reads_its_outputs_by_name_or_order() -> None:
    boxes = np.tile(np.array([[0.1, 0.2, 0.5, 0.6]], np.float32), (2, 3, 1))
    scores = np.array([[0.9, 0.4, 0.1]] * 2, np.float32)
    labels = np.array([[1, 2, 3]] * 2)
    number = np.array([2.0, 1.0], np.float32)
    graph = Fixed({
        "detection_boxes:0": boxes, "detection_scores:0": scores,
        "detection_classes:0": labels, "num_detections:0": number,
    })  # fmt: skip
    rows = rows_of(graph, "ssd-in-graph")
    assert [len(row) for row in rows] == [2, 1]
    assert np.asarray(rows[0])[0].tolist() == pytest.approx([7, 0.1, 0.2, 0.5, 0.6, 0.9, 1])
    lists = Fixed({"bboxes": boxes, "labels": labels, "scores": scores})
    rows = rows_of(lists, "ssd-lists", 0.3)
    assert np.asarray(rows[1])[0].tolist() == pytest.approx([9, 0.2, 0.1, 0.6, 0.5, 0.9, 1])
    assert len(rows[1]) == 2
    assert len(rows_of(lists, "ssd-lists")[0]) == 3
    given = Fixed({"a": boxes, "b": labels, "c": scores})
    rows = rows_of(given, "ssd-tf", 0.5)
    assert [len(row) for row in rows] == [1, 1]
    raw = Fixed({"boxes": boxes, "scores": np.tile(scores[:, :, None], (1, 1, 2))})
    for rule in ("ssd-mobilenet", "ssd-mobilenet-pt", "ssd-resnet34"):
        assert len(rows_of(raw, rule)) == 2
    assert {"ssd-in-graph", "ssd-lists", "ssd-tf"} <= set(RULES)
    with pytest.raises(WorkloadError, match="no post-processing 'ssd-list'; did you mean"):
        detector(lists, "ssd-list")
    with pytest.raises(WorkloadError, match="reads bboxes, labels, scores; the model gives"):
        detector(graph, "ssd-lists")


def test_what_is_missing_or_wrong_is_named(tmp_path: Path) -> None:
    for task in ("classification", "detection"):
        workload = get_workload(task)
        assert workload.info.sample_count == 0
        with pytest.raises(WorkloadError, match=f"{task} needs your model, --model FILE"):
            workload.library()
        with pytest.raises(
            WorkloadError, match=f"{task} has no option 'sise'; did you mean 'size'"
        ):
            get_workload(task, WorkloadOptions(extra={"sise": "28"}))
        with pytest.raises(WorkloadError, match="option target='high' is not a number"):
            get_workload(task, WorkloadOptions(extra={"target": "high"}))
    (tmp_path / "photos" / "cat").mkdir(parents=True)
    (tmp_path / "photos" / "cat" / "1.png").write_bytes(b"")
    options = WorkloadOptions(data=tmp_path / "photos", model=tmp_path / "none.onnx")
    with pytest.raises(BackendError, match="there is no such model file"):
        get_workload("classification", options).models(("onnx",))[MODEL]
    with pytest.raises(WorkloadError, match="needs a calibration list"):
        get_workload("classification", options).calibration()  # type: ignore[attr-defined]


def test_preprocessing_is_documented_or_made_of_options() -> None:
    assert recipe_of(WorkloadOptions(), "torchvision").key == "torchvision"
    asked = WorkloadOptions(extra={"preprocessing": "imagenet", "layout": "NHWC"})
    assert recipe_of(asked, "torchvision").sample_shape == (224, 224, 3)
    own = WorkloadOptions(extra={"size": "28", "divisor": "255"})
    assert recipe_of(own, "torchvision").sample_shape == (3, 28, 28)
    both = WorkloadOptions(extra={"preprocessing": "imagenet", "size": "28"})
    with pytest.raises(
        WorkloadError, match="choose a documented preprocessing, or one of your own"
    ):
        recipe_of(both, "torchvision")
