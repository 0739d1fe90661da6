"""Generated photos, and the plain OpenCV steps that preprocessing has to agree with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.workloads.images.decode import opencv

SIZES = [(375, 500), (500, 375), (333, 517), (256, 256), (224, 300), (37, 53), (1, 1), (640, 97)]


def photo(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """Waves of all frequencies with noise, uint8 [height, width, 3]."""
    noise = np.random.default_rng([seed, height, width])
    y, x = np.mgrid[:height, :width].astype(float)
    waves = [
        np.sin(x * a / 40 + y * b / 50 + seed) for a, b in noise.uniform(0.2, 9, (3, 2)).tolist()
    ]
    values = 128 + 100 * np.stack(waves, 2) + noise.normal(0, 20, (height, width, 3))
    pixels: NDArray[np.uint8] = np.clip(values, 0, 255).astype(np.uint8)
    return pixels


def write_photos(folder: Path, count: int, suffix: str = "jpg") -> list[Path]:
    """Write photos of different sizes; give their paths."""
    cv2 = opencv()

    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for n in range(count):
        height, width = SIZES[n % 5]
        paths.append(folder / f"photo_{n:03d}.{suffix}")
        assert cv2.imwrite(str(paths[-1]), photo(height, width, n))
    return paths


def plain_steps(key: str, layout: str, image: NDArray[np.uint8]) -> NDArray[Any]:
    """Do the documented steps one after the other, the plain way."""
    cv2 = opencv()

    if key in ("imagenet", "imagenet_mobilenet", "torchvision", "tflite_tpu"):
        result: Any = _classified(key, image)
    else:
        floats = np.array(image, np.float32)
        floats = cv2.cvtColor(floats, cv2.COLOR_BGR2RGB)
        side = 300 if key.startswith("coco-300") else 1200
        result = cv2.resize(floats, (side, side), interpolation=cv2.INTER_LINEAR)
        if key == "coco-300":
            result = np.asarray(result, np.uint8)
        elif key == "coco-300-pt":
            result -= 127.5
            result /= 127.5
        elif key == "resnet34_tf":
            result = result - np.array([123.68, 116.78, 103.94], np.float32)
        else:
            result = _standardised(result)
    if layout == "NCHW":
        result = result.transpose(2, 0, 1)
    return np.ascontiguousarray(result)


def _classified(key: str, image: NDArray[np.uint8]) -> NDArray[Any]:
    cv2 = opencv()

    image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    height, width = image.shape[:2]
    short = int(100.0 * 224 / 87.5)
    if height > width:
        size = (short, int(short * height / width))
    else:
        size = (int(short * width / height), short)
    if key == "torchvision":
        from PIL import Image

        image = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))
        left, top = round((size[0] - 224) / 2), round((size[1] - 224) / 2)
        return _standardised(image[top : top + 224, left : left + 224].astype(np.float32))
    method = cv2.INTER_LINEAR if key == "imagenet_mobilenet" else cv2.INTER_AREA
    image = cv2.resize(image, size, interpolation=method)
    height, width = image.shape[:2]
    left, right = int((width - 224) / 2), int((width + 224) / 2)
    top, bottom = int((height - 224) / 2), int((height + 224) / 2)
    result = image[top:bottom, left:right].astype(np.float32)
    if key == "imagenet_mobilenet":
        result /= 255.0
        result -= 0.5
        result *= 2
    elif key == "tflite_tpu":
        result = result[..., ::-1] - np.array([103.939, 116.779, 123.68], np.float32)
    else:
        result -= np.array([123.68, 116.78, 103.94], np.float32)
    return result


def _standardised(values: NDArray[np.float32]) -> NDArray[np.float32]:
    mean = np.array([0.485, 0.456, 0.406], np.float32)
    std = np.array([0.229, 0.224, 0.225], np.float32)
    result: NDArray[np.float32] = (values / 255.0 - mean) / std
    return result
