"""One's own model and data: what the workloads for them share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from inferometer.backends import ModelFile
from inferometer.loadgen import nearest_name
from inferometer.workloads.calibration import read_calibration_list
from inferometer.workloads.images.custom import OPTION_NAMES, preprocessing_from_options
from inferometer.workloads.images.library import PhotoLibrary
from inferometer.workloads.images.preprocess import preprocessing
from inferometer.workloads.images.recipe import Preprocessing
from inferometer.workloads.places import sample_folder
from inferometer.workloads.protocol import (
    MODEL,
    CalibrationSet,
    WorkloadError,
    WorkloadInfo,
    WorkloadOptions,
)

__all__ = [
    "CALIBRATION_OPTION",
    "OwnPhotos",
    "check_options",
    "listed_calibration",
    "number_of",
    "recipe_of",
]

CALIBRATION_OPTION = "calibration"
"""Option that names the calibration list."""

_OWN_OPTIONS = (CALIBRATION_OPTION, "preprocessing", "target", "bound_ms", *OPTION_NAMES)


def check_options(workload: str, options: WorkloadOptions, known: Sequence[str]) -> None:
    """Raise `WorkloadError` for an option that the workload doesn't know."""
    for name in options.extra:
        if name not in known:
            raise WorkloadError(
                f"{workload} has no option {name!r}{nearest_name(name, known)}; it knows "
                f"{', '.join(sorted(known))}"
            )


def number_of(options: WorkloadOptions, name: str) -> float | None:
    """Read a number from the options; ``None`` if it isn't there."""
    text = options.extra.get(name)
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        raise WorkloadError(f"option {name}={text!r} is not a number") from None


def _title_of(options: WorkloadOptions) -> str:
    """Name the user's model and data in a few words."""
    if options.model is None or options.data is None:
        return "your model on your data"
    return f"{options.model.name} on {options.data.name}"


def recipe_of(options: WorkloadOptions, default: str) -> Preprocessing:
    """Give the preprocessing: a documented variant by key, or made of single options."""
    single = {name: text for name, text in options.extra.items() if name in OPTION_NAMES}
    key = options.extra.get("preprocessing")
    layout = single.get("layout", "NCHW").upper()
    if key is not None or set(single) <= {"layout"}:
        if set(single) - {"layout"}:
            raise WorkloadError(
                f"preprocessing={key} and {', '.join(sorted(single))} are given; choose a "
                "documented preprocessing, or one of your own"
            )
        return preprocessing(key or default, layout)
    return preprocessing_from_options(single)


class OwnPhotos:
    """What workloads on the user's photos share; a subclass reads the data and the answers.

    Extra options of all: ``preprocessing`` (a documented variant) or ``size``, ``mean``, …
    (`preprocessing_from_options`), ``target`` (in percent), ``bound_ms`` (the Server bound),
    ``calibration`` (a list for quantisation).
    """

    name: ClassVar[str]
    task: ClassVar[str]
    metric: ClassVar[str]
    data_words: ClassVar[str]
    more_options: ClassVar[tuple[str, ...]]
    usual_preprocessing: ClassVar[str]
    usual_bound_ms: ClassVar[float]
    performance_samples: ClassVar[int]

    def __init__(self, options: WorkloadOptions):
        check_options(self.name, options, (*self.more_options, *_OWN_OPTIONS))
        self._options = options
        self._paths = self._read() if options.data and options.model else []
        target = number_of(options, "target")
        bound_ms = number_of(options, "bound_ms") or self.usual_bound_ms
        self.info = WorkloadInfo(
            name=self.name,
            title=_title_of(options),
            task=self.task,
            metric=self.metric,
            data_set="your photos" if options.data is None else str(options.data),
            sample_count=len(self._paths),
            reference_accuracy=None if target is None else target / 100.0,
            quality_ratio=1.0,
            server_latency_bound_ns=int(bound_ms * 1e6),
            round_benchmark="*",
            model_formats=("onnx", "python"),
        )

    def _read(self) -> list[Path]:
        """Read the data, and give the photos in library order."""
        raise NotImplementedError

    def _photo_folder(self) -> Path:
        """Give the folder that names of photos are relative to."""
        raise NotImplementedError

    @property
    def recipe(self) -> Preprocessing:
        """How the photos are preprocessed."""
        return recipe_of(self._options, self.usual_preprocessing)

    def library(self) -> PhotoLibrary:
        """Give the photos, preprocessed; they are kept between runs."""
        self._check_given()
        return PhotoLibrary(
            self.info.data_set,
            self._paths,
            self.recipe,
            "photos",
            self.performance_samples,
            cache=sample_folder(),
        )

    def models(self, formats: tuple[str, ...]) -> Mapping[str, ModelFile]:  # noqa: ARG002
        """Give the user's model."""
        return {MODEL: ModelFile.of_user(self._check_given())}

    def calibration(self) -> CalibrationSet:
        """Give the photos of the list that the option ``calibration`` names."""
        self._check_given()
        return listed_calibration(self.name, self._options, (self._photo_folder(),), self.recipe)

    def _check_given(self) -> Path:
        """Give the model's path; raise `WorkloadError` if model or data are missing."""
        if self._options.model is None or self._options.data is None:
            raise WorkloadError(
                f"{self.name} needs your model, --model FILE, and --data {self.data_words}"
            )
        return self._options.model


def listed_calibration(
    workload: str, options: WorkloadOptions, folders: Sequence[Path], recipe: Preprocessing
) -> CalibrationSet:
    """Give the calibration samples of the list that the option names.

    ``folders`` are searched for its files. Raises `WorkloadError` if no list is named, or
    files are missing.
    """
    name = options.extra.get(CALIBRATION_OPTION)
    if name is None:
        raise WorkloadError(
            f"static quantisation of {workload} needs a calibration list: -o "
            f"{CALIBRATION_OPTION}=FILE, with a file name a line"
        )
    found = read_calibration_list(Path(name))
    paths = found.resolve(*folders)
    photos = PhotoLibrary(found.path.name, paths, recipe, "photos", len(paths))
    return CalibrationSet(found.description, found.names, photos)
