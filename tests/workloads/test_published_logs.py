"""Accuracy logs of the published v0.5 round, scored anew and compared with what they state.

Every classification log is scored against the published labels. For detection and
translation no ground truth is at hand: there coverage and form are checked.
"""

from __future__ import annotations

import json
import lzma
import re
import shutil
import tarfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from inferometer.loadgen import Response
from inferometer.logs import read_accuracy_log
from inferometer.runs.scoring import LogScore, ScoringOptions, score_log
from inferometer.workloads.classification.scoring import DTYPES
from inferometer.workloads.coverage import Coverage, cover
from inferometer.workloads.detection.ground_truth import GroundTruth
from inferometer.workloads.detection.payloads import Detections, read_detections
from inferometer.workloads.protocol import ScoredAnswer
from tests.support import shared_data

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

LOG = "mlperf_log_accuracy.json"
STATEMENTS = {"accuracy.txt", "verify_accuracy.txt", "verify_accuracy_output.txt"}
STATEMENT = re.compile(r"accuracy=[\d.]+%, good=\d+, total=\d+")
CLASSIFICATION = {"resnet", "resnet50", "mobilenet"}
INT32_SUBMITTERS = {"Alibaba", "Intel"}

DISAGREEING = {
    "open/Qualcomm/audit/SDM855/mobilenet/MultiStream/TEST03/accuracy": (
        "the log is one of performance mode, 1,024 samples; the statement is of the whole set",
        "accuracy=72.266%, good=740, total=1024",
    ),
}
"""Folders whose statement isn't that of the log beside it: why, and what the log gives."""

NOT_CLASSES = {
    "open/Qualcomm/audit/SDM855/mobilenet/MultiStream/TEST01/accuracy": (
        "each answer is a buffer of 1,001 scores, all zero but one that is the same for all"
    ),
}

WITHOUT_LOG = {
    "closed/Alibaba/audit/alibaba_HanGuang/resnet/MultiStream/TEST03/accuracy",
    "closed/Alibaba/audit/alibaba_cloud_t4/mobilenet/Offline/TEST01/accuracy",
    "closed/Alibaba/results/alibaba_HanGuang/resnet/MultiStream/accuracy",
    "open/Inspur/results/NF5888M5-1GPU/resnet50/Offline/accuracy",
}
"""Statements whose log is not part of the archive."""


@dataclass
class Folder:
    """A published folder: what it states, and its log scored anew."""

    stated: str | None = None
    score: LogScore | None = None
    plain: str = ""
    coverage: Coverage | None = None
    detections: Detections | None = None


def dtype_of(folder: str) -> str:
    return "int32" if folder.split("/")[1] in INT32_SUBMITTERS else "float32"


def task_of(folder: str) -> str:
    parts = set(PurePosixPath(folder).parts)
    if parts & CLASSIFICATION:
        return "classification"
    return "translation" if "gnmt" in parts else "detection"


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("labels") / "val_map.txt"
    packed = shared_data("imagenet", "val_map.txt.xz")
    path.write_bytes(lzma.decompress(packed.read_bytes()))
    return path


@pytest.fixture(scope="module")
def published(labels: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Folder]:
    """Every folder with a log that holds answers, or with a statement; by its path."""
    archive = shared_data("published-v0.5", "results.tar.xz")
    log = tmp_path_factory.mktemp("log") / LOG
    found: dict[str, Folder] = {}
    with tarfile.open(archive, "r|xz") as members:
        for member in members:
            path = PurePosixPath(member.name)
            content = members.extractfile(member) if member.isfile() else None
            if content is None:
                continue
            if path.name == LOG and member.size > 20:
                with log.open("wb") as file:
                    shutil.copyfileobj(content, file)
                folder = str(path.parent)
                fill(found.setdefault(folder, Folder()), folder, log, labels)
            elif path.name in STATEMENTS:
                state(found, path, content.read().decode("utf-8", "replace"))
    return found


def state(found: dict[str, Folder], path: PurePosixPath, text: str) -> None:
    """Keep a statement of accuracy for the folder that holds its log."""
    # A verification of changed data stands one folder above the log that it is of.
    folder = path.parent if path.name == "accuracy.txt" else path.parent / "accuracy"
    line = STATEMENT.search(text)
    if line is not None:
        found.setdefault(str(folder), Folder()).stated = line[0]


def fill(entry: Folder, folder: str, log: Path, labels: Path) -> None:
    if task_of(folder) == "classification":
        if folder not in NOT_CLASSES:
            entry.score = score_log(
                log, "classification", labels, ScoringOptions(dtype=dtype_of(folder))
            )
            entry.plain = plain_line(log, labels, dtype_of(folder))
        return
    total = 5000 if task_of(folder) == "detection" else 3_903_900
    entry.coverage = cover(answers_of(log), total)
    if task_of(folder) == "detection":
        entry.detections = read_detections(entry.coverage, made_up_truth(), inverse_map=False)


def answers_of(log: Path) -> Iterator[ScoredAnswer]:
    for entry in read_accuracy_log(log):
        yield ScoredAnswer(entry.qsl_idx, Response(entry.seq_id, entry.data, b"", None))


