"""COCO: images and annotations in their published layout, and copies at a fixed size."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from inferometer.loadgen import write_atomically
from inferometer.workloads.detection.ground_truth import GroundTruth
from inferometer.workloads.images.checksums import file_sha256
from inferometer.workloads.images.decode import opencv, opencv_on_one_thread, read_image
from inferometer.workloads.images.files import check_files
from inferometer.workloads.images.parallel import Progress, for_each
from inferometer.workloads.protocol import WorkloadError

__all__ = [
    "ANNOTATED_COUNT",
    "ANNOTATIONS",
    "IMAGES",
    "PERFORMANCE_SAMPLE_COUNT_300",
    "PERFORMANCE_SAMPLE_COUNT_1200",
    "SAMPLE_COUNT",
    "Coco",
    "read_annotations",
    "read_coco",
    "upscale",
]

ANNOTATIONS = Path("annotations/instances_val2017.json")
IMAGES = Path("val2017")
SAMPLE_COUNT = 5000
ANNOTATED_COUNT = 4952
PERFORMANCE_SAMPLE_COUNT_300 = 256
PERFORMANCE_SAMPLE_COUNT_1200 = 64


@dataclass(frozen=True)
class Coco:
    """Images in the order of the annotation file, which is the library's, and what is on them.

    category_names:
        By category id.
    total:
        How many images there are to choose from; more than there are paths if only some
        were asked for.
    """

    paths: list[Path]
    ground_truth: GroundTruth
    category_names: Mapping[int, str]
    annotations_sha256: str
    total: int


def read_coco(
    root: Path,
    count: int | None = None,
    *,
    only_annotated: bool = False,
    annotations: Path = ANNOTATIONS,
    images: Path = IMAGES,
) -> Coco:
    """Read a data set with annotations as COCO has them.

    ``annotations`` and ``images`` are a file and a folder, relative to ``root`` or absolute,
    for data of one's own. With ``only_annotated``, images without any box are left out, in
    the order of the file: 4,952 of the 5,000 stay. ``count`` takes only the first ones.
    Raises `WorkloadError` naming the file, the entry in it or the images that are missing.
    """
    path = root / annotations
    content = read_annotations(path)
    try:
        whole = GroundTruth.of(content, only_annotated=only_annotated)
    except WorkloadError as error:
        raise WorkloadError(f"{path}: {error}") from error
    _check_references(path, content)
    total = len(whole.image_ids)
    if count is not None and not 1 <= count <= total:
        raise WorkloadError(f"{path} lists {total} images, and {count} were asked for")
    entries = {entry["id"]: entry for entry in content["images"]}
    chosen = [entries[number] for number in whole.image_ids[:count].tolist()]
    paths = [root / images / _file_name(path, entry) for entry in chosen]
    check_files(path, paths)
    truth = whole
    if count is not None:
        truth = GroundTruth.of({**content, "images": chosen})
    names = {int(one["id"]): str(one.get("name", one["id"])) for one in content["categories"]}
    return Coco(paths, truth, names, file_sha256(path), total)


def read_annotations(path: Path) -> dict[str, Any]:
    """Read an annotation file; raise `WorkloadError` naming the place where it is no JSON."""
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise WorkloadError(
            f"{path}: can't be read ({error.strerror}); COCO's annotations lie at "
            f"{ANNOTATIONS} below the data set's folder, and its images in {IMAGES}"
        ) from error
    except ValueError as error:
        raise WorkloadError(
            f"{path}: this is no whole JSON file ({error}); fetch it again"
        ) from error
    if not isinstance(content, dict):
        raise WorkloadError(f"{path}: this is no annotation file: it holds no JSON object")
    return content


def _file_name(path: Path, entry: Mapping[str, Any]) -> str:
    name = entry.get("file_name")
    if not isinstance(name, str) or not name:
        raise WorkloadError(f"{path}: image {entry['id']} has no file_name")
    return name


def _check_references(path: Path, content: Mapping[str, Any]) -> None:
    """Raise `WorkloadError` for a box of an image or a category that there isn't."""
    for part, key in (("images", "image_id"), ("categories", "category_id")):
        known = {entry["id"] for entry in content[part]}
        for number, entry in enumerate(content["annotations"]):
            if entry[key] not in known:
                raise WorkloadError(
                    f"{path}: annotations[{number}] has {key} {entry[key]}, which is not among "
                    f"the {part}; fetch the file again, or mend it"
                )


def upscale(
    root: Path,
    size_px: int,
    output: Path,
    *,
    annotations: Path = ANNOTATIONS,
    images: Path = IMAGES,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write a copy of a data set with every image resized to a square; give its annotations.

    Images become PNG files, because another round of JPEG would cost accuracy. Boxes,
    polygons and areas are scaled, and file names and sizes are those of the new files, so
    that `read_coco` reads the copy with the same ``annotations`` and ``images``. Masks as
    run lengths, which don't scale, are left out. The annotations are written last: a copy
    that has them is whole. Raises `WorkloadError` as `read_coco` and `read_image` do.

    Source: the upscaling tool of MLPerf Inference, which resizes so, bilinearly, but leaves
    the names in the annotations as they were.
    """
    source = read_coco(root, annotations=annotations, images=images)
    if output.resolve() == root.resolve() or annotations.is_absolute() or images.is_absolute():
        raise WorkloadError(f"{output}: the copy has to lie in a folder of its own")
    content = read_annotations(root / annotations)
    names = [str(Path(entry["file_name"]).with_suffix(".png")) for entry in content["images"]]
    if len(set(names)) < len(names):
        raise WorkloadError(f"{root / annotations}: two images differ only in their suffix")
    pairs = [(path, output / images / name) for path, name in zip(source.paths, names, strict=True)]
    with opencv_on_one_thread():
        for_each(partial(_write_resized, size_px), pairs, workers, progress)
    scales = {
        entry["id"]: (size_px / entry["width"], size_px / entry["height"])
        for entry in content["images"]
    }
    scaled = {
        **content,
        "images": [
            {**entry, "file_name": name, "width": size_px, "height": size_px}
            for entry, name in zip(content["images"], names, strict=True)
        ],
        "annotations": [
            _scaled(entry, *scales[entry["image_id"]]) for entry in content["annotations"]
        ],
    }
    target = output / annotations
    write_atomically(target, json.dumps(scaled).encode())
    return target


def _write_resized(size_px: int, pair: tuple[Path, Path]) -> None:
    cv2 = opencv()
    source, target = pair
    resized = cv2.resize(read_image(source), (size_px, size_px), interpolation=cv2.INTER_LINEAR)
    try:
        write_atomically(target, cv2.imencode(".png", resized)[1].tobytes())
    except OSError as error:
        raise WorkloadError(f"{target}: can't be written ({error.strerror})") from error


def _scaled(entry: Mapping[str, Any], across: float, down: float) -> dict[str, Any]:
    x, y, width, height = entry["bbox"]
    scaled = {**entry, "bbox": [x * across, y * down, width * across, height * down]}
    if "area" in entry:
        scaled["area"] = entry["area"] * across * down
    outline = scaled.pop("segmentation", None)
    if isinstance(outline, list):
        scaled["segmentation"] = [
            [number * (down if place % 2 else across) for place, number in enumerate(polygon)]
            for polygon in outline
        ]
    return scaled
