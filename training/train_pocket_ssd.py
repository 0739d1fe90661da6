"""Train a pocket SSD on scenes of Fashion-MNIST garments and export it to ONNX.

Run it from the repository root, with PyTorch, onnx, onnxruntime and hotcoco installed and
the data set at hand (Debian: ``apt-get install dataset-fashion-mnist``)::

    python training/train_pocket_ssd.py ssd_mobilenet --bfloat16 --epochs 7 --learning-rate 4e-3
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
from torch.optim import swa_utils

from inferometer.loadgen import Response
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
from multibox import CLASSES, Matcher, Ssd, batch_of, multibox_loss

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "src/inferometer/workloads/data"
IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
HELD_OUT = 2_000
HELD_OUT_SCENES = 300
DETECTORS = {
    "ssd_mobilenet": PocketSsdMobileNet.detector,
    "ssd_resnet": PocketSsdResNet.detector,
}
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
        for key, parameter in model.named_parameters():
            if key.endswith("classification.bias"):
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


def _train(
    model: Ssd, training: Scenes, held: Scenes, options: argparse.Namespace
) -> list[dict[str, float]]:
    """Train; leave the moving average of the weights in the model."""
    matcher = Matcher(model)
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
            pictures, targets = batch_of(training, rows, matcher, random)
            with torch.autocast("cpu", torch.bfloat16, enabled=options.bfloat16):
                codes, logits = model.codes(pictures)
            loss = multibox_loss((codes.float(), logits.float()), targets, sigmoid)
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
