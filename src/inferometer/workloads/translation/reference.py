"""GNMT: English to German on newstest2014, as in v0.5."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from inferometer.backends import ModelFile, Session
from inferometer.workloads.catalogue.catalogue import get_entry
from inferometer.workloads.definition import ModelDefinition, Weights
from inferometer.workloads.own import check_options
from inferometer.workloads.places import model_folder
from inferometer.workloads.protocol import (
    AccuracyResult,
    Predictor,
    ScoredAnswer,
    WorkloadError,
    WorkloadInfo,
    WorkloadOptions,
)
from inferometer.workloads.synthetic import SYNTHETIC
from inferometer.workloads.translation.bleu import corpus_bleu
from inferometer.workloads.translation.corpus import (
    LARGE_REPEATS,
    NEWSTEST_MD5,
    SentenceLibrary,
    find_newstest,
    read_lines,
    synthetic_sentences,
)
from inferometer.workloads.translation.exporting import gnmt_architectures
from inferometer.workloads.translation.translator import Translator, parts_in
from inferometer.workloads.translation.vocabulary import PUBLISHED_SIZE, Vocabulary

__all__ = ["Gnmt"]

_DEFAULTS = WorkloadOptions()
_NAME = "gnmt"
_MODELS = "inferometer.workloads.models.gnmt"
_HIDDEN = 1024
_OPTIONS = ("checksums", "large")
_YES_OR_NO = {"yes": True, "no": False}
_SOURCES, _REFERENCES, _VOCABULARY = NEWSTEST_MD5
_CHECKPOINT = "translate.ckpt.index"
_CHECKPOINT_SUFFIXES = (".index", ".ckpt")


class Gnmt:
    """Translation of newstest2014 with GNMT, four layers of 1024 each way.

    Without the option ``model``, the checkpoint is the published one where `inferometer
    fetch` puts it; ``model`` names another checkpoint, or a folder with ``encoder`` and
    ``decoder`` in the backend's format. Extra options: ``large=yes`` takes the sentences
    1300 times, as performance runs of v0.5 do; ``checksums=no`` takes files that were
    changed on purpose, such as those of an audit.
    """

    def __init__(self, options: WorkloadOptions = _DEFAULTS):
        check_options(_NAME, options, _OPTIONS)
        self._options = options
        self._is_checked = self._chosen("checksums", default=True)
        self._repeats = LARGE_REPEATS if self._chosen("large", default=False) else 1
        facts = get_entry(_NAME).reference
        assert facts is not None
        data = get_entry(facts.data_set)
        self._folder = options.data or data.folder
        self.is_synthetic = (
            str(options.data) == SYNTHETIC
            if options.data is not None
            else options.weights == "random" and not self._folder.is_dir()
        )
        whole = data.sample_count
        count = whole if options.count is None else min(options.count, whole)
        is_whole = count == whole and self._is_checked
        self.info = WorkloadInfo(
            name=_NAME,
            title="GNMT, 4 layers of 1024, beam 10",
            task="translation",
            metric="BLEU",
            data_set="synthetic samples" if self.is_synthetic else data.title,
            sample_count=count * self._repeats,
            reference_accuracy=facts.reference_accuracy if is_whole else None,
            quality_ratio=facts.quality_ratio,
            server_latency_bound_ns=facts.server_latency_bound_ms * 1_000_000,
            round_benchmark=facts.round_benchmark,
            model_formats=("onnx",),
            unit="",
            server_percentile=facts.server_percentile,
            quantization="dynamic",
            not_scored=" and ".join(self._why_not_scored()),
        )

    def _chosen(self, name: str, *, default: bool) -> bool:
        text = self._options.extra.get(name)
        if text is None:
            return default
        if text not in _YES_OR_NO:
            raise WorkloadError(f"option {name}={text!r} of {_NAME}; it takes yes or no")
        return _YES_OR_NO[text]

    def _why_not_scored(self) -> list[str]:
        reasons = {
            "random weights": self._options.weights == "random",
            "synthetic samples": self.is_synthetic,
            "sentences repeated for performance": self._repeats > 1,
        }
        return [reason for reason, holds in reasons.items() if holds]

    def library(self) -> SentenceLibrary:
        """Give the source sentences; raise `WorkloadError` if the data are missing."""
        options = self._options
        if not self.is_synthetic:
            return SentenceLibrary.of_text(
                self._file(_SOURCES),
                self._vocabulary(),
                count=options.count,
                repeats=self._repeats,
            )
        count = self.info.sample_count // self._repeats
        made = synthetic_sentences(count, PUBLISHED_SIZE, options.seed)
        return SentenceLibrary("synthetic sentences", made, repeats=self._repeats)

    def models(self, formats: tuple[str, ...]) -> Mapping[str, ModelFile]:
        """Give encoder and decoder: those in the folder named, or as ONNX from a checkpoint.

        Random weights practically never end a sentence, so that decoding takes the most
        steps that it may.
        """
        options = self._options
        if options.model is not None and options.model.suffix not in _CHECKPOINT_SUFFIXES:
            return parts_in(options.model, formats)
        if "onnx" not in formats:
            raise WorkloadError(
                f"{_NAME} is made as ONNX, and the backend reads {', '.join(formats)}; name a "
                "folder with encoder and decoder in that format with --model"
            )
        return {part: definition.onnx() for part, definition in self.definitions().items()}

    def definitions(self) -> Mapping[str, ModelDefinition]:
        """Give encoder and decoder as PyTorch defines them; none for a user's own files."""
        options = self._options
        if options.model is not None and options.model.suffix not in _CHECKPOINT_SUFFIXES:
            return {}
        weights = Weights(seed=options.seed)
        if options.weights != "random":
            # The index has a checksum of each variable, so that it stands for all of them.
            weights = Weights(paths=(self._checkpoint(),), load=_load_checkpoint)
        parts = gnmt_architectures(
            _NAME, f"{_MODELS}:Gnmt", vocabulary=len(self._vocabulary()), hidden=_HIDDEN
        )
        return {one.part: ModelDefinition(one, weights) for one in parts}

    def _checkpoint(self) -> Path:
        """Find the index file of the checkpoint."""
        if self._options.model is not None:
            path = self._options.model
            return path if path.suffix == ".index" else path.with_name(f"{path.name}.index")
        found = sorted(model_folder(_NAME).rglob(_CHECKPOINT))
        if not found:
            raise WorkloadError(
                f"the weights of {_NAME} are not here; get them with: inferometer fetch {_NAME} "
                "(or run with --weights random)"
            )
        return found[0]

    def predictor(self, sessions: Mapping[str, Session]) -> Predictor:
        """Give what turns sentences into texts, by beam search."""
        return Translator(sessions, self._vocabulary())

    def score(self, answers: Iterable[ScoredAnswer]) -> AccuracyResult:
        """Compute BLEU over the data set."""
        references = read_lines(self._file(_REFERENCES), self._options.count)
        return corpus_bleu(answers, references, self.info.target_accuracy)

    def _vocabulary(self) -> Vocabulary:
        if self.is_synthetic:
            return Vocabulary.made_up(PUBLISHED_SIZE)
        return Vocabulary.read(self._file(_VOCABULARY))

    def _file(self, name: str) -> Path:
        return find_newstest(self._folder, checked=self._is_checked)[name]


def _load_checkpoint(paths: tuple[Path, ...], module: Any) -> None:
    loading = importlib.import_module("inferometer.workloads.weights.loading")
    loading.load_weights(_NAME, paths[0], module)
