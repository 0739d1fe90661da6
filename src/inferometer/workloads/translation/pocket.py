"""Pocket GNMT: the translation model in small, on phrases about numbers.

A real trained model and exact references that come with the package, so that every
scenario runs with real accuracy, offline, in seconds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from inferometer.backends import ModelFile, Session
from inferometer.workloads.definition import ModelDefinition
from inferometer.workloads.own import check_options
from inferometer.workloads.packaged import check_packaged, data_file, packaged_definition
from inferometer.workloads.protocol import (
    AccuracyResult,
    Predictor,
    ScoredAnswer,
    WorkloadError,
    WorkloadInfo,
    WorkloadOptions,
)
from inferometer.workloads.translation.bleu import corpus_bleu
from inferometer.workloads.translation.corpus import SentenceLibrary, read_lines
from inferometer.workloads.translation.exporting import gnmt_architectures
from inferometer.workloads.translation.translator import PARTS, Translator, parts_in
from inferometer.workloads.translation.vocabulary import Vocabulary

__all__ = ["PocketGnmt"]

_DEFAULTS = WorkloadOptions()
_NAME = "pocket-gnmt"
_SOURCES, _REFERENCES = "pocket_phrases.bpe.en", "pocket_phrases.bpe.de"
_VOCABULARY = "pocket_vocab.bpe"
_QUALITY_RATIO = 0.99
_SERVER_BOUND_NS = 250_000_000
_SERVER_PERCENTILE = 0.97


class PocketGnmt:
    """Translation of English phrases into German with the packaged GNMT.

    The quality target is 99 % of the BLEU that the fp32 model was recorded with when it was
    trained. There is none where ``options.count`` takes only a part of the phrases. The
    Server bound, 250 ms for 97 % of the queries, is that of the full GNMT.
    """

    def __init__(self, options: WorkloadOptions = _DEFAULTS):
        check_options(_NAME, options, ())
        self._options = options
        self._record = json.loads(data_file("pocket_gnmt.json").read_text("utf-8"))
        whole = self._record["phrases"]
        count = whole if options.count is None else min(options.count, whole)
        self.info = WorkloadInfo(
            name=_NAME,
            title="GNMT (80 units) on spelled-out numbers",
            task="translation",
            metric="BLEU",
            data_set="phrases about numbers, English to German",
            sample_count=count,
            reference_accuracy=self._record["bleu_fp32"] if count == whole else None,
            quality_ratio=_QUALITY_RATIO,
            server_latency_bound_ns=_SERVER_BOUND_NS,
            round_benchmark="gnmt",
            model_formats=("onnx",),
            unit="",
            server_percentile=_SERVER_PERCENTILE,
            quantization="dynamic",
            notes={"parameters": self._record["parameters"], "seed": self._record["seed"]},
        )

    def library(self) -> SentenceLibrary:
        """Give the phrases as a library, or the first few if so asked."""
        if self._options.data is not None:
            raise WorkloadError(
                f"{_NAME} brings its data, so it can't read {self._options.data}; the workload "
                "'gnmt' takes a folder with newstest2014"
            )
        return SentenceLibrary.of_text(
            self._file(_SOURCES), self._vocabulary(), count=self._options.count
        )

    def models(self, formats: tuple[str, ...]) -> Mapping[str, ModelFile]:
        """Give the packaged parts, which are ONNX, or those in the folder that is named."""
        options = self._options
        if options.model is not None:
            return parts_in(options.model, formats)
        check_packaged(_NAME, options, formats)
        return self._packaged()

    def _packaged(self) -> dict[str, ModelFile]:
        hashes = self._record["sha256"]
        names = {part: f"pocket_gnmt_{part}.onnx" for part in PARTS}
        return {
            part: ModelFile(data_file(name), "onnx", hashes[name]) for part, name in names.items()
        }

    def definitions(self) -> Mapping[str, ModelDefinition]:
        """Give the packaged parts as PyTorch defines them; none in place of a user's files."""
        if self._options.model is not None:
            return {}
        files, numbers = self._packaged(), self._record["architecture"]
        parts = gnmt_architectures(_NAME, "inferometer.workloads.models.gnmt:Gnmt", **numbers)
        load = "inferometer.workloads.weights.gnmt_onnx:load_parts"
        return {
            one.part: packaged_definition(one, *files.values(), load=load, own=files[one.part])
            for one in parts
        }

    def predictor(self, sessions: Mapping[str, Session]) -> Predictor:
        """Give what turns phrases into texts, by beam search."""
        return Translator(sessions, self._vocabulary())

    def score(self, answers: Iterable[ScoredAnswer]) -> AccuracyResult:
        """Compute BLEU over the phrases of the library."""
        references = read_lines(self._file(_REFERENCES), self._options.count)
        return corpus_bleu(answers, references, self.info.target_accuracy)

    def _vocabulary(self) -> Vocabulary:
        return Vocabulary.read(self._file(_VOCABULARY))

    def _file(self, name: str) -> Path:
        """Give a packaged file, after checking that it is the recorded one."""
        path = data_file(name)
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != self._record["sha256"][name]:
            raise WorkloadError(
                f"{path} is damaged: its sha256 is {found}, and {self._record['sha256'][name]} "
                "was expected; install the package again"
            )
        return path
