"""``inferometer fetch``, ``verify`` and ``list`` as a user meets them, from a mirror."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from inferometer.cli.main import main
from tests.workloads.catalogue.server import Site, serve
from tests.workloads.catalogue.test_unpacking import pack

FROZEN = {"./mobilenet_v1_1.0_224_frozen.pb": b"graph", "./mobilenet_v1_1.0_224.tflite": b"lite"}


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Site]:
    archive = pack(tmp_path / "m.tgz", FROZEN)
    files = {
        "/record/3157894/files/mobilenet_v1_1.0_224.onnx": b"onnx",
        "/record/2269307/files/mobilenet_v1_1.0_224.tgz": archive.read_bytes(),
        "/record/2592612/files/resnet50_v1.onnx": b"not what was published",
    }
    with serve(Site(files)) as site:
        yield site


@dataclass(frozen=True)
class Outcome:
    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Outcome]


@pytest.fixture
def inferometer(
    mirror: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run the command line with a folder of its own, and give what a shell would see."""
    monkeypatch.setenv("INFEROMETER_MIRROR", mirror.url)
    monkeypatch.setenv("COLUMNS", "120")

    def run(home: Path, *arguments: str) -> Outcome:
        monkeypatch.setenv("INFEROMETER_HOME", str(home))
        code = 0
        try:
            main(list(arguments))
        except SystemExit as stop:
            code = int(stop.code or 0)
        return Outcome(code, *capsys.readouterr())

    return run


def test_fetch_then_verify(inferometer: Run, tmp_path: Path) -> None:
    home = tmp_path / "home"
    found = inferometer(home, "verify")
    assert (found.returncode, "nothing is here yet" in found.stdout) == (0, True)
    found = inferometer(home, "verify", "mobilenet")
    assert found.returncode == 1
    assert "→ inferometer fetch mobilenet\n" in found.stdout

    found = inferometer(home, "fetch", "mobilenet")
    assert found.returncode == 0, found.stderr
    assert "mobilenet: mobilenet_v1_1.0_224.onnx: fetched\n" in found.stdout
    assert f"mobilenet: in {home / 'models/mobilenet'}\n" in found.stdout
    assert "its data set: inferometer fetch imagenet" in found.stdout
    found = inferometer(home, "fetch", "mobilenet", "--profile", "mobilenet-tf")
    assert "fetched and unpacked, 2 files" in found.stdout

    found = inferometer(home, "verify", "--json")
    assert found.returncode == 0
    assert {state["file"]: state["state"] for state in json.loads(found.stdout)} == {
        "mobilenet_v1_1.0_224.onnx": "here",
        "mobilenet_v1_1.0_224_frozen.pb": "here",
        "mobilenet_v1_1.0_224.tflite": "here",
    }
    (home / "models/mobilenet/mobilenet_v1_1.0_224.onnx").write_bytes(b"rust")
    found = inferometer(home, "verify")
    assert found.returncode == 1
    assert "damaged     mobilenet: mobilenet_v1_1.0_224.onnx: its sha256 is" in found.stdout


def test_what_goes_wrong_is_one_clear_message(inferometer: Run, tmp_path: Path) -> None:
    found = inferometer(tmp_path, "fetch", "resnet50")
    assert found.returncode == 2
    assert "a638cf028b5870da29e09ccc2f7182e7 was expected" in found.stderr
    found = inferometer(tmp_path, "fetch", "gnmt")
    assert found.returncode == 2
    assert "the server answers 404" in found.stderr
    found = inferometer(tmp_path, "fetch", "moblenet")
    assert "did you mean 'mobilenet'?" in found.stderr
    found = inferometer(tmp_path, "fetch", "mobilenet", "--profile", "tf")
    assert "mobilenet has no profile 'tf'; known: mobilenet-onnxruntime" in found.stderr
    found = inferometer(tmp_path, "fetch", "coco", "--profile", "tf")
    assert "--profile belongs to models; coco has none" in found.stderr


def test_what_has_to_be_got_by_hand(inferometer: Run, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "imagenet"
    folder.mkdir(parents=True)
    (folder / "val_map.txt").write_text("ILSVRC2012_val_00000001.JPEG 65\n")
    found = inferometer(tmp_path, "fetch", "imagenet")
    assert found.returncode == 1
    assert "image-net.org" in found.stdout
    assert f"Put it at {folder / 'ILSVRC2012_img_val.tar'} and run this again" in found.stdout


def test_list_shows_models_and_data(inferometer: Run, tmp_path: Path) -> None:
    found = inferometer(tmp_path, "list", "--json")
    entries = {entry["name"]: entry for entry in json.loads(found.stdout)["models and data"]}
    assert {"resnet50", "gnmt", "imagenet", "coco", "newstest2014"} <= set(entries)
    assert entries["resnet50"]["status"] == ("missing resnet50_v1.onnx; inferometer fetch resnet50")
    assert "image-net.org" in entries["imagenet"]["status"]
    inferometer(tmp_path, "fetch", "mobilenet")
    found = inferometer(tmp_path, "list", "--json")
    entries = {entry["name"]: entry for entry in json.loads(found.stdout)["models and data"]}
    assert entries["mobilenet"]["status"] == "here: mobilenet_v1_1.0_224.onnx"
