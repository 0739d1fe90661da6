"""The photo library: what it loads, what it keeps, and how it fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from inferometer.workloads.images import library as library_module
from inferometer.workloads.images.custom import custom_preprocessing
from inferometer.workloads.images.decode import read_image
from inferometer.workloads.images.library import PhotoLibrary
from inferometer.workloads.images.preprocess import preprocess, preprocessing
from inferometer.workloads.protocol import WorkloadError
from tests.support import ROOT
from tests.workloads.images.photos import plain_steps, write_photos

cv2 = pytest.importorskip("cv2")

RECIPE = custom_preprocessing(32, divisor=255)
ROW_BYTES = 3 * 32 * 32 * 4


def library(paths: list[Path], cache: Path | None = None, **more: object) -> PhotoLibrary:
    return PhotoLibrary("photos", paths, RECIPE, "image", 4, cache, **more)  # type: ignore[arg-type]


def wanted(paths: list[Path]) -> np.ndarray:
    out = np.empty((len(paths), *RECIPE.sample_shape), np.float32)
    for n, path in enumerate(paths):
        preprocess(read_image(path), RECIPE, out[n])
    return out


@pytest.mark.parametrize("cached", [False, True])
def test_loads_what_is_asked_for_and_nothing_else(tmp_path: Path, cached: bool) -> None:
    paths = write_photos(tmp_path / "photos", 7)
    found = library(paths, tmp_path / "cache" if cached else None)
    assert (found.total_sample_count, found.performance_sample_count) == (7, 4)
    right = wanted(paths)
    for _ in range(2):
        found.load(np.array([5, 1, 5, 6, 0]))
        for indices in ([5, 1, 1], [0, 1], [5, 6], [6], [1, 0], []):
            batch = found.inputs(np.array(indices, int))
            assert list(batch) == ["image"]
            assert (batch["image"] == right[indices]).all()
        with pytest.raises(WorkloadError, match="isn't loaded"):
            found.inputs(np.array([4]))
        found.unload(np.array([5, 1, 6, 0]))
        with pytest.raises(WorkloadError, match="isn't loaded"):
            found.inputs(np.array([5]))


def test_a_loaded_set_replaces_the_one_before(tmp_path: Path) -> None:
    paths = write_photos(tmp_path, 4)
    found = library(paths)
    found.load(np.array([0, 1]))
    found.load(np.array([2]))
    assert (found.inputs(np.array([2]))["image"] == wanted(paths)[2]).all()
    with pytest.raises(WorkloadError, match="isn't loaded"):
        found.inputs(np.array([0]))


def test_samples_side_by_side_are_not_copied(tmp_path: Path) -> None:
    found = library(write_photos(tmp_path, 4))
    found.load(np.arange(4))
    whole = found.inputs(np.arange(4))["image"]
    assert np.shares_memory(whole, found.inputs(np.array([2]))["image"])
    assert not np.shares_memory(whole, found.inputs(np.array([2, 0]))["image"])


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("key", ["imagenet", "imagenet_mobilenet", "coco-300"])
def test_files_become_the_documented_bytes(tmp_path: Path, key: str, layout: str) -> None:
    paths = write_photos(tmp_path / "photos", 6)
    recipe = preprocessing(key, layout)
    for _ in range(2):
        found = PhotoLibrary("photos", paths, recipe, "x", 6, tmp_path / "cache")
        found.load(np.arange(6))
        for n, path in enumerate(paths):
            right = plain_steps(key, layout, cv2.imread(str(path)))
            assert found.inputs(np.array([n]))["x"].tobytes() == right.tobytes()


def test_kept_samples_are_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = write_photos(tmp_path / "photos", 5)
    library(paths, tmp_path / "cache").load(np.arange(4))
    made: list[Path] = []

    def counted(path: Path) -> np.ndarray:
        made.append(path)
        return read_image(path)

    monkeypatch.setattr(library_module, "read_image", counted)
    again = library(paths, tmp_path / "cache")
    again.load(np.arange(5))
    assert made == [paths[4]]
    os.utime(paths[2], ns=(5, 5))
    cv2.imwrite(str(paths[3]), np.zeros((40, 40, 3), np.uint8))
    again.load(np.arange(5))
    assert sorted(made[1:]) == [paths[2], paths[3]]
    assert (again.inputs(np.array([3]))["image"] == 0).all()
    assert (again.inputs(np.arange(5))["image"] == wanted(paths)).all()


def test_prepare_fills_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = write_photos(tmp_path / "photos", 9)
    told: list[tuple[int, int]] = []
    tell = lambda *done: told.append(done)  # noqa: E731
    library(paths[:3], tmp_path / "cache").prepare()
    monkeypatch.setattr(library_module, "_CHUNK", 4)
    library(paths, tmp_path / "cache", progress=tell, workers=2).prepare()
    assert told == [(n, 9) for n in range(3, 10)]
    monkeypatch.setattr(library_module, "read_image", None)
    found = library(paths, tmp_path / "cache", progress=tell)
    found.load(np.arange(9))
    assert told[-1] == (9, 9)
    assert (found.inputs(np.arange(9))["image"] == wanted(paths)).all()
    with pytest.raises(WorkloadError, match="no cache to prepare"):
        library(paths).prepare()


def test_progress_counts_up_to_the_distinct_samples(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    found = library(write_photos(tmp_path, 5), progress=lambda *done: told.append(done))
    found.load(np.array([3, 3, 0, 4]))
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("cached", [False, True])
def test_a_missing_or_damaged_file_is_named(tmp_path: Path, cached: bool) -> None:
    paths = write_photos(tmp_path / "photos", 4)
    paths[2].write_bytes(paths[2].read_bytes()[:20_000])
    paths[3].unlink()
    found = library(paths, tmp_path / "cache" if cached else None)
    with pytest.raises(WorkloadError, match=r"photo_002\.jpg: the JPEG ends before"):
        found.load(np.array([0, 2]))
    with pytest.raises(WorkloadError, match=r"photo_003\.jpg: can't be read"):
        found.load(np.array([3]))
    with pytest.raises(WorkloadError, match="isn't loaded"):
        found.inputs(np.array([0]))
    found.load(np.array([0, 1]))


def test_bounds(tmp_path: Path) -> None:
    found = library(write_photos(tmp_path, 3))
    for indices in ([3], [-1, 0]):
        with pytest.raises(WorkloadError, match=r"has samples 0 … 2"):
            found.load(np.array(indices))
    found.memory_limit_bytes = 2 * ROW_BYTES
    found.load(np.array([0, 1]))
    with pytest.raises(WorkloadError, match="lower the performance sample count"):
        found.load(np.arange(3))


def test_without_room_on_the_disk_it_goes_on_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = write_photos(tmp_path / "photos", 3)
    monkeypatch.setattr("inferometer.workloads.images.cache.RESERVE_BYTES", 1 << 60)
    found = library(paths, tmp_path / "cache")
    with pytest.warns(RuntimeWarning, match="the disk has .* GB left"):
        found.load(np.arange(3))
    assert (found.inputs(np.arange(3))["image"] == wanted(paths)).all()
    found.load(np.arange(3))
    assert "GB left" in found.trouble
    with pytest.raises(WorkloadError, match="GB left"):
        found.prepare()


def test_a_cache_folder_that_is_none_is_a_warning(tmp_path: Path) -> None:
    paths = write_photos(tmp_path / "photos", 2)
    with pytest.warns(RuntimeWarning, match="can't keep samples"):
        found = library(paths, paths[0])
    found.load(np.arange(2))
    assert (found.inputs(np.arange(2))["image"] == wanted(paths)).all()


FULL = """
import resource, sys, warnings
from pathlib import Path
from tests.workloads.images.test_library import *
paths = sorted(Path(sys.argv[1]).glob("*.jpg"))
# The system then refuses to let a file grow further, as it does on a full disk.
resource.setrlimit(resource.RLIMIT_FSIZE, (int(2.5 * ROW_BYTES), resource.RLIM_INFINITY))
warnings.simplefilter("always")
found = library(paths, Path(sys.argv[2]))
found.load(np.arange(len(paths)))
assert (found.inputs(np.arange(len(paths)))["image"] == wanted(paths)).all()
assert "can't keep samples (File too large); free some" in found.trouble, found.trouble
try:
    library(paths, Path(sys.argv[2])).prepare()
