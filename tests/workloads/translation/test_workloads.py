"""Translation workloads: the packaged model and phrases, and GNMT's files and options."""

from __future__ import annotations

import hashlib
import importlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inferometer.backends import BackendOptions, ModelFile, Session, get_backend
from inferometer.loadgen import Response
from inferometer.workloads import (
    ScoredAnswer,
    Workload,
    WorkloadError,
    WorkloadOptions,
    get_workload,
)
from inferometer.workloads.places import HOME_VARIABLE
from inferometer.workloads.translation import pocket, reference
from inferometer.workloads.translation.corpus import NEWSTEST_MD5, read_lines
from inferometer.workloads.translation.translator import PARTS, Translator
from inferometer.workloads.translation.vocabulary import Vocabulary
from tests.support import ROOT

DATA = ROOT / "src/inferometer/workloads/data"
ONNX = ("onnx",)


def sessions_of(files: Mapping[str, ModelFile]) -> dict[str, Session]:
    pytest.importorskip("onnxruntime")
    backend = get_backend("onnxruntime")
    return {part: backend.load(file, BackendOptions(threads=1)) for part, file in files.items()}


def answers_of(workload: Workload, batch: int) -> list[ScoredAnswer]:
    predict = workload.predictor(sessions_of(workload.models(ONNX)))
    library = workload.library()
    everything = np.arange(library.total_sample_count)
    library.load(everything)
    answers = []
    for start in range(0, len(everything), batch):
        indices = everything[start : start + batch]
        texts = predict(indices, library.inputs(indices))
        assert len(texts) == len(indices)
        answers += [
            ScoredAnswer(int(index), Response(int(index), bytes(text), b"", None))
            for index, text in zip(indices, texts, strict=True)
        ]
    return answers


@pytest.mark.parametrize("batch", [1, 32])
def test_pocket_translates_nearly_every_phrase(batch: int) -> None:
    workload = get_workload("pocket-gnmt", WorkloadOptions(count=96))
    found = workload.score(answers_of(workload, batch))
    assert (found.total, found.missing) == (96, 0)
    assert found.value > 97
    assert found.target is None, "a part of the phrases is a preview"


@pytest.mark.slow
def test_pocket_has_its_recorded_accuracy() -> None:
    workload = get_workload("pocket-gnmt")
    found = workload.score(answers_of(workload, 32))
    assert found.value == pytest.approx(workload.info.reference_accuracy, abs=0.2)
    assert found.meets_target is True


def test_pocket_record_is_of_the_packaged_files() -> None:
    record = json.loads((DATA / "pocket_gnmt.json").read_text("utf-8"))
    for name, expected in record["sha256"].items():
        assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() == expected
    assert len(record["curve"]) == record["epochs"]
    assert record["bleu_fp32"] > 97
    assert record["phrases"] == len(read_lines(DATA / "pocket_phrases.bpe.de")) == 500
    vocabulary = Vocabulary.read(DATA / "pocket_vocab.bpe")
    assert len(vocabulary) == record["architecture"]["vocabulary"]
    size = sum((DATA / f"pocket_gnmt_{part}.onnx").stat().st_size for part in PARTS)
    assert size < 3_500_000


def test_pocket_phrases_are_the_first_of_those_made_by_rule(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("num2words")
    monkeypatch.syspath_prepend(str(ROOT / "training"))
    distinct_pairs = importlib.import_module("phrases").distinct_pairs
    record = json.loads((DATA / "pocket_gnmt.json").read_text("utf-8"))
    sides = [read_lines(DATA / f"pocket_phrases.bpe.{side}") for side in ("en", "de")]
    packaged = [
        tuple(line.replace("@@ ", "") for line in pair) for pair in zip(*sides, strict=True)
    ]
    # Training takes those after them, and no phrase comes twice.
    made = distinct_pairs(2000, record["seed"])
    assert made[:500] == packaged
    for side in (0, 1):
        assert len({pair[side] for pair in made}) == len(made)


def test_pocket_info() -> None:
    info = get_workload("pocket-gnmt").info
    assert (info.metric, info.unit, info.round_benchmark) == ("BLEU", "", "gnmt")
    assert info.server_percentile == 0.97
    assert info.server_latency_bound_ns == 250_000_000
    assert info.reference_accuracy is not None
    assert info.target_accuracy == pytest.approx(0.99 * info.reference_accuracy)
    assert not info.not_scored


@pytest.mark.parametrize(
    ("options", "formats", "message"),
    [
        (WorkloadOptions(weights="random"), ONNX, "trained fp32 weights only"),
        (WorkloadOptions(), ("tflite",), "comes as ONNX, and the backend reads tflite"),
        (WorkloadOptions(model=Path("nowhere")), ONNX, "encoder.onnx and decoder.onnx"),
    ],
)
def test_pocket_models_that_there_are_not(
    options: WorkloadOptions, formats: tuple[str, ...], message: str
) -> None:
    with pytest.raises(WorkloadError, match=message):
        get_workload("pocket-gnmt", options).models(formats)


def test_pocket_refuses_what_it_cannot_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WorkloadError, match="brings its data"):
        get_workload("pocket-gnmt", WorkloadOptions(data=tmp_path)).library()
    with pytest.raises(WorkloadError, match="has no option 'larg'"):
        get_workload("pocket-gnmt", WorkloadOptions(extra={"larg": "yes"}))
    workload = get_workload("pocket-gnmt")
    damaged = tmp_path / "pocket_vocab.bpe"
    damaged.write_text("a\n")
    monkeypatch.setattr(pocket, "data_file", lambda name: tmp_path / name)
    with pytest.raises(WorkloadError, match="is damaged: its sha256"):
        workload.predictor({})


