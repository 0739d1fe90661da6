"""PyTorch: modules, archives, TorchScript and functions give the module's own answers."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inferometer.backends import (
    BackendError,
    BackendOptions,
    MissingBackendError,
    ModelFile,
    Session,
    SourceModel,
    content_sha256,
)
from inferometer.backends.pytorch.backend import PyTorchBackend

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch
BACKEND = PyTorchBackend()
ONE = BackendOptions(threads=1)
Inputs = Mapping[str, NDArray[Any]]


@pytest.fixture(scope="module")
def net() -> Any:
    models = pytest.importorskip("inferometer.workloads.models.mobilenet_v1")
    torch.manual_seed(1)
    strides = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 1, 1)
    return models.MobileNetV1(
        classes=10, width=0.125, in_channels=1, stem_stride=1, strides=strides
    ).eval()


@pytest.fixture(scope="module")
def images() -> NDArray[np.float32]:
    return np.random.default_rng(1).uniform(-1, 1, (8, 1, 28, 28)).astype(np.float32)


@pytest.fixture(scope="module")
def model(
    net: Any, images: NDArray[np.float32], tmp_path_factory: pytest.TempPathFactory
) -> ModelFile:
    path = tmp_path_factory.mktemp("own") / "net.pth"
    BACKEND.export(source(net, {"photo": images[:2]}), path)
    return ModelFile(path, "pth", content_sha256(path))


def source(module: Any, examples: Inputs) -> SourceModel:
    return SourceModel(
        "net", module, Path("unused.onnx"), tuple(examples), ("scores",), examples, {}
    )


def expected(net: Any, images: NDArray[np.float32]) -> NDArray[np.float32]:
    with torch.inference_mode():
        found: NDArray[np.float32] = net(torch.from_numpy(images)).numpy()
    return found


@pytest.mark.parametrize("count", [1, 3, 8])
def test_a_session_gives_what_the_module_gives(
    count: int, net: Any, model: ModelFile, images: NDArray[np.float32]
) -> None:
    session = BACKEND.load(model, ONE)
    assert (session.input_names, session.output_names) == (("photo",), ("scores",))
    (found,) = session.run({"photo": images[:count]})
    np.testing.assert_allclose(found, expected(net, images[:count]), rtol=0, atol=1e-7)
    assert session.description["precision"] == "fp32"
    assert session.description["threads"] == 1


def test_inputs_may_be_read_only_or_apart_and_outputs_stay(
    net: Any, model: ModelFile, images: NDArray[np.float32]
) -> None:
    session = BACKEND.load(model, ONE)
    frozen = images.copy()
    frozen.flags.writeable = False
    (first,) = session.run({"photo": frozen})
    kept = first.copy()
    (second,) = session.run({"photo": images[::2]})
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_allclose(second, expected(net, images)[::2], rtol=0, atol=1e-6)


def test_calls_from_several_threads_do_not_mix(
    net: Any, model: ModelFile, images: NDArray[np.float32]
) -> None:
    session, wanted = BACKEND.load(model, ONE), expected(net, images)
    wrong: list[int] = []

    def ask(row: int) -> None:
        for _ in range(20):
            (found,) = session.run({"photo": images[row : row + 1]})
            if np.abs(found - wanted[row : row + 1]).max() > 1e-6:
                wrong.append(row)

    threads = [threading.Thread(target=ask, args=(row,)) for row in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_bf16_is_found_out_and_less_exact(
    net: Any, model: ModelFile, images: NDArray[np.float32]
) -> None:
    session = BACKEND.load(model, BackendOptions(threads=1, precision="bf16"))
    assert session.description["precision"] == "bf16"
    (found,) = session.run({"photo": images})
    assert found.dtype == np.float32
    wanted = expected(net, images)
    gap = np.abs(found - wanted).max() / np.abs(wanted).max()
    assert 1e-5 < gap < 0.1


@pytest.mark.parametrize("extra", [{"channels_last": "yes"}, {"mode": "eager"}])
def test_options_change_no_answers(
    extra: dict[str, str], net: Any, model: ModelFile, images: NDArray[np.float32]
) -> None:
    session = BACKEND.load(model, BackendOptions(threads=1, extra=extra))
    (found,) = session.run({"photo": images})
    np.testing.assert_allclose(found, expected(net, images), rtol=0, atol=1e-6)


@pytest.mark.slow
def test_files_of_a_user(net: Any, images: NDArray[np.float32], tmp_path: Path) -> None:
    example = (torch.from_numpy(images[:2]),)
    sizes = ({0: torch.export.Dim("n", min=1, max=64)},)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.save(
            torch.export.export(net, example, dynamic_shapes=sizes), tmp_path / "net.pt2"
        )
        torch.jit.trace(net, example).save(str(tmp_path / "net.pt"))
        for name in ("net.pt2", "net.pt"):
            session = BACKEND.load(ModelFile.of_user(tmp_path / name), ONE)
            assert session.input_names == ("x",)
            (found,) = session.run({"x": images})
            np.testing.assert_allclose(found, expected(net, images), rtol=0, atol=1e-6)


def test_a_function_that_makes_a_module(tmp_path: Path) -> None:
    code = "import torch\ndef make():\n    return torch.nn.Flatten()\ndef wrong():\n    return 7\n"
    (tmp_path / "mine.py").write_text(code)
    session: Session = BACKEND.load(ModelFile.of_user(Path(f"{tmp_path}/mine.py:make")), ONE)
    assert session.input_names == ("input",)
    (found,) = session.run({"input": np.ones((3, 2, 2), np.float32)})
    assert found.shape == (3, 4)
    with pytest.raises(BackendError, match=r"wrong gave int; .* torch\.nn\.Module"):
        BACKEND.load(ModelFile.of_user(Path(f"{tmp_path}/mine.py:wrong")), ONE)


def test_what_cannot_be_loaded(model: ModelFile, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.pt2"
    damaged.write_bytes(b"not an archive")
    for file, options, message in (
        (ModelFile(model.path, "pth"), ONE, "can run any code as it is read"),
        (ModelFile(damaged, "pt2"), ONE, r"damaged\.pt2: PyTorch can't load it"),
        (ModelFile(damaged, "pt"), ONE, r"damaged\.pt2: PyTorch can't load it"),
        (ModelFile(model.path, "pth", "0" * 64), ONE, "damaged or was changed"),
        (model, BackendOptions(device="quantum"), "no device 'quantum' here; it offers cpu"),
        (model, BackendOptions(precision="int4"), "computes in fp32, bf16, fp16"),
        (model, BackendOptions(extra={"mode": "fast"}), "it takes eager, compiled"),
        (model, BackendOptions(extra={"modes": "eager"}), "did you mean 'mode'"),
    ):
        with pytest.raises(BackendError, match=message):
            BACKEND.load(file, options)


def test_a_missing_framework_gives_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    assert BACKEND.version() == torch.__version__
    assert BACKEND.devices()[0] == "cpu"

    def absent(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr("inferometer.backends.installed.metadata.version", absent)
    with pytest.raises(MissingBackendError, match=r"pip install 'inferometer\[torch\]'"):
        BACKEND.version()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_compiled_module_gives_the_same(
    net: Any, model: ModelFile, images: NDArray[np.float32]
) -> None:
    session = BACKEND.load(model, BackendOptions(threads=1, extra={"mode": "compiled"}))
    assert session.description["mode"] == "compiled"
    for count in (1, 2, 5):
        (found,) = session.run({"photo": images[:count]})
        np.testing.assert_allclose(found, expected(net, images[:count]), rtol=0, atol=1e-5)
