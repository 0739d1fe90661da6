"""Make a small classifier, a small detector and photos for both, as if they were yours.

    python make_data.py FOLDER [COUNT]

The photos are Fashion-MNIST garments and scenes of them, which come with Inferometer; the
models are its pocket models with an input for colour photos. Written are ``garments/`` (a
folder for each class), ``garments.onnx``, ``scenes/`` with ``scenes.json`` in COCO's format,
and ``scenes.onnx``. Needs onnx and OpenCV.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from inferometer.workloads import MODEL, get_workload
from inferometer.workloads.classification.fashion_mnist import (
    CLASS_NAMES,
    read_images,
    read_labels,
)
from inferometer.workloads.detection.scenes import evaluation_scenes


def main(folder: Path, count: int) -> None:
    """Write everything into a folder."""
    write_garments(folder / "garments", count)
    write_colour_model("pocket-mobilenet", 28, folder / "garments.onnx")
    write_scenes(folder / "scenes", folder / "scenes.json", count)
    write_colour_model("pocket-ssd-mobilenet", 96, folder / "scenes.onnx")


def write_garments(folder: Path, count: int) -> None:
    """Write the first garments as PNG files, each into the folder of its class."""
    for index, (image, label) in enumerate(
        zip(read_images()[:count], read_labels()[:count], strict=True)
    ):
        # Folders are numbered, because classes count in the order of their names.
        name = f"{label} {CLASS_NAMES[label].replace('/', ' ')}"
        (folder / name).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name / f"{index:05d}.png"), image)


def write_scenes(folder: Path, annotations: Path, count: int) -> None:
    """Write scenes as PNG files, and their boxes in COCO's format."""
    folder.mkdir(parents=True, exist_ok=True)
    scenes = evaluation_scenes(count)
    found = scenes.annotations()
    for index, image in enumerate(scenes.images(np.arange(count))):
        name = Path(found["images"][index]["file_name"]).with_suffix(".png").name
        found["images"][index]["file_name"] = f"{folder.name}/{name}"
        cv2.imwrite(str(folder / name), image)
    annotations.write_text(json.dumps(found))


def write_colour_model(workload: str, size_px: int, path: Path) -> None:
    """Write a pocket model that takes colour photos [N, 3, size, size], by their mean."""
    model = onnx.load(str(get_workload(workload).models(("onnx",))[MODEL].path))
    graph = model.graph
    name = graph.input[0].name
    weights = numpy_helper.from_array(np.full((1, 3, 1, 1), 1 / 3, np.float32), "grey")
    graph.initializer.append(weights)
    graph.node.insert(0, helper.make_node("Conv", ["photos", "grey"], [name]))
    shape = ["N", 3, size_px, size_px]
    graph.input[0].CopyFrom(helper.make_tensor_value_info("photos", TensorProto.FLOAT, shape))
    onnx.checker.check_model(model)
    onnx.save(model, path)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 300)
