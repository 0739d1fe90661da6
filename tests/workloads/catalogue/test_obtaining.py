"""An entry from nothing to whole: fetched, unpacked, noted, verified, got by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from inferometer.workloads.catalogue.entry import Entry, Member, Profile, PublishedFile
from inferometer.workloads.catalogue.obtaining import ByHandError, obtain
from inferometer.workloads.catalogue.verifying import State, is_present, verify
from inferometer.workloads.protocol import WorkloadError
from tests.workloads.catalogue.server import Site, serve
from tests.workloads.catalogue.test_unpacking import pack


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.delenv("INFEROMETER_MIRROR", raising=False)
    monkeypatch.setenv("INFEROMETER_HOME", str(tmp_path / "home"))
    archive = pack(tmp_path / "a.tgz", {"x/m.pb": b"graph", "x/v/1.jpg": b"1", "x/v/2.jpg": b"2"})
    with serve(Site({"/m.onnx": b"onnx", "/a.tgz": archive.read_bytes()})) as found:
        yield found


def model(site: Site, digest: str = "") -> Entry:
    profiles = [
        Profile(name, "f", "f", file, (), (), "NCHW", "float32", "pre", "post", 1.0)
        for name, file in (("onnx", "m.onnx"), ("tf", "m.pb"))
    ]
    files = (
        PublishedFile("m.onnx", f"{site.url}/m.onnx", digest),
        PublishedFile("a.tgz", f"{site.url}/a.tgz", members=(Member(name="m.pb"),)),
    )
    return Entry("m", "M", "model", files, tuple(profiles), "onnx")


def states(entry: Entry) -> dict[str, str]:
    return {state.name: state.state.value for state in verify(entry, list(entry.files))}


def test_the_default_form_then_all(site: Site) -> None:
    entry = model(site, md5(b"onnx"))
    assert states(entry) == {"m.onnx": "missing", "m.pb": "missing"}
    assert [done for _, done in obtain(entry, entry.folder)] == ["fetched"]
    assert states(entry) == {"m.onnx": "here", "m.pb": "missing"}
    assert [done for _, done in obtain(entry, entry.folder, everything=True)] == [
        "already here", "fetched and unpacked, 1 files",
    ]  # fmt: skip
    assert states(entry) == {"m.onnx": "here", "m.pb": "here"}
    assert sorted(path.name for path in entry.folder.iterdir()) == [
        "fetched.json", "m.onnx", "m.pb",
    ]  # fmt: skip
    assert len(site.requests) == 2


def test_remedies_name_the_command(site: Site) -> None:
    entry = model(site)
    found = {state.name: state.remedy for state in verify(entry, list(entry.files))}
    assert found == {
        "m.onnx": "inferometer fetch m",
        "m.pb": "inferometer fetch m --profile tf",
    }


def test_damage_is_noticed_without_a_published_checksum(site: Site) -> None:
    entry = model(site)
    list(obtain(entry, entry.folder))
    assert states(entry)["m.onnx"] == "here"
    (entry.folder / "m.onnx").write_bytes(b"rust")
    (damaged,) = verify(entry, entry.files_for())
    assert damaged.state is State.DAMAGED
    assert "sha256" in damaged.seen
    assert damaged.remedy == "inferometer fetch m"
    assert is_present(entry, entry.files[0]), "which doesn't read it"
    assert [done for _, done in obtain(entry, entry.folder)] == ["fetched"]
    assert states(entry)["m.onnx"] == "here"


def test_a_file_of_unknown_origin_is_unverified(site: Site) -> None:
    entry = model(site)
    entry.folder.mkdir(parents=True)
    (entry.folder / "m.onnx").write_bytes(b"mine")
    assert states(entry)["m.onnx"] == "unverified"
    assert [done for _, done in obtain(entry, entry.folder)] == ["already here"]
    (entry.folder / "fetched.json").write_text("{")
    with pytest.raises(WorkloadError, match=r"fetched\.json: damaged"):
        verify(entry, list(entry.files))


def test_an_unpacked_file_that_is_not_the_published_one(site: Site) -> None:
    member = Member(name="m.pb", md5="00")
    file = PublishedFile("a.tgz", f"{site.url}/a.tgz", members=(member,))
    entry = Entry("d", "D", "data", (file,))
    with pytest.raises(WorkloadError, match=r"m\.pb isn't the published file: its md5 is"):
        list(obtain(entry, entry.folder))


def test_a_set_of_files_is_counted(site: Site) -> None:
    member = Member(glob="x/v/*.jpg", count=2)
    file = PublishedFile("a.tgz", f"{site.url}/a.tgz", members=(member,))
    entry = Entry("d", "D", "data", (file,))
    list(obtain(entry, entry.folder))
    assert states(entry) == {"x/v/*.jpg": "here"}
    (entry.folder / "x/v/1.jpg").write_bytes(b"")
    (found,) = verify(entry, [file])
    assert (found.state, found.seen) == (State.DAMAGED, "2 of 2 files, 1 of them empty")
    (entry.folder / "x/v/1.jpg").unlink()
    assert states(entry) == {"x/v/*.jpg": "missing"}


def test_by_hand(site: Site, tmp_path: Path) -> None:
    archive = (tmp_path / "a.tgz").read_bytes()
    by_hand = PublishedFile(
        "a.tgz",
        manual="ask for it at example.org",
        md5=md5(archive),
        members=(Member(name="m.pb"),),
    )
    entry = Entry("d", "D", "data", (by_hand, PublishedFile("list", f"{site.url}/m.onnx")))
    with pytest.raises(ByHandError, match=r"a\.tgz can't be fetched: ask .* Put it at .*a\.tgz"):
        list(obtain(entry, entry.folder))
    assert (entry.folder / "list").is_file(), "the rest comes first"
    (entry.folder / "a.tgz").write_bytes(b"another")
    with pytest.raises(WorkloadError, match=r"isn't the published file: its md5 is"):
        list(obtain(entry, entry.folder))
    (entry.folder / "a.tgz").write_bytes(archive)
    assert [done for _, done in obtain(entry, entry.folder)] == [
        "already here", "unpacked, 1 files",
    ]  # fmt: skip
    assert (entry.folder / "a.tgz").is_file(), "what somebody put there stays"
    assert states(entry) == {"m.pb": "here", "list": "here"}


def test_another_folder(site: Site, tmp_path: Path) -> None:
    entry = model(site)
    list(obtain(entry, tmp_path / "elsewhere"))
    assert (tmp_path / "elsewhere/m.onnx").is_file()
    assert not entry.folder.exists()
