"""Train the pocket ResNet v1.5 (five bottleneck blocks) on Fashion-MNIST and export it to ONNX.

Run it from the repository root; `fashion_training` says what has to be installed::

    python training/train_pocket_resnet.py --bfloat16

It writes ``pocket_resnet.onnx`` and ``pocket_resnet.json`` (seed, data hashes, training
curve, final accuracy, versions) into the package's data folder.
"""

from __future__ import annotations

from typing import Any

from fashion_training import CLASSES, Recipe, train_and_record
from inferometer.workloads.models.resnet50 import ResNet

ARCHITECTURE: dict[str, Any] = {
    "classes": CLASSES,
    "width": 16,
    "blocks": (1, 2, 2),
    "in_channels": 1,
    "stem": "small",
}
"""A quarter of the channels, three stages of few blocks, and a stem for 28x28 pixels."""


def main() -> None:
    recipe = Recipe(
        file="pocket_resnet",
        model_name="ResNet v1.5",
        make_model=ResNet,
        architecture=ARCHITECTURE,
        epochs=15,
        learning_rate=0.2,
        weight_decay=5e-4,
    )
    train_and_record(recipe, __doc__)


if __name__ == "__main__":
    main()
