"""Decoding: an image file becomes BGR pixels, exactly as OpenCV reads it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.workloads.protocol import WorkloadError

__all__ = ["decode", "opencv", "opencv_on_one_thread", "read_image"]

_JPEG_START, _JPEG_SCAN, _JPEG_END = b"\xff\xd8", b"\xff\xda", b"\xff\xd9"


def opencv() -> Any:
    """Import OpenCV; raise `WorkloadError` where it isn't installed."""
    try:
        import cv2  # noqa: PLC0415
    except ImportError as error:
        raise WorkloadError(
            f"reading photos needs OpenCV ({error}); pip install 'inferometer[images]'"
        ) from error
    return cv2


def read_image(path: Path) -> NDArray[np.uint8]:
    """Read an image file as BGR, uint8 [height, width, 3].

    The pixels are those of OpenCV's ``imread`` with its default flag: grey becomes three
    equal channels, transparency is dropped, and the photo is turned as its EXIF orientation
    says. Raises `WorkloadError` naming the file if it is missing, cut short or no image.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WorkloadError(
            f"{path}: can't be read ({error.strerror}); put the image back, or take it off the "
            "data set's list"
        ) from error
    return decode(content, path)


def decode(content: bytes, path: Path) -> NDArray[np.uint8]:
    """Decode the content of an image file, as `read_image` does; ``path`` is for errors."""
    cv2 = opencv()
    if not content:
        raise WorkloadError(f"{path}: the file is empty; fetch the image again")
    # The decoder pads a photo that is cut short with grey, and only mutters about it.
    if _is_cut_short(content):
        raise WorkloadError(
            f"{path}: the JPEG ends before its image does, at byte {len(content)}; fetch it again"
        )
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise WorkloadError(f"{path}: OpenCV can't decode it: {error.err}") from error
    if image is None:
        raise WorkloadError(
            f"{path}: this is no image that OpenCV can decode, or it is damaged; fetch it again"
        )
    pixels: NDArray[np.uint8] = image
    return pixels


def _is_cut_short(content: bytes) -> bool:
    """Tell whether a JPEG's last scan has no end; previews inside it have their own."""
    if not content.startswith(_JPEG_START) or content.endswith(_JPEG_END):
        return False
    return content.rfind(_JPEG_END) < content.rfind(_JPEG_SCAN)


_guard = threading.Lock()
_users = 0
_threads_before = 0


@contextmanager
def opencv_on_one_thread() -> Iterator[None]:
    """Keep OpenCV from starting threads of its own while several workers call it.

    The number of its threads is a setting of the whole process; it is put back when the
    last user is done.
    """
    global _users, _threads_before  # noqa: PLW0603
    cv2 = opencv()
    with _guard:
        if _users == 0:
            _threads_before = cv2.getNumThreads()
            cv2.setNumThreads(1)
        _users += 1
    try:
        yield
    finally:
        with _guard:
            _users -= 1
            if _users == 0:
                cv2.setNumThreads(_threads_before)