except WorkloadError as error:
    assert "File too large" in str(error)
else:
    raise SystemExit("the cache can't be full")
"""


def test_a_disk_that_fills_up_in_between(tmp_path: Path) -> None:
    paths = write_photos(tmp_path / "photos", 6)
    arguments = [str(tmp_path / "photos"), str(tmp_path / "cache")]
    done = subprocess.run(
        [sys.executable, "-c", FULL, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "RuntimeWarning" in done.stderr
    found = library(paths, tmp_path / "cache")
    found.load(np.arange(6))
    assert (found.inputs(np.arange(6))["image"] == wanted(paths)).all()


BOTH = """
import sys
from pathlib import Path
from tests.workloads.images.test_library import *
library_module._CHUNK = 3
paths = sorted(Path(sys.argv[1]).glob("*.jpg"))
print("ready", flush=True)
sys.stdin.readline()
found = library(paths, Path(sys.argv[2]))
found.load(np.arange(len(paths)))
assert (found.inputs(np.arange(len(paths)))["image"] == wanted(paths)).all()
"""


def test_two_processes_fill_one_cache(tmp_path: Path) -> None:
    paths = write_photos(tmp_path / "photos", 24)
    command = [sys.executable, "-c", BOTH, str(tmp_path / "photos"), str(tmp_path / "cache")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    both = [subprocess.Popen(command, cwd=ROOT, **pipes) for _ in range(2)]  # type: ignore[call-overload]
    for process in both:
        assert process.stdout.readline() == "ready\n"
    for process in both:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in both:
        process.communicate(timeout=60)
        assert process.returncode == 0
    (folder,) = (tmp_path / "cache" / "photos").iterdir()
    assert (folder / "rows.bin").stat().st_size == 24 * ROW_BYTES, "no photo was kept twice"
    found = library(paths, tmp_path / "cache")
    found.load(np.arange(24))
    assert (found.inputs(np.arange(24))["image"] == wanted(paths)).all()
