"""PyTorch files: what torch writes is read exactly, and what would run code is refused."""

from __future__ import annotations

import io
import os
import pickle
import struct
import sys
import types
import warnings
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from inferometer.workloads import WorkloadError  # noqa: E402
from inferometer.workloads.weights.torch_file import read_state_dict  # noqa: E402

pytestmark = pytest.mark.torch

FORMATS = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])


def save(thing: Any, path: Path, zipped: bool) -> Path:
    with warnings.catch_warnings():
        # The older format notes the source of classes, and these have none.
        warnings.simplefilter("ignore", UserWarning)
        torch.save(thing, path, _use_new_zipfile_serialization=zipped)
    return path


def same(found: dict[str, Any], expected: Any) -> bool:
    return list(found) == list(expected) and all(
        found[name].dtype == expected[name].dtype and torch.equal(found[name], expected[name])
        for name in expected
    )


@pytest.fixture
def published_class(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module class that lives in a module named as the published files' are."""
    module = types.ModuleType("models.ssd_r34")
    monkeypatch.setitem(sys.modules, "models", types.ModuleType("models"))
    monkeypatch.setitem(sys.modules, "models.ssd_r34", module)

    class SSD(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.body = torch.nn.Sequential(
                torch.nn.Conv2d(3, 4, 3, bias=False), torch.nn.BatchNorm2d(4), torch.nn.ReLU()
            )
            self.heads = torch.nn.ModuleList([torch.nn.Linear(4, 2) for _ in range(2)])
            self.heads[1].weight = self.heads[0].weight
            self.register_buffer("kept", torch.arange(3))
            self.register_buffer("passing", torch.arange(3), persistent=False)
            self.register_parameter("none", None)
            self.steps = {"sizes": [(1, 2), torch.Size([3])], "boxes": torch.rand(2), "kinds": {1}}

    SSD.__module__, SSD.__qualname__ = "models.ssd_r34", "SSD"
    module.SSD = SSD  # type: ignore[attr-defined]
    return SSD


@FORMATS
def test_a_pickled_module_gives_its_state_dict(
    published_class: Any, zipped: bool, tmp_path: Path
) -> None:
    model = published_class()
    path = save(model, tmp_path / "m.pytorch", zipped)
    for name in ("models", "models.ssd_r34"):
        del sys.modules[name]
    assert same(read_state_dict(path), model.state_dict())
    assert "models" not in sys.modules, "the file's own code isn't looked for"


@FORMATS
@pytest.mark.parametrize("key", [None, "model", "state_dict"])
def test_state_dicts_and_checkpoints(key: str | None, zipped: bool, tmp_path: Path) -> None:
    base = torch.randn(4, 6)
    state = OrderedDict(
        a=base,
        view=base[1:3, ::2],
        turned=base.t(),
        half=base.half(),
        brain=base.bfloat16(),
        counts=torch.tensor(7),
        truths=torch.tensor([True, False]),
        empty=torch.zeros(0, 3),
        parameter=torch.nn.Parameter(base[0].clone()).detach(),
    )
    state["as parameter"] = torch.nn.Parameter(base.clone())
    state._metadata = {"version": 1}  # type: ignore[attr-defined]
    thing = state if key is None else {key: state, "epoch": 3, "optimizer": {"lr": 0.1}}
    found = read_state_dict(save(thing, tmp_path / "s.pth", zipped))
    assert same(found, state)
    assert all(tensor.is_contiguous() for tensor in found.values())


class Call:
    """Pickles as the call of a function."""

    def __init__(self, function: Any, *arguments: Any):
        self.pair = function, arguments

    def __reduce__(self) -> Any:
        return self.pair


def raw_pickle(body: bytes) -> bytes:
    return b"\x80\x02" + body + b"."


def glob(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


MARKER = "inferometer_was_here"


def unicode(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text)) + text.encode()


COMMAND = unicode(f"touch {MARKER}")
INERT = glob("torch.nn.modules.linear", "Linear") + b")\x81"
ATTACKS = {
    "os.system": (glob("os", "system") + COMMAND + b"\x85R", "os.system"),
    "posix.system": (glob("posix", "system") + COMMAND + b"\x85R", "posix.system"),
    "eval": (glob("__builtin__", "eval") + unicode("1") + b"\x85R", "__builtin__.eval"),
    "exec": (glob("builtins", "exec") + unicode("1") + b"\x85R", "builtins.exec"),
    "getattr": (glob("builtins", "getattr") + b"0N", "builtins.getattr"),
    "INST opcode": (b"(" + COMMAND + b"ios\nsystem\n", "os.system"),
    "OBJ opcode": (b"(" + glob("os", "system") + COMMAND + b"o", "os.system"),
    "STACK_GLOBAL": (
        b"\x8c\x02os\x8c\x06system\x93" + COMMAND + b"\x85R",
        "os.system",
    ),
    "dotted name": (
        b"\x8c\x17torch.nn.modules.module\x8c\x0fwarnings.sys.os\x93N\x85R",
        "torch.nn.modules.module.warnings.sys.os",
    ),
    "dotted class": (b"\x8c\x08torch.nn\x8c\x0fModule.__init__\x93N\x85R", "torch.nn.Module"),
    "torch.load": (glob("torch.serialization", "load") + COMMAND + b"\x85R", "torch.serialization"),
    "torch.hub": (glob("torch.hub", "load") + COMMAND + b"\x85R", "torch.hub.load"),
    "near prefix": (glob("torch.nnx", "run") + COMMAND + b"\x85R", "torch.nnx.run"),
    "models_": (glob("modelsx", "run") + COMMAND + b"\x85R", "modelsx.run"),
    "io.open": (glob("io", "open") + COMMAND + b"\x85R", "io.open"),
    "functools": (glob("functools", "partial") + b")R", "functools.partial"),
    "numpy load": (glob("numpy", "load") + COMMAND + b"\x85R", "numpy.load"),
    "within a state": (
        INERT + b"}" + unicode("_modules") + glob("os", "system") + COMMAND + b"\x85Rsb",
        "os.system",
    ),
}
HARMLESS = {
    "function of torch.nn": glob("torch.nn.init", "constant_") + COMMAND + b"\x85R",
    "module seen through torch.nn": glob("torch.nn.modules.module.os", "system")
    + COMMAND
    + b"\x85R",
    "module named models": glob("models.os", "system") + COMMAND + b"\x85R",
}
BROKEN = {
    "state of a class": glob("torch.nn", "Module") + b"}" + unicode("state") + b"Nsb",
    "attributes of a class": glob("torch.nn", "Module") + b"N}" + unicode("items") + b"Ns\x86b",
    "attributes of a function": glob("torch._utils", "_rebuild_tensor_v2")
    + b"N}"
    + unicode("_call")
    + glob("torch.nn", "Module")
    + b"s\x86b",
    "state of a mapping class": glob("collections", "OrderedDict") + b"}b",
    "attributes of set": glob("builtins", "set") + b"N}" + unicode("add") + b"Ns\x86b",
    "attributes of a type": glob("torch", "FloatStorage")
    + b"N}"
    + unicode("itemsize")
    + b"Ns\x86b",
    "tensor of nothing": glob("torch._utils", "_rebuild_tensor_v2") + b"NK\x00))tR",
    "a number": b"K\x05",
    "modules that aren't": INERT + b"}" + unicode("_modules") + b"K\x05sb",
}


def as_file(program: bytes, path: Path, zipped: bool) -> Path:
    """Put a pickle where a file of torch has its content."""
    if zipped:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", program)
            archive.writestr("archive/version", "3\n")
        return path
    legacy = io.BytesIO()
    torch.save({}, legacy, _use_new_zipfile_serialization=False)
    legacy.seek(0)
    for _ in range(3):
        pickle.load(legacy)
    head = legacy.getvalue()[: legacy.tell()]
    path.write_bytes(head + program + pickle.dumps([]))
    return path


@FORMATS
@pytest.mark.parametrize("name", ATTACKS)
def test_names_that_could_run_code_are_refused(
    name: str, zipped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, forbidden = ATTACKS[name]
    program = raw_pickle(body) if b"\x93" not in body else b"\x80\x04" + body + b"."
    monkeypatch.chdir(tmp_path)
    path = as_file(program, tmp_path / "bad.pth", zipped)
    with pytest.raises(WorkloadError, match="isn't read") as error:
        read_state_dict(path)
    assert forbidden in str(error.value)
    assert str(path) in str(error.value)
    assert not Path(MARKER).exists()


@FORMATS
@pytest.mark.parametrize("name", HARMLESS)
def test_names_below_the_allowed_ones_are_never_looked_up(
    name: str, zipped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = as_file(raw_pickle(HARMLESS[name]), tmp_path / "bad.pth", zipped)
    assert read_state_dict(path) == {}
    assert not Path(MARKER).exists()


@FORMATS
@pytest.mark.parametrize("name", BROKEN)
def test_nonsense_is_an_error_and_changes_nothing(name: str, zipped: bool, tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match=r"bad\.pth"):
        read_state_dict(as_file(raw_pickle(BROKEN[name]), tmp_path / "bad.pth", zipped))
    good = torch.nn.Linear(2, 2)
    assert same(read_state_dict(save(good, tmp_path / "good.pth", zipped)), good.state_dict())


@FORMATS
def test_calls_hidden_in_a_real_file_are_refused(zipped: bool, tmp_path: Path) -> None:
    marker = tmp_path / MARKER
    for call in (Call(os.system, f"touch {marker}"), Call(eval, "1"), Call(marker.touch)):
        state = {"weight": torch.zeros(2), "extra": call}
        with pytest.raises(WorkloadError, match="isn't read"):
            read_state_dict(save(state, tmp_path / "bad.pth", zipped))
    assert not marker.exists()


def test_extension_codes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match="damaged"):
        read_state_dict(as_file(raw_pickle(b"\x82\x01"), tmp_path / "bad.pth", False))


@FORMATS
def test_damaged_files(zipped: bool, tmp_path: Path) -> None:
    path = save(torch.nn.Linear(50, 50), tmp_path / "w.pth", zipped)
    content = path.read_bytes()
    for end in (0, 3, len(content) // 2, len(content) - 40):
        path.write_bytes(content[:end])
        with pytest.raises(WorkloadError, match=r"w\.pth"):
            read_state_dict(path)
    with pytest.raises(WorkloadError, match="can't be read: No such file"):
        read_state_dict(tmp_path / "none.pth")


@FORMATS
def test_other_things_that_torch_saves(zipped: bool, tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match="holds a list, not weights"):
        read_state_dict(save([torch.zeros(1)], tmp_path / "l.pth", zipped))
    with pytest.raises(WorkloadError, match="'a' isn't a tensor"):
        read_state_dict(save({"a": 1}, tmp_path / "n.pth", zipped))
    with pytest.raises(WorkloadError, match="larger than its storage"):
        read_state_dict(save({"a": torch.zeros(1).expand(10**9)}, tmp_path / "x.pth", zipped))


def test_archives_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    for names, message in (
        (["archive/other"], "without data.pkl"),
        (["archive/data.pkl", "archive/constants.pkl"], "TorchScript"),
    ):
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, b"")
        with pytest.raises(WorkloadError, match=message):
            read_state_dict(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", raw_pickle(b"}"))
    with pytest.raises(WorkloadError, match="compressed"):
        read_state_dict(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", raw_pickle(b"}"))
        archive.writestr("archive/byteorder", b"big")
    with pytest.raises(WorkloadError, match="big-endian"):
        read_state_dict(path)
