"""``inferometer accuracy``: scores of logs of every task, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from inferometer.cli.accuracy import command
from inferometer.loadgen import InferometerError
from tests.workloads.detection.scenes import judged_by_pycocotools, make_scenes

LABELS = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3]


def write_log(folder: Path, answers: list[tuple[int, bytes]]) -> Path:
    rows = [
        f'{{ "seq_id" : {n}, "qsl_idx" : {index}, "data" : "{data.hex().upper()}" }}'
        for n, (index, data) in enumerate(answers)
    ]
    path = folder / "mlperf_log_accuracy.json"
    path.write_text("[\n" + ",\n".join(rows) + "\n]\n")
    return path


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "val_map.txt"
    path.write_text("".join(f"photo {n}.JPEG {label}\n" for n, label in enumerate(LABELS)))
    return path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def float_answers(count: int = 10) -> list[tuple[int, bytes]]:
    return [(n, np.float32(label).tobytes()) for n, label in enumerate(LABELS[:count])]


def test_a_whole_classification_log(tmp_path: Path, labels: Path) -> None:
    answers = float_answers()
    answers[0] = (0, np.float32(7).tobytes())
    write_log(tmp_path, answers)
    output = tmp_path / "accuracy.txt"
    found = run(tmp_path, "--labels", labels, "--output", output)
    assert found.exit_code == 0
    assert found.output.splitlines()[-1] == "accuracy=90.000%, good=9, total=10"
    assert output.read_text() == "accuracy=90.000%, good=9, total=10\n"
    assert "10 of 10 samples answered" in found.output
    assert "95 % interval 59.58% – 98.21%" in found.output
    assert run(tmp_path, "--labels", labels, "--target", "89.9%").exit_code == 0
    missed = run(tmp_path, "--labels", labels, "--target", "0.901")
    assert missed.exit_code == 1
    assert "misses the target 90.10%" in missed.output


def test_an_incomplete_log(tmp_path: Path, labels: Path) -> None:
    log = write_log(tmp_path, [*float_answers(5), (0, b""), (12, b"")])
    found = run(log, "--labels", labels)
    assert found.exit_code == 1
    assert found.output.splitlines()[-1] == "accuracy=50.000%, good=5, total=10"
    assert "5 samples have no answer; the published script leaves them out" in found.output
    assert "1 answers are to samples that the data set doesn't have" in found.output
    published = run(log, "--labels", labels, "--published")
    assert published.exit_code == 1
    assert published.output.splitlines()[-1] == "accuracy=100.000%, good=5, total=5"
    values = json.loads(run(log, "--labels", labels, "--json").output)
    assert (values["missing"], values["repeated"], values["unknown"]) == (5, 1, 1)
    assert values["value"] == 0.5
    assert values["published_line"] == "accuracy=100.000%, good=5, total=5"


def test_a_wrong_type_is_pointed_out(tmp_path: Path) -> None:
    labels = tmp_path / "val_map.txt"
    labels.write_text("".join(f"{n}.JPEG {n}\n" for n in range(1000)))
    write_log(tmp_path, [(n, np.int32(n).tobytes()) for n in range(1000)])
    found = run(tmp_path, "--labels", labels)
    assert "as int32 100.00% of them are right: give --dtype int32" in found.output
    found = run(tmp_path, "--labels", labels, "--dtype", "int32")
    assert found.output.splitlines()[-1] == "accuracy=100.000%, good=1000, total=1000"


def test_a_detection_log(tmp_path: Path) -> None:
    pytest.importorskip("hotcoco")
    pytest.importorskip("pycocotools")
    scenes = make_scenes(21, 60)
    annotations = tmp_path / "instances.json"
    annotations.write_text(json.dumps(scenes.annotations))
    write_log(tmp_path, [(index, rows.tobytes()) for index, rows in scenes.rows.items()])
    found = run(tmp_path, "--task", "detection", "--annotations", annotations)
    expected = judged_by_pycocotools(scenes.annotations, scenes.rows)
    assert found.exit_code == 0
    assert found.output.splitlines()[-1] == f"mAP={100 * expected[0]:.3f}%"
    some = {index: scenes.rows[index] for index in range(10, 50)}
    write_log(tmp_path, [(index, rows.tobytes()) for index, rows in some.items()])
    found = run(tmp_path, "--annotations", annotations, "--published")
    expected = judged_by_pycocotools(scenes.annotations, some, only_seen=True)
    assert found.exit_code == 1
    assert found.output.splitlines()[-1] == f"mAP={100 * expected[0]:.3f}%"


def test_a_translation_log(tmp_path: Path) -> None:
    references = tmp_path / "references.de"
    references.write_text("ein Satz mit sie@@ ben Wör@@ tern ist dies\nund noch ein kurzer Satz\n")
    sentences = ["ein Satz mit sieben Wörtern ist dies", "und noch ein kurzer Satz"]
    write_log(tmp_path, [(n, text.encode()) for n, text in enumerate(sentences)])
    found = run(tmp_path, "--references", references, "--target", "23.9")
    assert found.exit_code == 0
    assert found.output.splitlines()[-1] == "BLEU: 100.0"
    write_log(tmp_path, [(0, sentences[0].encode())])
    found = run(tmp_path, "--references", references, "--published")
    assert found.exit_code == 1
    assert found.output.splitlines()[-1] == "BLEU: 100.0"
    whole = run(tmp_path, "--references", references).output.splitlines()[-1]
    assert whole != "BLEU: 100.0"


def test_wrong_use(tmp_path: Path, labels: Path) -> None:
    log = write_log(tmp_path, float_answers())
    for arguments, message in (
        ([log], "give what the answers are compared with"),
        ([log, "--labels", labels, "--references", labels], "give what the answers"),
        ([log, "--task", "detection", "--labels", labels], "against --annotations, not --labels"),
        ([log, "--labels", labels, "--target", "76"], "write 76%"),
        ([log, "--labels", labels, "--target", "good"], "'good' is no accuracy"),
        ([tmp_path / "none", "--labels", labels], "does not exist"),
    ):
        found = run(*arguments)
        assert found.exit_code == 2
        assert message in found.output


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("[", ["--labels"], "cut off or damaged after 0 entries"),
        ('[{"qsl_idx": 0}]', ["--labels"], "entry 0 is not an object with seq_id"),
        ("[]", ["--annotations"], "not a JSON file"),
        ("[]", ["--labels", "--dtype", "int46"], "did you mean 'int64'"),
    ],
)
def test_damaged_files_are_named(
    tmp_path: Path, labels: Path, content: str, options: list[str], message: str
) -> None:
    log = tmp_path / "mlperf_log_accuracy.json"
    log.write_text(content)
    option, *rest = options
    found = run(log, option, labels, *rest)
    assert isinstance(found.exception, InferometerError)
    assert message in str(found.exception)


def test_a_label_that_is_no_class(tmp_path: Path) -> None:
    log = write_log(tmp_path, float_answers())
    labels = tmp_path / "labels"
    labels.write_text("a.JPEG 1\nb.JPEG cat\n")
    found = run(log, "--labels", labels)
    assert "labels, line 2: 'cat' is no class" in str(found.exception)
