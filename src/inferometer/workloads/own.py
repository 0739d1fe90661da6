"""One's own model and data: what the workloads for them share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from inferometer.loadgen import nearest_name
from inferometer.workloads.calibration import read_calibration_list
from inferometer.workloads.images.custom import OPTION_NAMES, preprocessing_from_options
from inferometer.workloads.images.library import PhotoLibrary
from inferometer.workloads.images.preprocess import preprocessing
from inferometer.workloads.images.recipe import Preprocessing
from inferometer.workloads.protocol import CalibrationSet, WorkloadError, WorkloadOptions

__all__ = [
    "CALIBRATION_OPTION",
    "OWN_OPTIONS",
    "check_options",
    "listed_calibration",
    "number_of",
    "own_parts",
    "own_title",
    "recipe_of",
]

CALIBRATION_OPTION = "calibration"
"""Option that names the calibration list."""

OWN_OPTIONS = (CALIBRATION_OPTION, "preprocessing", "target", "bound_ms", *OPTION_NAMES)
"""Options that every workload on one's own photos knows."""


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


def own_parts(workload: str, options: WorkloadOptions, data: str) -> tuple[Path, Path]:
    """Give the model and the data that the user named; raise if one isn't there."""
    if options.model is None or options.data is None:
        raise WorkloadError(f"{workload} needs your model, --model FILE, and --data {data}")
    return options.model, options.data


def own_title(options: WorkloadOptions) -> str:
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
