"""ImageNet: the published layout, read in its order, and what is wrong with it named."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from inferometer.workloads.classification.imagenet import read_imagenet
from inferometer.workloads.protocol import WorkloadError


def layout(root: Path, lines: list[str], missing: tuple[int, ...] = ()) -> Path:
    for n, line in enumerate(lines):
        path = root / line.split()[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        if n not in missing:
            path.write_text("")
    (root / "val_map.txt").write_text("".join(f"{line}\n" for line in lines))
    return root


LINES = [
    f"{'val/' if n % 2 else ''}ILSVRC2012_val_{n:08d}.JPEG {(n * 37) % 1000}" for n in range(9)
]


def test_the_list_gives_order_and_labels(tmp_path: Path) -> None:
    found = read_imagenet(layout(tmp_path, LINES))
    assert [str(path.relative_to(tmp_path)) for path in found.paths] == [
        line.split()[0] for line in LINES
    ]
    assert found.labels.tolist() == [(n * 37) % 1000 for n in range(9)]
    content = (tmp_path / "val_map.txt").read_bytes()
    assert found.list_sha256 == hashlib.sha256(content).hexdigest()
    assert found.total == 9


def test_white_space_is_as_the_published_scripts_take_it(tmp_path: Path) -> None:
    layout(tmp_path, ["a.JPEG 1", "b.JPEG 2"])
    (tmp_path / "val_map.txt").write_text("a.JPEG\t1\n\n  b.JPEG   2  \r\n")
    found = read_imagenet(tmp_path)
    assert [path.name for path in found.paths] == ["a.JPEG", "b.JPEG"]
    assert found.labels.tolist() == [1, 2]


def test_count_takes_the_first(tmp_path: Path) -> None:
    layout(tmp_path, LINES, missing=(5,))
    found = read_imagenet(tmp_path, 5)
    assert (len(found.paths), found.labels.tolist(), found.total) == (5, [0, 37, 74, 111, 148], 9)
    for count in (0, 10):
        with pytest.raises(WorkloadError, match=f"lists 9 images, and {count} were asked for"):
            read_imagenet(tmp_path, count)


def test_missing_files_are_counted_and_named(tmp_path: Path) -> None:
    layout(tmp_path, LINES, missing=(1, 2, 3, 4, 6, 7))
    with pytest.raises(WorkloadError, match=r"6 of the 9 .*_00000001.JPEG, .*_00000006.JPEG, …;"):
        read_imagenet(tmp_path)


@pytest.mark.parametrize("line", ["name.JPEG", "name.JPEG 1000", "name.JPEG -1", "name.JPEG cat"])
def test_lines_that_are_none_are_named(tmp_path: Path, line: str) -> None:
    layout(tmp_path, ["a.JPEG 1", line])
    with pytest.raises(WorkloadError, match=r"val_map\.txt, line 2: "):
        read_imagenet(tmp_path)


def test_no_list_or_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match="there is no such list"):
        read_imagenet(tmp_path)
    (tmp_path / "val_map.txt").write_text("\n")
    with pytest.raises(WorkloadError, match="the list is empty"):
        read_imagenet(tmp_path)
    (tmp_path / "val_map.txt").write_bytes(b"\xff\xfe 1")
    with pytest.raises(WorkloadError, match="can't be read as a list"):
        read_imagenet(tmp_path)
