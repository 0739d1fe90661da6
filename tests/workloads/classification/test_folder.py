"""Photos of one's own: folders of classes, and lists with labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from inferometer.workloads.classification.folder import read_class_folders, read_list
from inferometer.workloads.protocol import WorkloadError


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def test_a_folder_is_a_class(tmp_path: Path) -> None:
    touch(tmp_path, "dog/b.JPG", "dog/a.png", "cat/deep/c.jpeg", "cat/notes.txt", "dog/.x.jpg")
    touch(tmp_path, ".git/d.jpg", "readme.jpg")
    paths, labels, names = read_class_folders(tmp_path)
    assert [str(path.relative_to(tmp_path)) for path in paths] == [
        "cat/deep/c.jpeg",
        "dog/a.png",
        "dog/b.JPG",
    ]
    assert labels.tolist() == [0, 1, 1]
    assert names == ("cat", "dog")


def test_folders_that_are_not_classes(tmp_path: Path) -> None:
    touch(tmp_path, "photo.jpg")
    with pytest.raises(WorkloadError, match="there is no folder in it"):
        read_class_folders(tmp_path)
    touch(tmp_path, "cat/notes.txt")
    with pytest.raises(WorkloadError, match=r"cat: the class has no photos"):
        read_class_folders(tmp_path)
    with pytest.raises(WorkloadError, match="can't be read"):
        read_class_folders(tmp_path / "none")


@pytest.mark.parametrize(
    ("content", "class_names", "labels", "names"),
    [
        ("a.jpg 2\nb c.jpg 0\n", (), [2, 0], ("0", "1", "2")),
        ("a.jpg 02\nb c.jpg 0\n", ("x", "y", "z"), [2, 0], ("x", "y", "z")),
        ("a.jpg dog\n\nb c.jpg cat\n", (), [1, 0], ("cat", "dog")),
        ("a.jpg dog\nb c.jpg cat\n", ("dog", "cow", "cat"), [0, 2], ("dog", "cow", "cat")),
        ("a.jpg 7\nb c.jpg 3\n", ("3", "7"), [1, 0], ("3", "7")),
    ],
)
def test_lists(
    tmp_path: Path,
    content: str,
    class_names: tuple[str, ...],
    labels: list[int],
    names: tuple[str, ...],
) -> None:
    touch(tmp_path, "a.jpg", "b c.jpg")
    (tmp_path / "list.txt").write_text(content)
    paths, found, classes = read_list(tmp_path / "list.txt", class_names=class_names)
    assert [path.name for path in paths] == ["a.jpg", "b c.jpg"]
    assert (found.tolist(), classes) == (labels, names)


def test_lists_may_lie_elsewhere(tmp_path: Path) -> None:
    touch(tmp_path / "photos", "a.jpg")
    (tmp_path / "list.txt").write_text("a.jpg 0\n")
    with pytest.raises(
        WorkloadError, match=r"1 of the 1 files that it lists are missing: .*a\.jpg"
    ):
        read_list(tmp_path / "list.txt")
    paths, _, _ = read_list(tmp_path / "list.txt", tmp_path / "photos")
    assert paths == [tmp_path / "photos/a.jpg"]


@pytest.mark.parametrize(
    ("content", "class_names", "message"),
    [
        ("a.jpg 0\na.jpg\n", (), "line 2: 'a.jpg' is no path with a label"),
        ("a.jpg 0\na.jpg 2\n", ("x", "y"), "line 2: there is no class '2'; there are 2, counted"),
        ("a.jpg dog\na.jpg cot\n", ("dog", "cat"), "line 2: .* 'cot'; did you mean 'cat'"),
        ("", (), "the list is empty"),
    ],
)
def test_lists_that_make_no_sense(
    tmp_path: Path, content: str, class_names: tuple[str, ...], message: str
) -> None:
    touch(tmp_path, "a.jpg")
    (tmp_path / "list.txt").write_text(content)
    with pytest.raises(WorkloadError, match=message):
        read_list(tmp_path / "list.txt", class_names=class_names)