def plain_line(log: Path, labels: Path, dtype: str) -> str:
    """The published script in a few plain lines: another way to the same figures."""
    classes = [int(line.split()[1]) for line in labels.read_text().splitlines()]
    seen: dict[int, bool] = {}
    for entry in json.loads(log.read_bytes()):
        if entry["qsl_idx"] not in seen:
            value = np.frombuffer(bytes.fromhex(entry["data"]), DTYPES[dtype])[0]
            seen[entry["qsl_idx"]] = int(value) == classes[entry["qsl_idx"]]
    good = sum(seen.values())
    return f"accuracy={100.0 * good / len(seen):.3f}%, good={good}, total={len(seen)}"


def made_up_truth() -> GroundTruth:
    """Images without known boxes: enough to read detections, not to judge them."""
    images = [{"id": n, "height": 300, "width": 300} for n in range(5000)]
    categories = [{"id": n} for n in range(1, 91)]
    return GroundTruth.of({"images": images, "annotations": [], "categories": categories})


def test_stated_accuracies_are_those_of_the_logs(published: dict[str, Folder]) -> None:
    stated = {
        name: folder
        for name, folder in published.items()
        if folder.stated is not None and folder.score is not None
    }
    assert len(stated) == 59
    for name, folder in stated.items():
        assert folder.score is not None
        if name in DISAGREEING:
            assert folder.score.published_line == DISAGREEING[name][1]
            assert folder.score.published_line != folder.stated
        else:
            assert folder.score.published_line == folder.stated, name
    complete = [name for name, f in stated.items() if f.score and f.score.is_complete]
    assert len(complete) == 57
    without = {name for name, folder in published.items() if folder.stated and not folder.score}
    assert without == WITHOUT_LOG


def test_every_classification_log_agrees_with_a_plain_reading(
    published: dict[str, Folder],
) -> None:
    scored = {name: folder for name, folder in published.items() if folder.score}
    assert len(scored) == 89
    for name, folder in scored.items():
        assert folder.score is not None
        assert folder.score.published_line == folder.plain, name
        hints = [remark for remark in folder.score.remarks if "--dtype" in remark]
        assert not hints, name


def test_incomplete_logs_are_those_of_performance_mode(published: dict[str, Folder]) -> None:
    """TEST01 logs a sample of a performance run: some indices, each many times."""
    incomplete = {
        name: f.score.accuracy
        for name, f in published.items()
        if f.score and not f.score.is_complete
    }
    assert len(incomplete) == 28
    for name, accuracy in incomplete.items():
        assert "audit" in name, name
        assert accuracy.unknown == 0
        assert accuracy.value < accuracy.details["seen only"]
    assert max(accuracy.total - accuracy.missing for accuracy in incomplete.values()) == 11_205


def test_changed_data_lower_accuracy(published: dict[str, Folder]) -> None:
    """TEST03 blanks the blue channel. One system's logs are those of unchanged data."""
    unchanged = set()
    for name, folder in published.items():
        if "TEST03" in name and folder.score and folder.score.is_complete:
            if folder.score.accuracy.value > 0.7:
                unchanged.add(name)
            else:
                assert 0.5 < folder.score.accuracy.value < 0.62, name
    assert unchanged == {
        f"closed/Intel/audit/nnpi-1000_onnx/resnet/{scenario}/TEST03/accuracy"
        for scenario in ("Offline", "Server")
    }


def test_detection_logs_are_well_formed(published: dict[str, Folder]) -> None:
    logs = {name: f for name, f in published.items() if f.detections and f.coverage}
    assert len(logs) == 19
    for name, folder in logs.items():
        assert folder.detections is not None
        assert folder.coverage is not None
        assert folder.detections.malformed == 0, name
        assert folder.detections.uncategorised == 0, name
        assert folder.coverage.unknown == 0, name
    strange = {name for name, f in logs.items() if f.detections and f.detections.misplaced}
    icl = "closed/Intel/results/ICL-I3-1005G1_OpenVINO-Windows/ssd-small"
    assert strange == {f"{icl}/SingleStream/accuracy"}, "rows that name no sample at all"
    ours, theirs = (logs[f"{icl}/{s}/accuracy"].detections for s in ("SingleStream", "Offline"))
    assert ours is not None
    assert theirs is not None
    assert ours.misplaced == len(ours.rows)
    np.testing.assert_array_equal(
        np.sort(ours.rows, axis=0), np.sort(theirs.rows, axis=0), "but the same detections"
    )
    sizes = Counter(len(f.coverage.answers) for f in logs.values() if f.coverage)
    assert sizes == {5000: 13, 256: 3, 250: 1, 1003: 1, 998: 1}
    short = {
        name
        for name, folder in logs.items()
        if "/results/" in name and folder.coverage and folder.coverage.missing
    }
    assert short == {
        "closed/Intel/results/clx_9282-2s_openvino-linux/ssd-small/SingleStream/accuracy"
    }, "a log of performance mode stands where that of accuracy mode should"


def test_translation_logs_hold_sentences(published: dict[str, Folder]) -> None:
    logs = {
        name: folder.coverage
        for name, folder in published.items()
        if folder.coverage and task_of(name) == "translation"
    }
    assert len(logs) == 6
    for name, coverage in logs.items():
        sentences = [data.decode("utf-8") for data in coverage.answers.values()]
        assert all(sentences), name
        assert not any("@@" in sentence for sentence in sentences), name
        assert coverage.repeated == coverage.unknown == 0
        if "TEST01" not in name:
            assert sorted(coverage.answers) == list(range(3003)), name
