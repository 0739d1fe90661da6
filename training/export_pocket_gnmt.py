"""Export of the pocket GNMT: model, phrases and record become files of the package."""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import json
import platform
from pathlib import Path

import numpy as np

from inferometer.backends import BackendOptions, ModelFile, get_backend
from inferometer.loadgen import Response
from inferometer.workloads.models.gnmt import Gnmt
from inferometer.workloads.protocol import AccuracyResult, ScoredAnswer
from inferometer.workloads.translation.bleu import corpus_bleu
from inferometer.workloads.translation.corpus import SentenceLibrary
from inferometer.workloads.translation.exporting import export_parts
from inferometer.workloads.translation.translator import PARTS, Translator
from inferometer.workloads.translation.vocabulary import Vocabulary
from phrases import Pair

__all__ = ["write_files"]

SOURCES, REFERENCES = "pocket_phrases.bpe.en", "pocket_phrases.bpe.de"
VOCABULARY = "pocket_vocab.bpe"
SPECIAL = 3
PACKAGES = ("torch", "onnx", "onnxruntime", "num2words", "subword-nmt")


def write_files(
    model: Gnmt,
    phrases: list[Pair],
    words: list[str],
    curve: list[dict[str, float]],
    options: argparse.Namespace,
) -> None:
    """Write model, phrases and vocabulary, score what was written, and write the record."""
    folder = options.output
    folder.mkdir(parents=True, exist_ok=True)
    paths = {part: folder / f"pocket_gnmt_{part}.onnx" for part in PARTS}
    export_parts(model, paths)
    _write_lines(folder / SOURCES, [english for english, _ in phrases])
    _write_lines(folder / REFERENCES, [german for _, german in phrases])
    # As in the published file, the three special words are not written out.
    _write_lines(folder / VOCABULARY, words[SPECIAL:])
    result = _score(folder, paths, [german for _, german in phrases])
    names = [*(path.name for path in paths.values()), SOURCES, REFERENCES, VOCABULARY]
    record = {
        "model": "GNMT",
        "architecture": {"vocabulary": len(words), "hidden": model.decoder.hidden},
        "parameters": model.parameter_count(),
        "data_set": "spelled-out numbers, English to German, made by rule",
        "phrases": len(phrases),
        "phrases_trained_on": options.phrases,
        "merges": options.merges,
        "seed": options.seed,
        "epochs": options.epochs,
        "batch_size": options.batch_size,
        "peak_learning_rate": options.learning_rate,
        "threads": options.threads,
        "curve": curve,
        "bleu_fp32": result.value,
        "sha256": {
            name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names
        },
        "versions": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in PACKAGES},
        },
    }
    (folder / "pocket_gnmt.json").write_text(json.dumps(record, indent=2) + "\n")
    print(f"{result.line} ({result.value:.4f}), written to {folder}")


def _write_lines(path: Path, lines: list[str]) -> None:
    path.write_bytes("".join(f"{line}\n" for line in lines).encode("utf-8"))


def _score(folder: Path, paths: dict[str, Path], references: list[str]) -> AccuracyResult:
    """Translate the phrases one at a time with what was written, and give BLEU."""
    vocabulary = Vocabulary.read(folder / VOCABULARY)
    backend, one_thread = get_backend("onnxruntime"), BackendOptions(threads=1)
    sessions = {
        part: backend.load(ModelFile(path, "onnx"), one_thread) for part, path in paths.items()
    }
    translate = Translator(sessions, vocabulary)
    library = SentenceLibrary.of_text(folder / SOURCES, vocabulary)
    everything = np.arange(library.total_sample_count)
    library.load(everything)
    answers = []
    for index in everything:
        (text,) = translate(everything[index : index + 1], library.inputs(everything[[index]]))
        answers.append(ScoredAnswer(int(index), Response(int(index), text, b"", None)))
    return corpus_bleu(answers, references, None)
