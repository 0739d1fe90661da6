"""Archives: named members come out, whole, and nothing leaves the folder."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from inferometer.workloads.catalogue.entry import Member
from inferometer.workloads.catalogue.unpacking import unpack
from inferometer.workloads.protocol import WorkloadError

FILES = {
    "./top/model.pb": b"model",
    "top/val/1.jpg": b"one",
    "top/val/2.jpg": b"two",
    "top/README": b"read",
}
KINDS = ["a.zip", "a.tar", "a.tar.gz", "a.tgz"]


def pack(path: Path, files: dict[str, bytes]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return path
    with tarfile.open(path, "w" if path.suffix == ".tar" else "w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_is_named_comes_out(kind: str, tmp_path: Path) -> None:
    archive = pack(tmp_path / kind, FILES)
    folder = tmp_path / "out"
    members = [Member(name="renamed.pb", member="model.pb"), Member(glob="top/val/*.jpg", count=2)]
    found = unpack(archive, folder, members)
    assert [path.relative_to(folder).as_posix() for path in found] == [
        "renamed.pb", "top/val/1.jpg", "top/val/2.jpg",
    ]  # fmt: skip
    assert sorted(path for path in folder.rglob("*") if path.is_file()) == sorted(found)
    assert (folder / "renamed.pb").read_bytes() == b"model"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["../evil.jpg", "/evil.jpg", "a/../../evil.jpg"])
def test_nothing_leaves_the_folder(kind: str, name: str, tmp_path: Path) -> None:
    archive = pack(tmp_path / kind, {name: b"evil"})
    folder = tmp_path / "deep" / "out"
    with pytest.raises(WorkloadError, match="would leave its folder"):
        unpack(archive, folder, [Member(glob="*evil.jpg")])
    assert not list(tmp_path.rglob("evil.jpg"))
    unpack(archive, folder, [Member(name="evil.jpg")])
    assert (folder / "evil.jpg").is_file(), "under a name of our own it may"


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    archive = tmp_path / "a.tar"
    with tarfile.open(archive, "w") as tar:
        link = tarfile.TarInfo("model.pb")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path / "secret")
        tar.addfile(link)
    with pytest.raises(WorkloadError, match=r"holds 0 files model\.pb, and 1 were expected"):
        unpack(archive, tmp_path / "out", [Member(name="model.pb")])


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_archives(kind: str, tmp_path: Path) -> None:
    archive = pack(tmp_path / kind, {"model.pb": bytes(range(256)) * 100})
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    with pytest.raises(WorkloadError, match=r"a\.\w+.*(damaged|another archive)"):
        unpack(archive, tmp_path / "out", [Member(name="model.pb")])
    assert not list((tmp_path / "out").rglob("*.pb*"))
    archive.write_text("<html>no such page</html>")
    with pytest.raises(WorkloadError, match="damaged or not an archive"):
        unpack(archive, tmp_path / "out", [Member(name="model.pb")])


def test_another_number_of_files(tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.zip", FILES | {"other/model.pb": b""})
    with pytest.raises(WorkloadError, match=r"holds 2 files model\.pb"):
        unpack(archive, tmp_path / "out", [Member(name="model.pb")])
    with pytest.raises(WorkloadError, match=r"holds 2 files top/val/\*.jpg, and 5000"):
        unpack(archive, tmp_path / "out", [Member(glob="top/val/*.jpg", count=5000)])
