"""Preprocessing photos into files: ``python -m benchmarks.preprocessing [--photos FOLDER]``.

Ours is a photo library that fills its cache on all cores. The peer is the loop of the published
reference, on one thread: read, turn to RGB, resize, crop, turn to float32, subtract, transpose,
write one ``.npy`` a photo. Both begin with empty folders and end with the same bytes, which is
checked for every photo. The sides take turns; the ratio is paired within a turn, and its median
is held against the bar. A machine that others use shares its cores out, so the time of processors
is printed too. ``plain loop`` is the peer with its array made contiguous before it is
written, which the reference doesn't do; it is shown and not judged.

Without ``--photos``, 1,000 photos are made from the 20 of an installed foolbox
(``pip install --no-deps foolbox``), by cutting, zooming and mirroring.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.workloads.images.decode import opencv
from inferometer.workloads.images.library import PhotoLibrary
from inferometer.workloads.images.parallel import for_each, usable_cores
from inferometer.workloads.images.preprocess import preprocessing

BAR = 2.0
SUFFIXES = {".jpg", ".jpeg", ".png"}
SIZES = [(375, 500)] * 5 + [(500, 375)] * 2 + [(333, 500), (480, 640), (500, 500), (300, 400)]
OURS, PEER, PLAIN = "inferometer", "reference loop", "plain loop"


def main() -> None:
    options = _parse()
    with tempfile.TemporaryDirectory(prefix="preprocessing-") as name:
        folder = Path(name)
        paths = _photos(options.photos, folder / "photos", options.count)
        megabytes = sum(path.stat().st_size for path in paths) / 1e6
        print(
            f"{len(paths)} photos, {megabytes:.0f} MB, {options.key} {options.layout}, "
            f"{options.workers} workers"
        )
        turns = [_turn(number, paths, folder, options) for number in range(options.repeats)]
    missed = _print(turns, len(paths))
    if options.json:
        options.json.write_text(json.dumps(turns, indent=2) + "\n")
    raise SystemExit(missed)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.preprocessing")
    parser.add_argument("--photos", type=Path, help="folder of photos, searched through")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--workers", type=int, default=usable_cores())
    parser.add_argument("--key", choices=["imagenet", "imagenet_mobilenet"], default="imagenet")
    parser.add_argument("--layout", choices=["NCHW", "NHWC"], default="NCHW")
    parser.add_argument("--json", type=Path, help="write the seconds of every turn to this file")
    return parser.parse_args()


def _turn(
    number: int, paths: list[Path], folder: Path, options: argparse.Namespace
) -> dict[str, float]:
    """Measure each side once, in turning order; give seconds, and those of processors."""
    recipe = preprocessing(options.key, options.layout)
    library = PhotoLibrary(
        "photos", paths, recipe, "x", len(paths), folder / f"cache-{number}", options.workers
    )
    sides: dict[str, Callable[[], object]] = {
        OURS: library.prepare,
        PEER: lambda: _reference_loop(paths, folder / f"peer-{number}", options, False),
        PLAIN: lambda: _reference_loop(paths, folder / f"plain-{number}", options, True),
    }
    seconds = {}
    for side in sides if number % 2 == 0 else reversed(sides):
        start, busy = time.perf_counter(), time.process_time()
        sides[side]()
        seconds[side] = time.perf_counter() - start
        seconds[f"{side}, cpu"] = time.process_time() - busy
    _check_same(library, paths, folder / f"peer-{number}")
    for made in sorted(folder.glob(f"*-{number}/**/*"), reverse=True):
        made.rmdir() if made.is_dir() else made.unlink()
    return seconds


def _check_same(library: PhotoLibrary, paths: list[Path], folder: Path) -> None:
    library.load(np.arange(len(paths)))
    for index, path in enumerate(paths):
        ours = library.inputs(np.array([index]))["x"][0]
        if np.load(folder / f"{path.stem}.npy").tobytes() != ours.tobytes():
            raise SystemExit(f"{path}: the sides don't give the same bytes")
    library.unload(np.arange(len(paths)))


def _reference_loop(
    paths: list[Path], folder: Path, options: argparse.Namespace, contiguous: bool
) -> None:
    cv2 = opencv()

    folder.mkdir()
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    for path in paths:
        image = _reference_steps(path, options.key)
        if options.layout == "NCHW":
            image = image.transpose([2, 0, 1])
        if contiguous:
            image = np.ascontiguousarray(image)
        np.save(folder / f"{path.stem}.npy", image)
    cv2.setNumThreads(threads)


def _reference_steps(path: Path, key: str) -> NDArray[Any]:
    cv2 = opencv()

    image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    height, width = image.shape[:2]
    size = (256, int(256 * height / width)) if height > width else (int(256 * width / height), 256)
    method = cv2.INTER_AREA if key == "imagenet" else cv2.INTER_LINEAR
    image = cv2.resize(image, size, interpolation=method)
    left, right = int((size[0] - 224) / 2), int((size[0] + 224) / 2)
    top, bottom = int((size[1] - 224) / 2), int((size[1] + 224) / 2)
    values = np.asarray(image[top:bottom, left:right], np.float32)
    if key == "imagenet":
        values -= np.array([123.68, 116.78, 103.94], np.float32)
    else:
        values /= 255.0
        values -= 0.5
        values *= 2
    return values


def _photos(given: Path | None, folder: Path, count: int) -> list[Path]:
    if given is not None:
        found = sorted(path for path in given.rglob("*") if path.suffix.lower() in SUFFIXES)
        if not found:
            raise SystemExit(f"{given}: there are no photos below it")
        return found[:count]
    spec = importlib.util.find_spec("foolbox")
    if spec is None or spec.origin is None:
        raise SystemExit("no photos: give a folder by --photos, or pip install --no-deps foolbox")
    sources = sorted((Path(spec.origin).parent / "data").glob("imagenet_*.jpg"))
    folder.mkdir()
    return for_each(lambda number: _make_photo(number, sources, folder), range(count))


def _make_photo(number: int, sources: list[Path], folder: Path) -> Path:
    """Cut a piece out of a photo and zoom it to a size that such data sets have."""
    cv2 = opencv()

    chance = np.random.default_rng(number)
    image = cv2.imread(str(sources[number % len(sources)]))
    height, width = SIZES[number % len(SIZES)]
    zoom = chance.uniform(0.7, 1.0) * min(image.shape[0] / height, image.shape[1] / width)
    rows, columns = int(height * zoom), int(width * zoom)
    top = int(chance.integers(0, image.shape[0] - rows + 1))
    left = int(chance.integers(0, image.shape[1] - columns + 1))
    piece = image[top : top + rows, left : left + columns]
    if number // len(sources) % 2:
        piece = piece[:, ::-1]
    photo = cv2.resize(piece, (width, height), interpolation=cv2.INTER_CUBIC)
    path = folder / f"photo_{number:05d}.jpg"
    cv2.imwrite(str(path), photo, [cv2.IMWRITE_JPEG_QUALITY, 92])
    return path


def _print(turns: list[dict[str, float]], count: int) -> int:
    """Print times and paired ratios; give how many bars are missed."""
    for side in (OURS, PEER, PLAIN):
        times = [turn[side] / count * 1e3 for turn in turns]
        cpu = statistics.median(turn[f"{side}, cpu"] / count * 1e3 for turn in turns)
        print(
            f"  {side:<16}{statistics.median(times):7.2f} ms a photo "
            f"[{min(times):.2f} … {max(times):.2f}], {cpu:.2f} of a processor"
        )
    medians = {}
    for side in (PEER, PLAIN):
        ratios = [turn[side] / turn[OURS] for turn in turns]
        medians[side] = statistics.median(ratios)
        print(f"  {side} / {OURS}: {medians[side]:.2f} [{min(ratios):.2f} … {max(ratios):.2f}]")
    is_met = medians[PEER] >= BAR
    print(f"  bar {'met' if is_met else 'MISSED'}: at least {BAR:g} × the reference loop")
    return int(not is_met)


if __name__ == "__main__":
    main()
