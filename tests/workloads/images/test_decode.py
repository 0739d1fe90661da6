"""Decoding: OpenCV's own pixels, and errors that name the file."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from inferometer.workloads.images.decode import opencv_on_one_thread, read_image
from inferometer.workloads.images.parallel import for_each
from inferometer.workloads.protocol import WorkloadError
from tests.workloads.images.photos import photo

cv2 = pytest.importorskip("cv2")


@pytest.mark.parametrize("suffix", ["jpg", "png", "bmp", "webp"])
@pytest.mark.parametrize("kind", ["colour", "grey"])
def test_pixels_are_those_of_imread(tmp_path: Path, suffix: str, kind: str) -> None:
    path = tmp_path / f"photo.{suffix}"
    pixels = photo(47, 31)
    cv2.imwrite(str(path), pixels if kind == "colour" else pixels[..., 0])
    found = read_image(path)
    assert found.shape == (47, 31, 3)
    assert (found == cv2.imread(str(path))).all()
    if kind == "grey":
        assert (found[..., 0] == found[..., 2]).all()


def test_transparency_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), np.dstack([photo(9, 9), np.full((9, 9), 7, np.uint8)]))
    assert (read_image(path) == photo(9, 9)).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_are_turned_as_exif_says(tmp_path: Path, orientation: int) -> None:
    path = tmp_path / "photo.jpg"
    content = cv2.imencode(".jpg", photo(40, 24))[1].tobytes()
    # One entry of a little-endian TIFF directory: tag 0x0112, a short, once.
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"
    exif += bytes([orientation, 0, 0, 0, 0, 0, 0, 0])
    segment = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    path.write_bytes(content[:2] + segment + content[2:])
    found = read_image(path)
    assert found.shape == ((40, 24, 3) if orientation < 5 else (24, 40, 3))
    assert (found == cv2.imread(str(path))).all()


def test_a_jpeg_may_carry_more_behind_its_end(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(cv2.imencode(".jpg", photo(40, 24))[1].tobytes() + b"\0" * 99)
    assert read_image(path).shape == (40, 24, 3)


def damaged() -> dict[str, tuple[bytes | None, str]]:
    jpeg = cv2.imencode(".jpg", photo(90, 90))[1].tobytes()
    png = cv2.imencode(".png", photo(90, 90))[1].tobytes()
    return {
        "missing": (None, "No such file"),
        "empty": (b"", "the file is empty"),
        "half a jpeg": (jpeg[: len(jpeg) // 2], "ends before its image does, at byte"),
        "no image": (b"<html>not found</html>", "no image that OpenCV can decode"),
        "head of a png": (png[:20], "no image that OpenCV can decode, or it is damaged"),
    }


@pytest.mark.parametrize("name", damaged())
def test_errors_name_the_file(tmp_path: Path, name: str) -> None:
    content, message = damaged()[name]
    path = tmp_path / "the photo.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WorkloadError, match=rf"the photo\.jpg: .*{message}"):
        read_image(path)


def test_opencv_gets_its_threads_back() -> None:
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        with opencv_on_one_thread():
            with opencv_on_one_thread():
                assert cv2.getNumThreads() == 1
            assert cv2.getNumThreads() == 1
        assert cv2.getNumThreads() == 2
        with pytest.raises(ValueError, match="no"), opencv_on_one_thread():
            raise ValueError("no")
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(before)


@pytest.mark.parametrize("workers", [1, 2, None])
def test_for_each_keeps_the_order_and_tells(workers: int | None) -> None:
    told: list[tuple[int, int]] = []
    found = for_each(lambda n: n * n, range(9), workers, lambda *done: told.append(done))
    assert found == [n * n for n in range(9)]
    assert told == [(n + 1, 9) for n in range(9)]
    assert for_each(str, [], workers) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_for_each_ends_at_the_first_error(workers: int) -> None:
    started: list[int] = []
    gate = threading.Event()

    def work(n: int) -> None:
        started.append(n)
        if n == 0:
            gate.set()
            raise ValueError("first")
        gate.wait(10)

    with pytest.raises(ValueError, match="first"):
        for_each(work, range(1000), workers)
    assert len(started) < 1000
