"""The cache of samples: what is kept, what makes it void, and what killing does to it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inferometer.workloads.images import cache as cache_module
from inferometer.workloads.images import preprocess as preprocess_module
from inferometer.workloads.images.cache import CacheError, SampleCache, Stamp, row_checksum
from inferometer.workloads.images.custom import custom_preprocessing
from tests.support import ROOT

pytest.importorskip("cv2")

RECIPE = custom_preprocessing((5, 7), dtype="uint8")
ROW_BYTES = 105


def row(n: int) -> np.ndarray:
    return np.random.default_rng(n).integers(0, 256, RECIPE.sample_shape, np.uint8)


def files(folder: Path, count: int) -> list[Path]:
    folder.mkdir(exist_ok=True)
    for n in range(count):
        (folder / f"{n}.jpg").write_text(f"file {n}")
    return [folder / f"{n}.jpg" for n in range(count)]


def filled(root: Path, paths: list[Path]) -> SampleCache:
    cache = SampleCache(root, "photos", RECIPE)
    with cache.writing(len(paths)):
        for n, path in enumerate(paths):
            cache.write(Stamp.of(path), row(n))
    return cache


def good_rows(cache: SampleCache, paths: list[Path]) -> list[int]:
    """Give which rows are read as good; none of them may be anything else."""
    out = np.empty(RECIPE.sample_shape, np.uint8)
    good = [n for n, path in enumerate(paths) if cache.read(Stamp.of(path), out)]
    for n in good:
        assert cache.read(Stamp.of(paths[n]), out)
        assert (out == row(n)).all()
    return good


def test_rows_are_kept(tmp_path: Path) -> None:
    paths = files(tmp_path / "data", 6)
    cache = filled(tmp_path, paths)
    assert good_rows(cache, paths) == [*range(6)]
    again = SampleCache(tmp_path, "photos", RECIPE)
    assert again.folder == cache.folder
    assert good_rows(again, paths) == [*range(6)]
    assert again.holds(Stamp.of(paths[0]))
    rows = np.fromfile(cache.folder / "rows.bin", np.uint8).reshape(-1, *RECIPE.sample_shape)
    assert (rows[3] == row(3)).all(), "the file of rows is a plain array"


def test_a_changed_file_makes_its_row_void_and_takes_its_place(tmp_path: Path) -> None:
    paths = files(tmp_path / "data", 4)
    cache = filled(tmp_path, paths)
    os.utime(paths[0], ns=(1, 1))
    paths[1].write_text("other length")
    kept = paths[2].stat()
    paths[2].write_text("FILE 2")
    os.utime(paths[2], ns=(kept.st_atime_ns, kept.st_mtime_ns))
    assert good_rows(cache, paths) == [3]
    assert not cache.holds(Stamp.of(paths[1]))
    with cache.writing(3):
        for n in range(3):
            cache.write(Stamp.of(paths[n]), row(n))
    assert good_rows(SampleCache(tmp_path, "photos", RECIPE), paths) == [*range(4)]
    assert (cache.folder / "rows.bin").stat().st_size == 4 * ROW_BYTES


def test_a_list_in_another_order_finds_its_rows(tmp_path: Path) -> None:
    paths = files(tmp_path / "data", 4)
    filled(tmp_path, paths)
    out = np.empty(RECIPE.sample_shape, np.uint8)
    again = SampleCache(tmp_path, "photos", RECIPE)
    assert again.read(Stamp.of(paths[3]), out)
    assert (out == row(3)).all()
    moved = Path(shutil.copytree(tmp_path / "data", tmp_path / "copy")) / "3.jpg"
    assert not again.read(Stamp.of(moved), out), "another path is another file"


@pytest.mark.parametrize(
    "other",
    [
        replace(RECIPE, interpolation="area"),
        replace(RECIPE, key="other"),
        RECIPE.with_layout("NHWC"),
    ],
)
def test_another_recipe_is_another_cache(tmp_path: Path, other: object) -> None:
    paths = files(tmp_path / "data", 2)
    filled(tmp_path, paths)
    assert good_rows(SampleCache(tmp_path, "photos", other), paths) == []  # type: ignore[arg-type]
    assert good_rows(SampleCache(tmp_path, "more photos", RECIPE), paths) == []


def test_another_version_begins_anew_and_removes_the_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = files(tmp_path / "data", 2)
    old = filled(tmp_path, paths)
    bystander = SampleCache(tmp_path, "photos", RECIPE.with_layout("NHWC"))
    monkeypatch.setattr(preprocess_module, "CODE_VERSION", 2)
    new = SampleCache(tmp_path, "photos", RECIPE)
    assert good_rows(new, paths) == []
    assert not old.folder.exists()
    assert bystander.folder.exists()
    with old.writing(2):
        old.write(Stamp.of(paths[0]), row(0))
    assert good_rows(new, paths) == [], "who still has the old one open does no harm"


@pytest.mark.parametrize("left_bytes", [0, 1, 104, 105, 250, 419])
def test_rows_cut_short_are_not_good(tmp_path: Path, left_bytes: int) -> None:
    paths = files(tmp_path / "data", 4)
    cache = filled(tmp_path, paths)
    os.truncate(cache.folder / "rows.bin", left_bytes)
    assert good_rows(cache, paths) == [*range(left_bytes // ROW_BYTES)]
    again = filled(tmp_path, paths)
    assert good_rows(again, paths) == [*range(4)]


@pytest.mark.parametrize("left_bytes", [0, 1, 47, 48, 100, 191])
def test_an_index_cut_short_forgets_the_rest(tmp_path: Path, left_bytes: int) -> None:
    paths = files(tmp_path / "data", 4)
    cache = filled(tmp_path, paths)
    os.truncate(cache.folder / "index.bin", left_bytes)
    again = SampleCache(tmp_path, "photos", RECIPE)
    assert good_rows(again, paths) == [*range(left_bytes // 48)]
    assert good_rows(filled(tmp_path, paths), paths) == [*range(4)]
    assert (cache.folder / "rows.bin").stat().st_size == 4 * ROW_BYTES


@pytest.mark.parametrize("name", ["rows.bin", "index.bin"])
def test_no_damaged_byte_gives_a_wrong_row(tmp_path: Path, name: str) -> None:
    paths = files(tmp_path / "data", 2)
    cache = filled(tmp_path, paths)
    content = (cache.folder / name).read_bytes()
    for at in range(len(content)):
        changed = bytearray(content)
        changed[at] ^= 0x41
        (cache.folder / name).write_bytes(changed)
        assert len(good_rows(SampleCache(tmp_path, "photos", RECIPE), paths)) == 1
    zeros = bytes(len(content))
    (cache.folder / name).write_bytes(zeros)
    assert good_rows(SampleCache(tmp_path, "photos", RECIPE), paths) == []


def test_a_row_without_entry_is_written_over(tmp_path: Path) -> None:
    paths = files(tmp_path / "data", 3)
    cache = filled(tmp_path, paths[:1])
    with (cache.folder / "rows.bin").open("ab") as rows:
        rows.write(b"x" * 50)
    again = SampleCache(tmp_path, "photos", RECIPE)
    assert good_rows(again, paths) == [0]
    assert good_rows(filled(tmp_path, paths), paths) == [0, 1, 2]


def test_what_another_instance_wrote_is_seen_when_writing(tmp_path: Path) -> None:
    paths = files(tmp_path / "data", 3)
    one = SampleCache(tmp_path, "photos", RECIPE)
    other = SampleCache(tmp_path, "photos", RECIPE)
    with one.writing(1):
        one.write(Stamp.of(paths[0]), row(0))
    assert good_rows(other, paths) == []
    with other.writing(1):
        assert good_rows(other, paths) == [0]
        other.write(Stamp.of(paths[1]), row(1))
    with one.writing(1):
        one.write(Stamp.of(paths[2]), row(2))
    assert good_rows(one, paths) == [0, 1, 2]
    assert (one.folder / "rows.bin").stat().st_size == 3 * ROW_BYTES


def test_writing_needs_the_lock(tmp_path: Path) -> None:
    paths = files(tmp_path / "data", 1)
    cache = SampleCache(tmp_path, "photos", RECIPE)
    with pytest.raises(RuntimeError, match=r"inside SampleCache\.writing"):
        cache.write(Stamp.of(paths[0]), row(0))


def test_the_reserve_stays_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = SampleCache(tmp_path, "photos", RECIPE)
    monkeypatch.setattr(cache_module, "RESERVE_BYTES", 1 << 60)
    with pytest.raises(CacheError, match=r"the disk has .* GB left"), cache.writing(1):
        pytest.fail("there is no room")


def test_a_folder_that_is_none_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheError, match="INFEROMETER_HOME"):
        SampleCache(tmp_path / "file", "photos", RECIPE)


def test_names_are_made_safe(tmp_path: Path) -> None:
    cache = SampleCache(tmp_path, "../../my photos/ä", replace(RECIPE, key="a/b"))
    assert cache.folder.parent.parent == tmp_path
    assert cache.folder.name.startswith("a-b-NCHW-")


def test_the_checksum_takes_every_byte() -> None:
    values = np.arange(21, dtype=np.uint8)
    for n in range(21):
        changed = values.copy()
        changed[n] ^= 0x80
        assert row_checksum(changed) != row_checksum(values)


KILLED = """
import os, sys, threading
from pathlib import Path
from tests.workloads.images.test_cache import RECIPE, SampleCache, Stamp, row
root, count = Path(sys.argv[1]), int(sys.argv[2])
cache = SampleCache(root, "photos", RECIPE)
with cache.writing(count):
    for n in range(count):
        cache.write(Stamp.of(root / "data" / f"{n}.jpg"), row(n))
    os.kill(os.getpid(), 9)
"""


def test_a_killed_process_leaves_good_rows_and_no_lock(tmp_path: Path) -> None:
    paths = files(tmp_path / "data", 5)
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), "3"], cwd=ROOT, check=False)
    assert done.returncode == -9
    assert good_rows(SampleCache(tmp_path, "photos", RECIPE), paths) == [0, 1, 2]
    assert good_rows(filled(tmp_path, paths), paths) == [*range(5)]
