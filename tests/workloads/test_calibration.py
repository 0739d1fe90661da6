"""Calibration lists: the published formats, which list it is, and what rules say."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from inferometer.workloads import calibration
from inferometer.workloads.calibration import (
    OFFICIAL_LISTS,
    OfficialList,
    check_choice,
    outside,
    read_calibration_list,
)
from inferometer.workloads.protocol import WorkloadError

NAMES = [f"ILSVRC2012_val_{n:08d}.JPEG" for n in (31333, 4655, 40098)]


def written(folder: Path, content: str, name: str = "list.txt") -> Path:
    path = folder / name
    path.write_bytes(content.encode())
    return path


def known_as(monkeypatch: pytest.MonkeyPatch, *lists: tuple[str, str, Path]) -> None:
    """Have files be the published lists of a name and a data set."""
    official = tuple(
        OfficialList(name, data_set, hashlib.md5(path.read_bytes()).hexdigest(), None)
        for name, data_set, path in lists
    )
    monkeypatch.setattr(calibration, "OFFICIAL_LISTS", official)


def test_names_alone_and_with_classes(tmp_path: Path) -> None:
    plain = read_calibration_list(written(tmp_path, "".join(f"{name}\n" for name in NAMES)))
    assert plain.names == tuple(NAMES)
    assert plain.labels == ()
    content = "".join(f"{name} {n}\n" for n, name in enumerate(NAMES))
    labelled = read_calibration_list(written(tmp_path, content))
    assert (labelled.names, labelled.labels) == (tuple(NAMES), (0, 1, 2))
    assert labelled.official is None
    assert labelled.description == "list.txt: 3 samples, no official list"
    joined = "".join(f"{name}\n" for name in NAMES).encode()
    assert plain.names_sha256 == labelled.names_sha256 == hashlib.sha256(joined).hexdigest()
    assert labelled.md5 == hashlib.md5(content.encode()).hexdigest()


def test_sentences_are_taken_as_they_are(tmp_path: Path) -> None:
    lines = ["One sentence .", "One sentence .", "", "A sign\u2028in@@ between"]
    path = written(tmp_path, "\n".join(lines) + "\n")
    assert read_calibration_list(path, sentences=True).names == tuple(lines)
    with pytest.raises(WorkloadError, match=r"line 1: 'One sentence \.' is no file name"):
        read_calibration_list(path)


def test_published_lists_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = written(tmp_path, f"{NAMES[0]}\n", "one.txt")
    two = written(tmp_path, f"{NAMES[1]} 4\n", "two.txt")
    text = written(tmp_path, "Some words .\nMore words .\n", "text.en")
    known_as(
        monkeypatch,
        ("option 1", "imagenet", one),
        ("option 2", "imagenet", two),
        ("sentences", "wmt16", text),
    )
    first, second, third = map(read_calibration_list, (one, two, text))
    assert first.description == "one.txt: 1 samples, the official list option 1"
    assert third.names == ("Some words .", "More words .")
    check_choice([first, first, third])
    with pytest.raises(WorkloadError, match="option 1 and option 2; the rules allow at most one"):
        check_choice([first, third, second])
    other = read_calibration_list(written(tmp_path, f"{NAMES[2]}\n"))
    check_choice([first, other])
    assert outside([NAMES[0], NAMES[2]], first) == [NAMES[2]]
    assert outside([], first) == []


def test_what_is_on_record() -> None:
    found = {one.name: (one.data_set, one.md5[:8], one.entries) for one in OFFICIAL_LISTS}
    assert found == {
        "ImageNet option 1": ("imagenet", "f0971917", 500),
        "ImageNet option 2": ("imagenet", "e44582af", 500),
        "COCO": ("coco-2017", "ba416be8", 500),
        "translation, plain text": ("wmt16", "04e1ed76", None),
        "translation, sub-words": ("wmt16", "744afe12", None),
    }


def test_names_become_files(tmp_path: Path) -> None:
    listed = read_calibration_list(written(tmp_path, "a.jpg\nb.jpg\n"))
    for name in ("one/a.jpg", "two/a.jpg", "two/b.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    one, two = tmp_path / "one", tmp_path / "two"
    assert listed.resolve(one, two) == [one / "a.jpg", two / "b.jpg"]
    with pytest.raises(WorkloadError, match=r"1 of its 2 files are not in .*one: b\.jpg; give"):
        listed.resolve(one)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the list is empty"),
        ("\n\n", "the list is empty"),
        ("a.jpg\nb.jpg 3\n", "line 2: 'b.jpg 3' is no file name"),
        ("a.jpg 1\nb.jpg\n", "line 2: 'b.jpg' is no file name"),
        ("a.jpg x\n", "line 1: 'a.jpg x' is no file name"),
        ("a.jpg\nb.jpg\na.jpg\n", "line 3: a.jpg is on the list twice"),
    ],
)
def test_lists_that_make_no_sense(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(WorkloadError, match=message):
        read_calibration_list(written(tmp_path, content))


def test_files_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(b"\xff\xff")
    for name in ("list.txt", "none.txt"):
        with pytest.raises(WorkloadError, match="can't be read as a calibration list"):
            read_calibration_list(tmp_path / name)
