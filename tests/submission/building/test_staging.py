"""Trees change in one step: extended, replaced where allowed, or left as they were."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from inferometer.submission.building import (
    RefusedError,
    SubmissionError,
    build_submission,
    writer,
)
from inferometer.submission.building.staging import Stage, staged
from inferometer.submission.tree import TreeError
from tests.submission.building.sessions import DESCRIPTION, files_below, request_for


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in files_below(folder)}


def test_a_tree_is_extended(pocket_v05: Path, whole_v05: Path, tmp_path: Path) -> None:
    first = build_submission(request_for(tmp_path, pocket_v05, demo=True, system_id="sysD"))
    (first.tree / "open/ACME/NOTES.md").write_text("mine")
    before = contents(first.tree)
    second = build_submission(request_for(tmp_path, whole_v05))
    after = contents(second.tree)
    assert second.tree == first.tree
    assert {name: after[name] for name in before} == before
    assert "open/ACME/results/sysA/mobilenet/Offline/accuracy/accuracy.txt" in after
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_what_is_there_is_refused_unless_replaced(whole: Path, tmp_path: Path) -> None:
    build_submission(request_for(tmp_path, whole))
    with pytest.raises(RefusedError, match=r"submit\.result-exists"):
        build_submission(request_for(tmp_path, whole))
    place = tmp_path / "tree/open/ACME/results/sysA/mobilenet/Offline"
    (place / "left-over.txt").write_text("old")
    kept = place / "accuracy/accuracy.txt"
    linked = tmp_path / "linked.txt"
    linked.hardlink_to(kept)
    build_submission(request_for(tmp_path, whole, replace=True, implementation="other"))
    assert not (place / "left-over.txt").exists()
    assert linked.read_text() == kept.read_text()
    folder = tmp_path / "tree/open/ACME/measurements/sysA/mobilenet/Offline"
    assert [path.name for path in folder.glob("*.json")] == ["sysA_other_Offline.json"]


def test_another_description_of_the_same_system(
    whole: Path, pocket_v05: Path, tmp_path: Path
) -> None:
    build_submission(request_for(tmp_path, whole))
    other = {**DESCRIPTION, "cooling": "water"}
    with pytest.raises(RefusedError, match="has another cooling"):
        build_submission(request_for(tmp_path, pocket_v05, description=other, demo=True))


def test_a_failure_leaves_the_tree_as_it_was(
    whole: Path, pocket_v05: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = request_for(tmp_path, whole)
    build_submission(request)
    before = contents(request.tree)

    def fail(*_: Any) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer, "write_accuracy", fail)
    with pytest.raises(OSError, match="No space left"):
        build_submission(request_for(tmp_path, whole, replace=True))
    assert contents(request.tree) == before
    with pytest.raises(OSError, match="No space left"):
        build_submission(request_for(tmp_path, whole, tree=tmp_path / "new"))
    assert not (tmp_path / "new").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_an_old_file_is_never_written_through(tmp_path: Path) -> None:
    place = tmp_path / "tree"
    place.mkdir()
    (place / "a.txt").write_text("old")
    outside = tmp_path / "outside.txt"
    outside.hardlink_to(place / "a.txt")
    with staged(place) as stage:
        stage.write("new", "a.txt")
    assert (place / "a.txt").read_text() == "new"
    assert outside.read_text() == "old"


def test_a_place_that_is_no_folder(whole: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("file", "link"):
        with pytest.raises(SubmissionError, match="not a folder; choose another --into"):
            build_submission(request_for(tmp_path, whole, tree=tmp_path / name))


def test_links_of_an_existing_tree_stay_links(whole: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "link").symlink_to("/nowhere")
    build_submission(request_for(tmp_path, whole))
    assert (tree / "link").is_symlink()


def test_code_is_copied(whole: Path, tmp_path: Path) -> None:
    code = tmp_path / "code"
    (code / "sub" / "__pycache__").mkdir(parents=True)
    (code / ".git").mkdir()
    (code / ".git/config").write_text("secret")
    (code / "sub/__pycache__/x.pyc").write_text("")
    (code / "main.py").write_text("print()")
    (code / "sub/more.py").write_text("")
    made = build_submission(request_for(tmp_path, whole, code=code))
    top = made.tree / "open/ACME/code/mobilenet/inferometer-onnxruntime"
    assert files_below(top) == ["main.py", "sub/more.py"]
    shutil.rmtree(made.tree / "open/ACME/results")
    build_submission(request_for(tmp_path, whole, code=code))
    shutil.rmtree(made.tree / "open/ACME/results")
    (code / "main.py").write_text("print(1)")
    with pytest.raises(SubmissionError, match="holds other code"):
        build_submission(request_for(tmp_path, whole, code=code))
    assert (top / "main.py").read_text() == "print()"
    build_submission(request_for(tmp_path, whole, code=code, replace=True))
    assert (top / "main.py").read_text() == "print(1)"


def test_code_that_is_not_taken(whole: Path, tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    with pytest.raises(TreeError, match="is empty"):
        build_submission(request_for(tmp_path, whole, code=code))
    (code / "passwd").symlink_to("/etc/passwd")
    with pytest.raises(SubmissionError, match="a link"):
        build_submission(request_for(tmp_path, whole, code=code))
    assert not (tmp_path / "tree").exists()


def test_a_damaged_mapping_is_named(pocket_v61: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "tree/open/ACME/model_mapping.json"
    mapping.parent.mkdir(parents=True)
    mapping.write_text("[")
    request = request_for(tmp_path, pocket_v61, round_name="v6.1", demo=True)
    with pytest.raises(SubmissionError, match=r"model_mapping\.json in the tree is damaged"):
        build_submission(request)
    mapping.write_text('{"mine": "bert-99"}')
    build_submission(request)
    assert json.loads(mapping.read_text()) == {"mine": "bert-99", "pocket-mobilenet": "resnet"}


def test_stage_removes_files_and_links(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.write("", "a", "b.txt")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    stage.remove("link")
    stage.remove("nothing")
    assert stage.has("a", "b.txt")
    stage.remove("a")
    assert not stage.has("a")