def newstest_like(folder: Path) -> Path:
    """Put the packaged phrases and model where GNMT looks for its own."""
    names = ("pocket_phrases.bpe.en", "pocket_phrases.bpe.de", "pocket_vocab.bpe")
    for theirs, own in zip(NEWSTEST_MD5, names, strict=True):
        shutil.copy(DATA / own, folder / theirs)
    for part in PARTS:
        shutil.copy(DATA / f"pocket_gnmt_{part}.onnx", folder / f"{part}.onnx")
    return folder


def test_gnmt_runs_with_files_that_a_user_names(tmp_path: Path) -> None:
    folder = newstest_like(tmp_path)
    options = WorkloadOptions(data=folder, model=folder, count=20, extra={"checksums": "no"})
    workload = get_workload("gnmt", options)
    found = workload.score(answers_of(workload, 8))
    assert found.total == 20
    assert found.value > 90
    assert workload.info.reference_accuracy is None


def test_gnmt_info() -> None:
    info = get_workload("gnmt", WorkloadOptions(data=Path("nowhere"))).info
    assert info.target_accuracy == pytest.approx(23.661)
    assert (info.sample_count, info.server_percentile, info.unit) == (3003, 0.97, "")
    assert not info.not_scored
    large = get_workload("gnmt", WorkloadOptions(data=Path("x"), extra={"large": "yes"})).info
    assert large.sample_count == 3_903_900
    assert "repeated" in large.not_scored


def test_gnmt_without_its_files_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    with pytest.raises(WorkloadError, match="inferometer fetch newstest2014"):
        get_workload("gnmt").library()
    with pytest.raises(WorkloadError, match="inferometer fetch gnmt"):
        get_workload("gnmt", WorkloadOptions(data=Path("synthetic"))).models(ONNX)
    with pytest.raises(WorkloadError, match="is made as ONNX"):
        get_workload("gnmt", WorkloadOptions(data=Path("synthetic"))).models(("xml",))
    with pytest.raises(WorkloadError, match="it takes yes or no"):
        get_workload("gnmt", WorkloadOptions(extra={"large": "1300"}))


@pytest.mark.torch
def test_random_gnmt_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    made = []
    gnmt = pytest.importorskip("inferometer.workloads.models.gnmt")
    published = gnmt.Gnmt

    def noted(**numbers: int) -> Any:
        made.append(numbers)
        return published(**numbers)

    monkeypatch.setattr(gnmt, "Gnmt", noted)
    monkeypatch.setattr(reference, "_HIDDEN", 8)
    workload = get_workload("gnmt", WorkloadOptions(weights="random"))
    assert workload.info.not_scored == "random weights and synthetic samples"
    files = workload.models(ONNX)
    assert workload.models(ONNX) == files
    assert made == [{"vocabulary": 32_316, "hidden": 8}] * 2
    other = get_workload("gnmt", WorkloadOptions(weights="random", seed=1)).models(ONNX)
    assert other["encoder"].path != files["encoder"].path
    assert len(made) == 4


def test_synthetic_sentences_are_a_library() -> None:
    options = WorkloadOptions(data=Path("synthetic"), weights="random", count=40)
    library = get_workload("gnmt", options).library()
    assert library.total_sample_count == 40
    library.load(np.arange(40))
    found = library.inputs(np.arange(40))
    assert found["tokens"].shape == (40, found["lengths"].max())


def test_parts_that_take_other_inputs_are_refused() -> None:
    sessions = sessions_of(get_workload("pocket-gnmt").models(ONNX))
    swapped = {"encoder": sessions["decoder"], "decoder": sessions["encoder"]}
    with pytest.raises(WorkloadError, match="it has to take tokens, lengths"):
        Translator(swapped, Vocabulary([]))
