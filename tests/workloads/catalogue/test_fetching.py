"""Downloads against a real server: going on, checksums, errors, mirrors."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inferometer.workloads.catalogue import fetching
from inferometer.workloads.catalogue.fetching import Download, download, mirrored
from inferometer.workloads.protocol import WorkloadError
from tests.workloads.catalogue.server import Site, serve

CONTENT = bytes(range(256)) * 4000
MD5 = hashlib.md5(CONTENT).hexdigest()
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.delenv("INFEROMETER_MIRROR", raising=False)
    with serve(Site({"/m/model.onnx": CONTENT})) as found:
        yield found


def wanted(site: Site, folder: Path, path: str = "/m/model.onnx", **sums: str) -> Download:
    return Download(site.url + path, folder / "models" / "model.onnx", **sums)


def no_wait(_: float) -> None:
    pass


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_file_is_fetched_and_checked(site: Site, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    found = download(
        wanted(site, tmp_path, md5=MD5, sha256=SHA256),
        lambda here, total: seen.append((here, total)),
    )
    assert found == SHA256
    assert (tmp_path / "models/model.onnx").read_bytes() == CONTENT
    assert leftovers(tmp_path) == ["model.onnx"]
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert seen == sorted(seen)


def test_cut_connections_go_on_where_they_stopped(site: Site, tmp_path: Path) -> None:
    site.cuts = [1000, 500_000, 1]
    waits: list[float] = []
    download(wanted(site, tmp_path, md5=MD5), wait=waits.append)
    assert [asked for _, asked in site.requests] == [
        "", "bytes=1000-", "bytes=501000-", "bytes=501001-",
    ]  # fmt: skip
    assert waits == [1.0, 1.0, 1.0], "progress starts the pauses anew"
    assert leftovers(tmp_path) == ["model.onnx"]


def test_a_later_call_goes_on(site: Site, tmp_path: Path) -> None:
    site.cuts = [5000, 0, 0, 0, 0]
    with pytest.raises(WorkloadError, match=r"can't be fetched .*put it at .*model\.onnx"):
        download(wanted(site, tmp_path), wait=no_wait)
    assert (tmp_path / "models/model.onnx.part").stat().st_size == 5000
    assert not (tmp_path / "models/model.onnx").exists()
    site.requests.clear()
    download(wanted(site, tmp_path, md5=MD5))
    assert site.requests == [("/m/model.onnx", "bytes=5000-")]


@pytest.mark.parametrize(
    "change",
    [
        {"knows_ranges": False},
        {"files": {"/m/model.onnx": CONTENT[::-1]}},
        {"tag": 'W/"{}"'},
        {"tag": ""},
    ],
    ids=["no ranges", "changed file", "weak tags", "no tags"],
)
def test_what_can_not_go_on_starts_anew(site: Site, tmp_path: Path, change: dict[str, Any]) -> None:
    site.cuts = [5000, 0, 0, 0, 0]
    if "tag" in change:
        site.tag = change["tag"]
        site.cuts = [5000] * 5
    with pytest.raises(WorkloadError):
        download(wanted(site, tmp_path), wait=no_wait)
    for name, value in change.items():
        setattr(site, name, value)
    site.cuts.clear()
    download(wanted(site, tmp_path))
    assert (tmp_path / "models/model.onnx").read_bytes() == site.files["/m/model.onnx"]


def test_a_part_that_is_too_long_is_dropped(site: Site, tmp_path: Path) -> None:
    site.cuts = [5000, 0, 0, 0, 0]
    with pytest.raises(WorkloadError):
        download(wanted(site, tmp_path), wait=no_wait)
    with (tmp_path / "models/model.onnx.part").open("ab") as file:
        file.write(bytes(2 * len(CONTENT)))
    download(wanted(site, tmp_path, md5=MD5), wait=no_wait)
    assert (tmp_path / "models/model.onnx").read_bytes() == CONTENT


def test_a_damaged_part_is_fetched_anew_once(site: Site, tmp_path: Path) -> None:
    site.cuts = [5000, 0, 0, 0, 0]
    with pytest.raises(WorkloadError):
        download(wanted(site, tmp_path), wait=no_wait)
    with (tmp_path / "models/model.onnx.part").open("r+b") as file:
        file.write(b"damage")
    download(wanted(site, tmp_path, sha256=SHA256))
    assert (tmp_path / "models/model.onnx").read_bytes() == CONTENT


@pytest.mark.parametrize("kind", ["md5", "sha256"])
def test_a_wrong_checksum_keeps_nothing(site: Site, tmp_path: Path, kind: str) -> None:
    with pytest.raises(WorkloadError, match=rf"has the {kind} .* and 00ff was expected"):
        download(wanted(site, tmp_path, **{kind: "00ff"}))
    assert leftovers(tmp_path) == []


def test_errors_of_the_server(site: Site, tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match=r"nothing: the server answers 404 .*MIRROR"):
        download(wanted(site, tmp_path, "/nothing"), wait=no_wait)
    assert len(site.requests) == 1, "what is not there is not asked for again"
    site.statuses = [503, 500, 429]
    waits: list[float] = []
    download(wanted(site, tmp_path, md5=MD5), wait=waits.append)
    assert waits == [1.0, 2.0, 4.0]


def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match=r"can't be fetched \(.*refused"):
        download(Download("http://127.0.0.1:9/x", tmp_path / "x"), wait=no_wait)


def test_redirects(site: Site, tmp_path: Path) -> None:
    site.redirects["/old"] = "/m/model.onnx"
    site.cuts = [1000]
    download(wanted(site, tmp_path, "/old", md5=MD5), wait=no_wait)
    assert ("/m/model.onnx", "bytes=1000-") in site.requests
    handler = fetching._SecureRedirects()
    request = urllib.request.Request("https://safe.example/x")
    with pytest.raises(WorkloadError, match="which is not https"):
        handler.redirect_request(request, None, 302, "", {}, "http://unsafe.example/x")


def test_a_server_that_says_no_length(site: Site, tmp_path: Path) -> None:
    site.sends_length = False
    totals = set()
    download(wanted(site, tmp_path, md5=MD5), lambda _, total: totals.add(total))
    assert totals == {None}


def test_a_mirror_takes_the_place_of_scheme_and_host(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INFEROMETER_MIRROR", site.url + "/")
    assert mirrored("https://zenodo.org/record/1/files/a%20b?c=d") == (
        f"{site.url}/record/1/files/a%20b?c=d"
    )
    download(Download("https://zenodo.org/m/model.onnx", tmp_path / "x", md5=MD5))
    monkeypatch.setenv("INFEROMETER_MIRROR", "/some/folder")
    with pytest.raises(WorkloadError, match="only http and https"):
        mirrored("https://zenodo.org/x")


def test_proxies_are_honoured(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", site.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    site.files["http://far.example/file"] = CONTENT
    download(Download("http://far.example/file", tmp_path / "x", md5=MD5))
    assert site.requests == [("http://far.example/file", "")]


def test_one_process_fetches_a_file(site: Site, tmp_path: Path) -> None:
    part = tmp_path / "models/model.onnx.part"
    part.parent.mkdir()
    with part.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(WorkloadError, match="being fetched by another process"):
            download(wanted(site, tmp_path))


def test_a_full_disk_is_said_with_its_remedy(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: io.FileIO, chunk: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(fetching, "_append", full)
    with pytest.raises(WorkloadError, match=r"no room on the disk .* make room and fetch again"):
        download(wanted(site, tmp_path), wait=no_wait)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    size=st.integers(0, 3000),
    cuts=st.lists(st.integers(0, 1000), max_size=4),
    knows_ranges=st.booleans(),
)
def test_whatever_is_cut_the_file_comes_whole(
    site: Site, tmp_path: Path, size: int, cuts: list[int], knows_ranges: bool
) -> None:
    site.files["/x"], site.cuts = os.urandom(size), list(cuts)
    site.knows_ranges = knows_ranges
    path = tmp_path / "x"
    path.unlink(missing_ok=True)
    download(Download(f"{site.url}/x", path), wait=no_wait)
    assert path.read_bytes() == site.files["/x"]
