"""Training on Fashion-MNIST: what the pocket classifiers share, from data to record.

The data set has to be at hand (Debian: ``apt-get install dataset-fashion-mnist``), and
PyTorch, onnx and onnxruntime installed. 55,000 of the 60,000 training images are trained
on, 5,000 are held out for the curve; the 10,000 test images are used once, at the end, for
the accuracy that becomes the quality reference.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch.nn import functional

from inferometer.workloads.models.export import export_onnx

__all__ = ["CLASSES", "Recipe", "train_and_record"]

OUTPUT = Path(__file__).resolve().parents[1] / "src/inferometer/workloads/data"
FILES = {
    "train_images": "train-images-idx3-ubyte.gz",
    "train_labels": "train-labels-idx1-ubyte.gz",
    "test_images": "t10k-images-idx3-ubyte.gz",
    "test_labels": "t10k-labels-idx1-ubyte.gz",
}
CLASSES = 10
HELD_OUT = 5_000
BLANK_SIZE_PX = 8
LARGEST_SHIFT_PX = 2


@dataclass(frozen=True)
class Recipe:
    """What sets one pocket classifier apart.

    ``file`` is the name of the written files without their endings. ``architecture`` are
    the arguments of ``make_model``. The numbers are the options' defaults.
    """

    file: str
    model_name: str
    make_model: Callable[..., torch.nn.Module]
    architecture: Mapping[str, Any]
    epochs: int
    learning_rate: float
    weight_decay: float


def train_and_record(recipe: Recipe, description: str) -> None:
    """Train, export to ONNX and write the record, as the command line asks for it."""
    options = _parse(recipe, description)
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    data, hashes = _read_data(options.data)
    order = np.random.default_rng(options.seed).permutation(len(data["train_images"]))
    held, kept = order[:HELD_OUT], order[HELD_OUT:]
    images, labels = _to_tensors(data["train_images"], data["train_labels"])

    model = recipe.make_model(**recipe.architecture)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    curve = _train(model, (images[kept], labels[kept]), (images[held], labels[held]), options)

    options.output.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), options.checkpoint)
    model_path = options.output / f"{recipe.file}.onnx"
    _export(model, model_path)
    accuracy = _score_onnx(model_path, *_to_tensors(data["test_images"], data["test_labels"]))
    record = {
        "model": recipe.model_name,
        "architecture": dict(recipe.architecture),
        "parameters": sum(p.numel() for p in model.parameters()),
        "data_set": "Fashion-MNIST",
        "data_sha256": hashes,
        "seed": options.seed,
        "epochs": options.epochs,
        "batch_size": options.batch_size,
        "peak_learning_rate": options.learning_rate,
        "weight_decay": options.weight_decay,
        "training_arithmetic": "bfloat16" if options.bfloat16 else "float32",
        "threads": options.threads,
        "held_out_training_images": HELD_OUT,
        "curve": curve,
        "test_top1_fp32": accuracy,
        "onnx_sha256": hashlib.sha256(model_path.read_bytes()).hexdigest(),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "onnxruntime": onnxruntime.__version__,
        },
    }
    (options.output / f"{recipe.file}.json").write_text(json.dumps(record, indent=2) + "\n")
    print(f"test top-1 {accuracy:.4f}, written to {model_path}")


def _parse(recipe: Recipe, description: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    parser.add_argument("--output", type=Path, default=OUTPUT)
    parser.add_argument("--checkpoint", type=Path, default=Path(f"{recipe.file}.pt"))
    parser.add_argument("--seed", type=int, default=20191106)
    parser.add_argument("--epochs", type=int, default=recipe.epochs)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=recipe.learning_rate)
    parser.add_argument("--weight-decay", type=float, default=recipe.weight_decay)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--bfloat16", action="store_true", help="train in bfloat16, about twice as fast"
    )
    return parser.parse_args()


def _read_data(folder: Path) -> tuple[dict[str, NDArray[np.uint8]], dict[str, str]]:
    """Read the four IDX files; also give the sha256 of each file as it lies on disk."""
    arrays, hashes = {}, {}
    for key, name in FILES.items():
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
        arrays[key] = np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)
    return arrays, hashes


def _to_tensors(
    images: NDArray[np.uint8], labels: NDArray[np.uint8]
) -> tuple[torch.Tensor, torch.Tensor]:
    scaled = (images.astype(np.float32) / 255.0 - 0.5) * 2.0
    return torch.from_numpy(scaled[:, None]), torch.from_numpy(labels.astype(np.int64))


def _augment(batch: torch.Tensor) -> torch.Tensor:
    """Mirror, shift by up to two pixels and blank one square, each image by itself."""
    count, _, height, width = batch.shape
    mirrored = torch.rand(count) < 0.5
    batch = torch.where(mirrored[:, None, None, None], batch.flip(3), batch)
    shift = LARGEST_SHIFT_PX
    padded = functional.pad(batch, (shift,) * 4, value=-1.0)
    top, left = torch.randint(0, 2 * shift + 1, (2, count))
    rows = (top[:, None] + torch.arange(height))[:, None, :, None]
    columns = (left[:, None] + torch.arange(width))[:, None, None, :]
    batch = padded[torch.arange(count)[:, None, None, None], 0, rows, columns]
    y, x = torch.randint(-BLANK_SIZE_PX // 2, height - BLANK_SIZE_PX // 2, (2, count))
    blank = _inside(y, height)[:, None, :, None] & _inside(x, width)[:, None, None, :]
    blank &= (torch.rand(count) < 0.5)[:, None, None, None]
    return batch.masked_fill(blank, 0.0)


def _inside(starts: torch.Tensor, size: int) -> torch.Tensor:
    """Tell which of the places 0 … size lie in squares that start there; bool [n, size]."""
    distance = torch.arange(size) - starts[:, None]
    return distance.ge(0) & distance.lt(BLANK_SIZE_PX)


def _train(
    model: torch.nn.Module,
    training: tuple[torch.Tensor, torch.Tensor],
    held_out: tuple[torch.Tensor, torch.Tensor],
    options: argparse.Namespace,
) -> list[dict[str, float]]:
    images, labels = training
    decayed = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    optimizer = torch.optim.SGD(
        [
            {"params": decayed, "weight_decay": options.weight_decay},
            {"params": plain, "weight_decay": 0.0},
        ],
        lr=options.learning_rate,
        momentum=0.9,
        nesterov=True,
    )
    steps = len(images) // options.batch_size
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, options.learning_rate, epochs=options.epochs, steps_per_epoch=steps
    )
    curve: list[dict[str, float]] = []
    for epoch in range(1, options.epochs + 1):
        model.train()
        total_loss = 0.0
        order = torch.randperm(len(images))
        for step in range(steps):
            rows = order[step * options.batch_size : (step + 1) * options.batch_size]
            batch = _augment(images[rows]).contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16, enabled=options.bfloat16):
                logits = model(batch)
            loss = functional.cross_entropy(logits.float(), labels[rows], label_smoothing=0.05)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            total_loss += loss.item()
        point = {
            "epoch": epoch,
            "training_loss": round(total_loss / steps, 5),
            "held_out_top1": round(_score(model, *held_out), 5),
        }
        curve.append(point)
        print(point, flush=True)
    return curve


@torch.no_grad()
def _score(model: torch.nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
    model.eval()
    right = 0
    for start in range(0, len(images), 500):
        batch = images[start : start + 500].contiguous(memory_format=torch.channels_last)
        right += int((model(batch).argmax(1) == labels[start : start + 500]).sum())
    return right / len(images)


def _export(model: torch.nn.Module, path: Path) -> None:
    """Write the model with its softmax as one ONNX file; the batch size stays open."""
    exported = torch.nn.Sequential(model, torch.nn.Softmax(dim=1)).eval()
    exported.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    export_onnx(
        exported,
        (torch.zeros(2, 1, 28, 28),),
        path,
        inputs=["input"],
        outputs=["probabilities"],
        dynamic={"input": {0: "N"}, "probabilities": {0: "N"}},
    )
    _check_export(exported, path)


@torch.no_grad()
def _check_export(exported: torch.nn.Module, path: Path) -> None:
    """Stop unless the exported file gives the outputs of the PyTorch model."""
    sample = torch.rand(16, 1, 28, 28) * 2.0 - 1.0
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    outputs = session.run(None, {"input": sample.numpy()})[0]
    difference = float(np.abs(outputs - exported(sample).numpy()).max())
    if difference > 1e-5:
        raise SystemExit(f"{path} differs from the PyTorch model by {difference:g}")
    print(f"largest difference between ONNX and PyTorch: {difference:g}")


def _score_onnx(path: Path, images: torch.Tensor, labels: torch.Tensor) -> float:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    outputs = [
        session.run(None, {"input": images[start : start + 500].numpy()})[0]
        for start in range(0, len(images), 500)
    ]
    return float((np.concatenate(outputs).argmax(1) == labels.numpy()).mean())
