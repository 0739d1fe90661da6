"""Train the pocket MobileNet-v1 (width 0.25) on Fashion-MNIST and export it to ONNX.

Run it from the repository root; `fashion_training` says what has to be installed::

    python training/train_pocket_mobilenet.py

It writes ``pocket_mobilenet.onnx`` and ``pocket_mobilenet.json`` (seed, data hashes,
training curve, final accuracy, versions) into the package's data folder.
"""

from __future__ import annotations

from typing import Any

from fashion_training import CLASSES, Recipe, train_and_record
from inferometer.workloads.models.mobilenet_v1 import MobileNetV1

ARCHITECTURE: dict[str, Any] = {
    "classes": CLASSES,
    "width": 0.25,
    "in_channels": 1,
    "stem_stride": 1,
    "strides": (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 1, 1),
}
"""A quarter of the channels, and a stem and strides for 28x28 pixels."""


def main() -> None:
    recipe = Recipe(
        file="pocket_mobilenet",
        model_name="MobileNet-v1",
        make_model=MobileNetV1,
        architecture=ARCHITECTURE,
        epochs=24,
        learning_rate=0.3,
        weight_decay=2e-4,
    )
    train_and_record(recipe, __doc__)


if __name__ == "__main__":
    main()
