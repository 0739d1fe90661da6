"""Trees that somebody else made: nothing in them is followed, opened or believed by mistake."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.submission import Tree, TreeError
from inferometer.submission.tree import shown


def _link_out(root: Path) -> None:
    (root / "closed").symlink_to("/etc")


def _link_to_itself(root: Path) -> None:
    (root / "loop").symlink_to("loop")


def _link_upwards(root: Path) -> None:
    (root / "closed").mkdir()
    (root / "closed" / "up").symlink_to("..")


def _pipe(root: Path) -> None:
    os.mkfifo(root / "mlperf_log_summary.txt")


def _device(root: Path) -> None:
    try:
        os.mknod(root / "zero", 0o600 | 0o020000, os.makedev(1, 5))
    except OSError:
        pytest.skip("devices can't be made here")


def _control_characters(root: Path) -> None:
    (root / "a\x1b[31m\nb").mkdir()


def _undecodable(root: Path) -> None:
    os.mkdir(os.fsencode(root) + b"/\xff\xfe")


def _right_to_left(root: Path) -> None:
    (root / "evil\u202etxt.exe").write_text("x")


def _too_deep(root: Path) -> None:
    folder = root
    for _ in range(40):
        folder = folder / "d"
    folder.mkdir(parents=True)


_HOSTILE = [
    _link_out,
    _link_to_itself,
    _link_upwards,
    _pipe,
    _device,
    _control_characters,
    _undecodable,
    _right_to_left,
    _too_deep,
]


@pytest.mark.parametrize("make", _HOSTILE)
def test_what_is_no_plain_file_is_left_alone_and_told(
    make: Callable[[Path], None], tmp_path: Path
) -> None:
    make(tmp_path)
    tree = Tree(tmp_path)
    assert tree.problems
    for problem in tree.problems:
        assert problem.where.isprintable()
        assert problem.why.isprintable()


def test_links_lead_nowhere(tmp_path: Path) -> None:
    _link_out(tmp_path)
    tree = Tree(tmp_path)
    assert not tree.folders()
    assert not tree.has_file("closed", "passwd")
    with pytest.raises(TreeError, match="no such file"):
        tree.text("closed", "passwd")


def test_a_path_with_dots_is_no_path_of_the_tree(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir()
    tree = Tree(tmp_path / "closed" / "..")
    for parts in (("..", "passwd"), ("closed", "..", "closed"), ("/etc/passwd",)):
        assert not tree.has_file(*parts)
        with pytest.raises(TreeError):
            tree.path(*parts)


def test_a_file_that_became_a_link_meanwhile_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "summary.txt"
    file.write_text("text")
    tree = Tree(tmp_path)
    file.unlink()
    file.symlink_to("/etc/passwd")
    with pytest.raises(TreeError, match=r"summary\.txt"):
        tree.text("summary.txt")


def test_a_file_that_became_a_pipe_meanwhile_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "summary.txt"
    file.write_text("text")
    tree = Tree(tmp_path)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(TreeError, match="plain file"):
        tree.text("summary.txt")


def test_an_empty_folder_and_a_file_are_no_trees(tmp_path: Path) -> None:
    with pytest.raises(TreeError, match="empty"):
        Tree(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(TreeError, match="closed"):
        Tree(tmp_path / "file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_a_folder_that_may_not_be_opened_is_told(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    assert Tree(tmp_path).problems[0].where == "closed"


_BAD_JSON = {
    "truncated": '{"a": "b',
    "empty": "",
    "twice": '{"a": 1, "a": 2}',
    "nan": '{"a": NaN}',
    "infinity": '{"a": -Infinity}',
    "huge number": '{"a": ' + "9" * 5000 + "}",
    "deep": "[" * 100_000,
    "deep in text": '["' + "[" * 100 + '"]',
    "trailing": "{} {}",
}


@pytest.mark.parametrize("text", _BAD_JSON.values(), ids=_BAD_JSON)
def test_broken_json_names_the_file(text: str, tmp_path: Path) -> None:
    (tmp_path / "system.json").write_text(text)
    with pytest.raises(TreeError, match=r"system\.json"):
        Tree(tmp_path).json("system.json")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1"])
def test_other_encodings_are_no_json(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "system.json").write_bytes('{"a": "é"}'.encode(encoding))
    with pytest.raises(TreeError, match=r"system\.json"):
        Tree(tmp_path).json("system.json")


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "system.json").write_bytes(b'\xef\xbb\xbf{"a": [[1]]}')
    assert Tree(tmp_path).json("system.json") == {"a": [[1]]}


def test_large_json_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "system.json").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(TreeError, match="larger than 1 MiB"):
        Tree(tmp_path).json("system.json")


@given(content=st.binary(max_size=200))
def test_any_bytes_are_json_or_an_error(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("tree")
    (folder / "system.json").write_bytes(content)
    told = ""
    try:
        Tree(folder).json("system.json")
    except TreeError as error:
        told = str(error)
    assert told.isprintable()


@given(st.text())
def test_shown_text_is_harmless_and_short(text: str) -> None:
    assert shown(text).isprintable()
    assert len(shown(text)) <= 201


def test_a_tree_travels_to_other_processes(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.txt").write_text("text")
    tree: Tree = pickle.loads(pickle.dumps(Tree(tmp_path)))
    assert tree.files("a") == ["b.txt"]
    assert tree.size_bytes("a", "b.txt") == 4
    assert not tree.has_file()
