"""Reference workloads on photos: what the four convolutional ones of v0.5 share."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from inferometer.backends import ModelFile
from inferometer.workloads.catalogue.catalogue import get_entry
from inferometer.workloads.catalogue.entry import Profile
from inferometer.workloads.definition import Architecture, ModelDefinition, Weights
from inferometer.workloads.images.library import PhotoLibrary
from inferometer.workloads.images.preprocess import preprocessing
from inferometer.workloads.images.recipe import Preprocessing
from inferometer.workloads.own import CALIBRATION_OPTION, check_options, listed_calibration
from inferometer.workloads.places import sample_folder
from inferometer.workloads.protocol import (
    MODEL,
    CalibrationSet,
    InputLibrary,
    WorkloadError,
    WorkloadInfo,
    WorkloadOptions,
)
from inferometer.workloads.synthetic import SYNTHETIC, SyntheticPhotos

__all__ = ["OwnForm", "PhotoWorkload"]

_RANDOM = "random weights"
_SYNTHETIC_DATA = "synthetic samples"
_SYNTHETIC_CALIBRATION = 32
_OTHER_SEED = 1_000_000
_WEIGHT_FORMATS = ("pb", "pth", "pytorch", "pt")


@dataclass(frozen=True)
class OwnForm:
    """The model as our architecture makes it, with published or random weights.

    ``preprocessing``, ``layout`` and ``postprocessing`` are what it takes and gives;
    ``profiles`` name the published forms whose weights it takes.
    """

    architecture: Architecture
    preprocessing: str
    layout: str
    postprocessing: str
    profiles: tuple[str, ...] = ()


class PhotoWorkload:
    """A reference workload on photos; a subclass reads its data and its answers.

    The model is random, the user's (``options.model``), or the published one where
    `inferometer fetch` puts it. Files that a backend reads are taken as they are; weights
    of other frameworks go through our architecture. The extra option ``profile`` names the
    form in the catalogue that a file is like; ``calibration`` a list for quantisation.
    """

    name: ClassVar[str]
    largest_batch: ClassVar[int | None] = None
    photo_folders: ClassVar[tuple[str, ...]] = ()
    own_forms: ClassVar[tuple[OwnForm, ...]]

    def __init__(self, options: WorkloadOptions):
        check_options(self.name, options, ("profile", CALIBRATION_OPTION))
        self._options = options
        self._entry = get_entry(self.name)
        assert self._entry.reference is not None
        self._facts = self._entry.reference
        self._data_entry = get_entry(self._facts.data_set)
        self.profile = self._chosen_profile()
        self.own_form = self._chosen_own_form()
        self.is_synthetic = self._uses_synthetic()
        self.info = self._describe()

    def _describe(self) -> WorkloadInfo:
        options, facts = self._options, self._facts
        total = facts.performance_sample_count if self.is_synthetic else self.data_count()
        is_whole = options.count is None or options.count >= total
        reasons = [_RANDOM] * (options.weights == "random") + [_SYNTHETIC_DATA] * self.is_synthetic
        source = "our architecture" if self.own_form else "the file as it is"
        return WorkloadInfo(
            name=self.name,
            title=f"{self._entry.title} on {self._data_entry.title}",
            task=facts.task,
            metric=facts.metric,
            data_set=_SYNTHETIC_DATA if self.is_synthetic else self._data_entry.title,
            sample_count=total if options.count is None else min(options.count, total),
            reference_accuracy=facts.reference_accuracy if is_whole else None,
            quality_ratio=facts.quality_ratio,
            server_latency_bound_ns=facts.server_latency_bound_ms * 1_000_000,
            round_benchmark=facts.round_benchmark,
            model_formats=("onnx",),
            server_percentile=facts.server_percentile,
            largest_batch=self.largest_batch if self.own_form else self.profile.largest_batch,
            not_scored=" and ".join(reasons),
            notes={"profile": self.profile.name, "model": source},
        )

    def data_count(self) -> int:
        """Give how many samples the data set has for this form of the model."""
        return self._data_entry.sample_count

    @property
    def folder(self) -> Path:
        """Where the data set lies."""
        return self._options.data or self._data_entry.folder

    @property
    def recipe(self) -> Preprocessing:
        """How photos are preprocessed for this form of the model."""
        form = self.own_form or self.profile
        layout = form.layout
        if self.own_form is not None and layout == "NCHW" and self._options.layout:
            layout = self._options.layout
        return preprocessing(form.preprocessing, layout)

    def _uses_synthetic(self) -> bool:
        """Say whether samples are made up: as asked, or for random weights without data."""
        if self._options.data is not None:
            return str(self._options.data) == SYNTHETIC
        return self._options.weights == "random" and not self.folder.is_dir()

    def _chosen_profile(self) -> Profile:
        """Choose the form: as named, by the model's file, by what is on disk, or the usual."""
        asked = self._options.extra.get("profile")
        if asked is not None:
            return self._entry.profile(asked)
        path = self._options.model
        for profile in self._entry.profiles:
            if path is not None and Path(profile.file).name == path.name:
                return profile
            is_here = (self._entry.folder / profile.file).is_file()
            if path is None and self._options.weights == "published" and is_here:
                return profile
        return self._entry.profile()

    def _chosen_own_form(self) -> OwnForm | None:
        """Give our own form where it is needed: for random weights, and those of others."""
        path = self._options.model
        kind = self.profile.format if path is None else path.suffix.lstrip(".")
        if self._options.weights != "random" and kind not in _WEIGHT_FORMATS:
            return None
        for form in self.own_forms:
            if self.profile.name in form.profiles:
                return form
        return self.own_forms[0]

    def library(self) -> InputLibrary:
        """Give the samples, preprocessed; raise `WorkloadError` if the data are missing."""
        held = self._facts.performance_sample_count
        if self.is_synthetic:
            count, seed = self.info.sample_count, self._options.seed
            return SyntheticPhotos(self.recipe, "photos", count, held, seed)
        return PhotoLibrary(
            self._data_entry.title,
            self.photo_paths(),
            self.recipe,
            "photos",
            held,
            cache=sample_folder(),
        )

    def calibration(self) -> CalibrationSet:
        """Give the samples for quantisation: of a list, or made up where the samples are."""
        if self.is_synthetic and CALIBRATION_OPTION not in self._options.extra:
            count, seed = _SYNTHETIC_CALIBRATION, self._options.seed + _OTHER_SEED
            made = SyntheticPhotos(self.recipe, "photos", count, count, seed)
            ids = tuple(f"seed {seed}, sample {index}" for index in range(count))
            return CalibrationSet(_SYNTHETIC_DATA, ids, made)
        folders = (self.folder, *(self.folder / name for name in self.photo_folders))
        return listed_calibration(self.name, self._options, folders, self.recipe)

    def photo_paths(self) -> list[Path]:
        """Give the photos of the data set in library order."""
        raise NotImplementedError

    def models(self, formats: tuple[str, ...]) -> Mapping[str, ModelFile]:
        """Give the model: a file as it is, or made from our architecture, as ONNX."""
        if self.own_form is not None:
            return {part: one.onnx() for part, one in self.definitions().items()}
        if self._options.model is not None:
            return {MODEL: ModelFile.of_user(self._options.model)}
        path = self._entry.folder / self.profile.file
        self._check_present(path, formats)
        return {MODEL: ModelFile(path, self.profile.format)}

    def definitions(self) -> Mapping[str, ModelDefinition]:
        """Give the model as our architecture makes it; none for a file that is run as it is."""
        if self.own_form is None:
            return {}
        weights = Weights(seed=self._options.seed)
        if self._options.weights != "random":
            path = self._options.model or self._entry.folder / self.profile.file
            self._check_present(path, ())
            weights = Weights(paths=(path,), load=self._load)
        definition = ModelDefinition(self.own_form.architecture, weights)
        return {MODEL: definition.in_layout(self._options.layout)}

    def _check_present(self, path: Path, formats: tuple[str, ...]) -> None:
        if not path.is_file():
            raise WorkloadError(
                f"{path}: the weights of {self.name} are not here; get them with: inferometer "
                f"fetch {self.name} (or measure speed alone with --weights random)"
            )
        if self.own_form is None and self.profile.format not in formats:
            raise WorkloadError(
                f"{path} is {self.profile.format!r}, and the backend reads {', '.join(formats)}; "
                f"choose another with -o profile=NAME"
            )

    def _load(self, paths: tuple[Path, ...], module: Any) -> None:
        """Put published weights into a module, below what we put around it."""
        loading = importlib.import_module("inferometer.workloads.weights.loading")
        models = importlib.import_module("inferometer.workloads.models.reference")
        loading.load_weights(self.name, paths[0], models.published_part(module))
