"""Checksums of data sets: lists as sha256sum writes them, and files that differ."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from inferometer.workloads.images.checksums import (
    data_set_sha256,
    file_sha256,
    read_checksums,
    verify,
)
from inferometer.workloads.protocol import WorkloadError


def files(folder: Path, count: int) -> list[Path]:
    for n in range(count):
        (folder / f"{n}.bin").write_bytes(bytes([n]) * n)
    return [folder / f"{n}.bin" for n in range(count)]


def test_a_data_set_is_its_files_in_their_order(tmp_path: Path) -> None:
    paths = files(tmp_path, 4)
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    assert [file_sha256(path) for path in paths] == digests
    whole = data_set_sha256(paths)
    assert whole == hashlib.sha256("".join(f"{one}\n" for one in digests).encode()).hexdigest()
    assert data_set_sha256(paths[::-1]) != whole
    paths[2].rename(tmp_path / "moved")
    assert data_set_sha256([*paths[:2], tmp_path / "moved", paths[3]]) == whole
    with pytest.raises(WorkloadError, match=r"2\.bin: can't be read"):
        data_set_sha256(paths)


def test_files_are_held_against_a_list(tmp_path: Path) -> None:
    paths = files(tmp_path, 7)
    lines = [f"{file_sha256(path)} {' *'[n % 2]}{path.name}\n" for n, path in enumerate(paths)]
    (tmp_path / "list").write_text("".join(lines))
    checksums = read_checksums(tmp_path / "list")
    assert list(checksums) == [path.name for path in paths]
    verify(tmp_path, checksums)
    paths[3].write_text("changed")
    with pytest.raises(WorkloadError, match=r"1 of 7 files are not the published ones: 3\.bin;"):
        verify(tmp_path, checksums)
    for path in paths:
        path.write_text("changed")
    with pytest.raises(WorkloadError, match=r"7 of 7 .*4\.bin, …;"):
        verify(tmp_path, checksums)


@pytest.mark.parametrize("line", ["x", "abc  name", f"{'g' * 64}  name", f"{'a' * 64}", "a" * 99])
def test_lines_that_are_no_checksum_are_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "list").write_text(f"{'a' * 64}  name\n{line}\n")
    with pytest.raises(WorkloadError, match=r"list, line 2: .* is no sha256 and path"):
        read_checksums(tmp_path / "list")
    with pytest.raises(WorkloadError, match="can't be read as a list of checksums"):
        read_checksums(tmp_path / "none")
