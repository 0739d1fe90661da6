"""Train a pocket SSD on scenes of Fashion-MNIST garments and export it to ONNX.

Run it from the repository root, with PyTorch, onnx, onnxruntime and hotcoco installed and
the data set at hand (Debian: ``apt-get install dataset-fashion-mnist``)::

    python training/train_pocket_ssd.py ssd_mobilenet
    python training/train_pocket_ssd.py ssd_resnet

It writes ``pocket_<model>.onnx`` and ``.json`` (architecture, seed, data hashes, training
curve, final mAP, versions) into the package's data folder. Scenes to train on are composed
of the first 58,000 training images, those for the curve of the last 2,000; the package's
evaluation scenes, made from test images, are used once, at the end, for the mAP that
becomes the quality reference.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from torch.nn import functional
from torch.optim import swa_utils

from inferometer.loadgen import Response
from inferometer.workloads.detection.boxes import encode_boxes
from inferometer.workloads.detection.pocket import (
    OUTPUTS,
    Detector,
    PocketSsdMobileNet,
    PocketSsdResNet,
)
from inferometer.workloads.detection.scene_library import INPUT, preprocess
from inferometer.workloads.detection.scenes import SCENE_SIZE_PX, Scenes, evaluation_scenes
from inferometer.workloads.detection.scoring import FIGURES, coco_map
from inferometer.workloads.models.export import export_onnx
from inferometer.workloads.models.ssd_mobilenet_v1 import AnchorScales, SsdMobileNetV1
from inferometer.workloads.models.ssd_resnet34 import SsdMap, SsdResNet34
from inferometer.workloads.protocol import ScoredAnswer

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "src/inferometer/workloads/data"
IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
HELD_OUT = 2_000
HELD_OUT_SCENES = 300
CLASSES = 10
DETECTORS = {
    "ssd_mobilenet": PocketSsdMobileNet.detector,
    "ssd_resnet": PocketSsdResNet.detector,
}
MATCH_OVERLAP = 0.5
NEGATIVES_PER_POSITIVE = 4
AVERAGING = 0.998
FIRST_LOGIT = -4.0
SSD_MOBILENET: dict[str, Any] = {
    "classes": CLASSES,
    "width": 0.25,
    "in_channels": 1,
    "size_px": SCENE_SIZE_PX,
    "strides": (1, 2, 1, 2, 1, 1, 1, 1, 1, 1, 1, 2, 1),
    "extras": ((256, 512), (128, 256)),
}
SCALES: dict[str, Any] = {"lowest": 0.25, "highest": 0.85, "reduced_first": False}
SSD_RESNET: dict[str, Any] = {
    "classes": CLASSES,
    "width": 0.25,
    "in_channels": 1,
    "size_px": SCENE_SIZE_PX,
    "blocks": (2, 2, 3),
    "largest_px": 88,
    "head_stride": 1,
}
MAPS: tuple[dict[str, Any], ...] = (
    {"scale_px": 22, "ratios": (2, 3)},
    {"scale_px": 32, "ratios": (2, 3), "narrow": 48, "wide": 64, "stride": 2, "padding": 1},
    {"scale_px": 48, "ratios": (2, 3), "narrow": 32, "wide": 48, "stride": 2, "padding": 1},
    {"scale_px": 68, "ratios": (2,), "narrow": 24, "wide": 48, "stride": 2, "padding": 1},
)

Targets = tuple[torch.Tensor, torch.Tensor]
Ssd = SsdMobileNetV1 | SsdResNet34


def main() -> None:
    options = _parse()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    images, labels, hashes = _read_data(options.data)
    training = Scenes(images[:-HELD_OUT], labels[:-HELD_OUT], options.scenes, options.seed)
    held = Scenes(images[-HELD_OUT:], labels[-HELD_OUT:], HELD_OUT_SCENES, options.seed + 1)
    model, architecture = _model(options.model)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    print(f"{_parameters(model)} parameters; {len(training)} scenes", flush=True)

    curve = _train(model, training, held, options)
    torch.save(model.state_dict(), options.checkpoint or f"pocket_{options.model}.pt")
    options.output.mkdir(parents=True, exist_ok=True)
    path = _export(model, options.output / f"pocket_{options.model}.onnx")
    evaluation = evaluation_scenes()
    scored = _score(_onnx_model(path), evaluation, DETECTORS[options.model])
    record = {
        "model": "SSD-MobileNet-v1" if options.model == "ssd_mobilenet" else "SSD-ResNet34",
        "architecture": architecture,
        "parameters": _parameters(model),
        "data_set": "scenes of Fashion-MNIST garments",
        "data_sha256": hashes,
        "seed": options.seed,
        "scenes": options.scenes,
        "epochs": options.epochs,
        "batch_size": options.batch_size,
        "peak_learning_rate": options.learning_rate,
        "threads": options.threads,
        "bfloat16": options.bfloat16,
        "held_out_training_images": HELD_OUT,
        "curve": curve,
        "evaluation_scenes": len(evaluation),
        "evaluation_map_fp32": scored["AP"],
        "evaluation_details": scored,
        "onnx_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "onnxruntime": onnxruntime.__version__,
        },
    }
    path.with_suffix(".json").write_text(json.dumps(record, indent=2) + "\n")
    print(f"mAP {scored['AP']:.4f} on the evaluation scenes, written to {path}")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", choices=sorted(DETECTORS))
    parser.add_argument("--data", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    parser.add_argument("--output", type=Path, default=OUTPUT)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--seed", type=int, default=20191106)
    parser.add_argument("--scenes", type=int, default=30_000)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--bfloat16", action="store_true", help="faster on CPUs that have it")
    return parser.parse_args()


def _model(name: str) -> tuple[Ssd, dict[str, Any]]:
    """Give the network, and the numbers that make it small."""
    if name == "ssd_mobilenet":
        numbers = SSD_MOBILENET | {"scales": SCALES}
        model = SsdMobileNetV1(**SSD_MOBILENET, scales=AnchorScales(**SCALES))
        for name, parameter in model.named_parameters():
            if name.endswith("classification.bias"):
                # Anchors are mostly background: each class starts out improbable.
                torch.nn.init.constant_(parameter, FIRST_LOGIT)
        return model, numbers
    numbers = SSD_RESNET | {"maps": MAPS}
    return SsdResNet34(**SSD_RESNET, maps=[SsdMap(**one) for one in MAPS]), numbers


def _parameters(model: Ssd) -> int:
    return sum(p.numel() for p in model.parameters())


def _read_data(folder: Path) -> tuple[np.ndarray, np.ndarray, dict[str, str]]:
    """Read the training images and labels, and the sha256 of each file as it lies on disk."""
    arrays, hashes = [], {}
    for name in (IMAGES, LABELS):
        path = folder / name
        if not path.exists():
            raise SystemExit(
                f"{path} is missing; get it with: apt-get install dataset-fashion-mnist"
            )
        packed = path.read_bytes()
        hashes[name] = hashlib.sha256(packed).hexdigest()
        content = gzip.decompress(packed)
        dimensions = content[3]
        shape = np.frombuffer(content, ">i4", dimensions, offset=4)
        arrays.append(np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape))
    return arrays[0], arrays[1], hashes


class _Matcher:
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
        sides = np.minimum(boxes[:, None, 2:], self.corners[:, 2:])
        sides = np.maximum(sides - np.maximum(boxes[:, None, :2], self.corners[:, :2]), 0)
        shared = sides.prod(axis=-1)
        areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=-1)
        ratio = shared / (areas[:, None] + self.anchors[:, 2:].prod(axis=-1) - shared)
        # Every garment has at least its best anchor.
        ratio[np.arange(len(boxes)), ratio.argmax(axis=1)] += 2.0
        best = ratio.argmax(axis=0)
        matched = ratio[best, np.arange(len(classes))] >= MATCH_OVERLAP
        classes[matched] = labels[best[matched]] + 1
        codes = encode_boxes(boxes[best], self.anchors)
        return classes, codes.astype(np.float32)


def _batch(
    scenes: Scenes, rows: np.ndarray, matcher: _Matcher, random: np.random.Generator
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


def _loss(outputs: Targets, targets: Targets, sigmoid: bool) -> torch.Tensor:
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


def _train(
    model: Ssd, training: Scenes, held: Scenes, options: argparse.Namespace
) -> list[dict[str, float]]:
    """Train; leave the moving average of the weights in the model."""
    matcher = _Matcher(model)
    random = np.random.default_rng(options.seed)
    steps = len(training) // options.batch_size
    optimizer = torch.optim.AdamW(model.parameters(), options.learning_rate, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        options.learning_rate,
        epochs=options.epochs,
        steps_per_epoch=steps,
        pct_start=0.15,
    )
    averaging = swa_utils.get_ema_multi_avg_fn(AVERAGING)  # type: ignore[no-untyped-call]
    average = swa_utils.AveragedModel(model, multi_avg_fn=averaging, use_buffers=True)
    sigmoid = isinstance(model, SsdMobileNetV1)
    curve: list[dict[str, float]] = []
    for epoch in range(1, options.epochs + 1):
        model.train()
        total, begun = 0.0, time.perf_counter()
        order = random.permutation(len(training))
        for step in range(steps):
            rows = order[step * options.batch_size : (step + 1) * options.batch_size]
            pictures, targets = _batch(training, rows, matcher, random)
            with torch.autocast("cpu", torch.bfloat16, enabled=options.bfloat16):
                codes, logits = model.codes(pictures)
            loss = _loss((codes.float(), logits.float()), targets, sigmoid)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
            optimizer.step()
            schedule.step()
            average.update_parameters(model)
            total += loss.item()
        point = {
            "epoch": epoch,
            "training_loss": round(total / steps, 5),
            "held_out_map": round(
                _score(_torch_model(average.module), held, DETECTORS[options.model])["AP"], 5
            ),
        }
        curve.append(point)
        print(point, f"{time.perf_counter() - begun:.0f} s", flush=True)
    model.load_state_dict(average.module.state_dict())
    return curve


Predict = Callable[[np.ndarray], list[np.ndarray]]


def _torch_model(model: torch.nn.Module) -> Predict:
    @torch.no_grad()
    def predict(pictures: np.ndarray) -> list[np.ndarray]:
        model.eval()
        return [output.numpy() for output in model(torch.from_numpy(pictures))]

    return predict


def _onnx_model(path: Path) -> Predict:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda pictures: session.run(None, {INPUT: pictures})


def _score(predict: Predict, scenes: Scenes, detector: Detector) -> dict[str, float]:
    """Give AP over overlaps 0.5 … 0.95, at 0.5 and at 0.75."""
    answers = []
    for start in range(0, len(scenes), 50):
        indices = np.arange(start, min(start + 50, len(scenes)))
        boxes, scores = predict(preprocess(scenes.images(indices)))
        responses = detector.respond(indices, boxes, scores)
        for index, rows in zip(indices.tolist(), responses, strict=True):
            answers.append(ScoredAnswer(index, Response(index, rows.tobytes(), b"", None)))
    details = coco_map(answers, scenes.annotations(), None).details
    return {figure: details[FIGURES[figure]] for figure in ("AP", "AP50", "AP75")}


def _export(model: Ssd, path: Path) -> Path:
    """Write the model as one ONNX file; stop unless it gives the outputs of the model."""
    model.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    model.eval()
    export_onnx(
        model,
        (torch.zeros(2, 1, SCENE_SIZE_PX, SCENE_SIZE_PX),),
        path,
        inputs=(INPUT,),
        outputs=OUTPUTS,
        dynamic={name: {0: "N"} for name in (INPUT, *OUTPUTS)},
    )
    sample = np.random.default_rng(0).random((4, 1, SCENE_SIZE_PX, SCENE_SIZE_PX), np.float32)
    pairs = zip(_onnx_model(path)(sample), _torch_model(model)(sample), strict=True)
    difference = max(float(np.abs(one - other).max()) for one, other in pairs)
    if difference > 1e-4:
        raise SystemExit(f"{path} differs from the PyTorch model by {difference:g}")
    print(f"largest difference between ONNX and PyTorch: {difference:g}")
    return path


if __name__ == "__main__":
    main()
