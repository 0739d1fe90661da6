"""Multibox training: which anchor stands for which garment, batches, and the loss."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from inferometer.workloads.detection.boxes import encode_boxes, overlaps
from inferometer.workloads.detection.scenes import SCENE_SIZE_PX, Scenes
from inferometer.workloads.models.ssd_mobilenet_v1 import SsdMobileNetV1
from inferometer.workloads.models.ssd_resnet34 import SsdResNet34

__all__ = ["CLASSES", "Matcher", "Ssd", "Targets", "batch_of", "multibox_loss"]

CLASSES = 10
MATCH_OVERLAP = 0.5
NEGATIVES_PER_POSITIVE = 4

Ssd = SsdMobileNetV1 | SsdResNet34
Targets = tuple[torch.Tensor, torch.Tensor]


class Matcher:
    """Assigns the garments of a scene to anchors: a class and a box code for each anchor."""

    def __init__(self, model: Ssd):
        self.x_first = isinstance(model, SsdResNet34)
        buffer = model.default_boxes if isinstance(model, SsdResNet34) else model.anchors
        self.anchors = buffer.numpy()
        centre, half = self.anchors[:, :2], self.anchors[:, 2:] / 2
        self.corners = np.concatenate([centre - half, centre + half], axis=1)

    def boxes(self, scenes: Scenes, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Give the garments' corners in shares, in the anchors' order of axes, and labels."""
        objects = scenes[index].objects
        box = np.array([one.box_px for one in objects], np.float32).reshape(-1, 4)
        box[:, 2:] += box[:, :2]
        if not self.x_first:
            box = box[:, (1, 0, 3, 2)]
        return box / SCENE_SIZE_PX, np.array([one.label for one in objects], np.int64)

    def __call__(self, boxes: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give classes, int64 [anchors], 0 for background, and codes, float32 [anchors, 4]."""
        classes = np.zeros(len(self.anchors), np.int64)
        if not len(boxes):
            return classes, np.zeros_like(self.anchors)
        ratio = overlaps(boxes, self.corners)
        # Every garment has at least its best anchor.
        ratio[np.arange(len(boxes)), ratio.argmax(axis=1)] += 2.0
        best = ratio.argmax(axis=0)
        matched = ratio[best, np.arange(len(classes))] >= MATCH_OVERLAP
        classes[matched] = labels[best[matched]] + 1
        codes = encode_boxes(boxes[best], self.anchors)
        return classes, codes.astype(np.float32)


def batch_of(
    scenes: Scenes, rows: np.ndarray, matcher: Matcher, random: np.random.Generator
) -> tuple[torch.Tensor, Targets]:
    """Give pictures and targets, each mirrored half of the time, in other contrast and light."""
    images = scenes.images(rows).astype(np.float32)
    targets = []
    mirrored = random.random(len(rows)) < 0.5
    for place, row in enumerate(rows.tolist()):
        boxes, labels = matcher.boxes(scenes, row)
        if mirrored[place]:
            images[place] = images[place, :, ::-1]
            low, high = (0, 2) if matcher.x_first else (1, 3)
            boxes[:, [low, high]] = 1.0 - boxes[:, [high, low]]
        targets.append(matcher(boxes, labels))
    contrast = random.uniform(0.8, 1.2, (len(rows), 1, 1)).astype(np.float32)
    light = random.uniform(-20, 20, (len(rows), 1, 1)).astype(np.float32)
    pixels = np.clip(images * contrast + light, 0, 255)[:, None] * (2.0 / 255.0) - 1.0
    classes, codes = (torch.from_numpy(np.stack(part)) for part in zip(*targets, strict=True))
    return torch.from_numpy(pixels).contiguous(memory_format=torch.channels_last), (classes, codes)


def multibox_loss(outputs: Targets, targets: Targets, sigmoid: bool) -> torch.Tensor:
    """Give the multibox loss: boxes of matched anchors, classes of those and hard negatives."""
    codes, logits = outputs
    classes, wanted = targets
    positive = classes > 0
    count = positive.sum(dim=1)
    total = count.sum().clamp(min=1)
    box = functional.smooth_l1_loss(codes[positive], wanted[positive], reduction="sum", beta=0.5)
    if sigmoid:
        hot = functional.one_hot(classes, CLASSES + 1).float()
        each = functional.binary_cross_entropy_with_logits(logits, hot, reduction="none").sum(-1)
    else:
        each = functional.cross_entropy(logits.transpose(1, 2), classes, reduction="none")
    hardness = each.detach().masked_fill(positive, -1.0)
    rank = hardness.argsort(dim=1, descending=True).argsort(dim=1)
    negative = rank < (NEGATIVES_PER_POSITIVE * count).clamp(min=10)[:, None]
    return (box + each[positive | negative].sum()) / total
