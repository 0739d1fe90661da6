"""LiteRT: the same answers as PyTorch and ONNX Runtime, batches, ends of int8, exports."""

from __future__ import annotations

import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inferometer.backends import (
    BackendError,
    BackendOptions,
    Exporter,
    MissingBackendError,
    ModelFile,
    SourceModel,
    UnsupportedModelError,
    get_backend,
)
from inferometer.backends.litert.backend import LiteRtBackend
from inferometer.workloads import MODEL, get_workload

torch = pytest.importorskip("torch")
interpreters = pytest.importorskip("ai_edge_litert.interpreter")
litert_torch = pytest.importorskip("litert_torch")

pytestmark = [pytest.mark.slow, pytest.mark.torch]

BACKEND = LiteRtBackend()
ONE = BackendOptions(threads=1)
BATCH = {0: "N"}


class Traced(torch.nn.Module):  # type: ignore[misc,name-defined]
    """A module of one function, with a layer that has weights."""

    def __init__(self, function: Callable[..., Any]):
        super().__init__()
        self.function = function
        self.layer = torch.nn.Linear(4, 3)

    def forward(self, *inputs: Any) -> Any:
        return self.function(self.layer, *inputs)


def source_of(name: str, module: Any, *examples: NDArray[Any], outputs: int = 1) -> SourceModel:
    inputs = tuple(f"in_{place}" for place in range(len(examples)))
    names = tuple(f"out_{place}" for place in range(outputs))
    return SourceModel(
        name=name,
        module=module.eval(),
        onnx=Path("none.onnx"),
        input_names=inputs,
        output_names=names,
        examples=dict(zip(inputs, examples, strict=True)),
        dynamic=dict.fromkeys((*inputs, *names), BATCH),
    )


def expected(source: SourceModel, *inputs: NDArray[Any]) -> list[NDArray[Any]]:
    with torch.inference_mode():
        found = source.module(*(torch.from_numpy(array) for array in inputs))
    return [one.numpy() for one in (found if isinstance(found, tuple) else (found,))]


def exported(source: SourceModel, folder: Path) -> ModelFile:
    path = folder / f"{source.name}.tflite"
    BACKEND.export(source, path)
    return ModelFile(path, "tflite")


def nodes(file: ModelFile) -> list[str]:
    interpreter = interpreters.Interpreter(str(file.path))
    return [node["op_name"] for node in interpreter._get_ops_details()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("litert")


@pytest.fixture(scope="module")
def source() -> SourceModel:
    from inferometer.workloads.models.layout import ChannelsLast
    from inferometer.workloads.models.mobilenet_v1 import MobileNetV1

    with torch.random.fork_rng():
        torch.manual_seed(5)
        module = ChannelsLast(MobileNetV1(classes=10, width=0.25))
        for name, weights in module.named_parameters():
            if name.endswith("conv.weight"):
                # PyTorch's own start lets the photos fade away within so many layers.
                torch.nn.init.kaiming_normal_(weights)
                weights.data *= 1.4
    return source_of("mobilenet", module, photos(2))


def photos(count: int) -> NDArray[np.float32]:
    generator = np.random.default_rng(count)
    return generator.uniform(-1, 1, (count, 32, 32, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def model(source: SourceModel, folder: Path) -> ModelFile:
    return exported(source, folder)


@pytest.fixture(scope="module")
def fixed(folder: Path) -> Callable[..., ModelFile]:
    """Convert as a user does: nothing renamed, the batch fixed to two."""

    def make(name: str, function: Callable[..., Any]) -> ModelFile:
        path = folder / f"{name}.tflite"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            litert_torch.convert(Traced(function).eval(), (torch.zeros(2, 4, 4),)).export(str(path))
        return ModelFile.of_user(path)

    return make


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_agrees_with_pytorch(source: SourceModel, model: ModelFile, count: int) -> None:
    session = BACKEND.load(model, ONE)
    (found,) = session.run({"in_0": photos(count)})
    assert found.dtype == np.float32
    (right,) = expected(source, photos(count))
    np.testing.assert_allclose(found, right, rtol=0, atol=1e-5 * np.abs(right).max())
    assert np.ptp(expected(source, photos(8))[0], axis=0).max() > 0.05, "photos make a difference"


def test_pocket_mobilenet_agrees_with_onnx_runtime(folder: Path) -> None:
    pytest.importorskip("onnxruntime")
    workload = get_workload("pocket-mobilenet")
    library = workload.library()
    indices = np.arange(32)
    library.load(indices)
    (images,) = library.inputs(indices).values()
    definition = workload.definitions()[MODEL].in_layout("NHWC")  # type: ignore[attr-defined]
    session = BACKEND.load(exported(definition.source(), folder), ONE)
    reference = get_backend("onnxruntime").load(workload.models(("onnx",))[MODEL], ONE)
    assert session.input_names == reference.input_names
    assert session.output_names == reference.output_names
    for count in (1, 3, 32):
        given = np.moveaxis(images[:count], 1, -1)
        (found,) = session.run({"input": given})
        (right,) = reference.run({"input": images[:count]})
        np.testing.assert_allclose(found, right, rtol=0, atol=2e-6)


def test_photos_are_not_transposed_and_all_runs_on_xnnpack(model: ModelFile) -> None:
    found = nodes(model)
    assert found[0] == "CONV_2D"
    assert "TRANSPOSE" not in found
    session = BACKEND.load(model, ONE)
    count = len(found)
    assert session.description["kernels"] == f"XNNPACK: {count} of {count} nodes"
    assert session.description["precision"] == "fp32"
    assert session.description["weights"] == "float32"
    assert session.description["inputs"] == ["in_0 float32 [?, 32, 32, 3]"]
    assert (session.input_names, session.output_names) == (("in_0",), ("out_0",))


def test_kernels_and_threads_are_options(source: SourceModel, model: ModelFile) -> None:
    plain = BACKEND.load(model, BackendOptions(threads=2, extra={"xnnpack": "no"}))
    assert plain.description["kernels"] == f"built in: {len(nodes(model))} nodes"
    assert plain.description["threads"] == 2
    assert BACKEND.load(model, BackendOptions()).description["threads"] == 1
    (found,) = plain.run({"in_0": photos(3)})
    np.testing.assert_allclose(found, expected(source, photos(3))[0], rtol=0, atol=1e-5)


def test_calls_from_several_threads_do_not_mix(source: SourceModel, model: ModelFile) -> None:
    session = BACKEND.load(model, ONE)
    right = {count: expected(source, photos(count))[0] for count in (1, 2, 3)}
    found: dict[int, list[NDArray[Any]]] = {}

    def work(worker: int) -> None:
        found[worker] = [session.run({"in_0": photos(1 + n % 3)})[0] for n in range(30)]

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [0, 1, 2, 3]
    for answers in found.values():
        for number, answer in enumerate(answers):
            np.testing.assert_allclose(answer, right[1 + number % 3], rtol=0, atol=1e-5)


def test_outputs_and_inputs_are_left_alone(model: ModelFile) -> None:
    session = BACKEND.load(model, ONE)
    given = photos(8)
    given.flags.writeable = False
    (first,) = session.run({"in_0": given})
    kept = first.copy()
    session.run({"in_0": -given})
    np.testing.assert_array_equal(first, kept)
    (apart,) = session.run({"in_0": given[::2]})
    np.testing.assert_allclose(apart, kept[::2], rtol=1e-5, atol=1e-7)
    session.close()
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"other": photos(1)}, "input 'in_0' is missing; there are other"),
        ({"in_0": photos(1)[0]}, r"takes in_0 float32 \[\?, 32, 32, 3\], not the shape \[32"),
        ({"in_0": photos(1)[:, 1:]}, r"not the shape \[1, 31, 32, 3\]"),
        ({"in_0": photos(1).astype(complex)}, "not the type complex128"),
    ],
)
def test_wrong_inputs_are_refused_and_the_next_call_runs(
    model: ModelFile, inputs: dict[str, NDArray[Any]], message: str
) -> None:
    session = BACKEND.load(model, ONE)
    with pytest.raises(BackendError, match=message):
        session.run(inputs)
    (found,) = session.run({"in_0": photos(2)})
    assert found.shape == (2, 10)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (BackendOptions(extra={"xnpack": "no"}), "did you mean 'xnnpack'"),
        (BackendOptions(extra={"xnnpack": "maybe"}), "xnnpack is 'maybe'; it takes yes or no"),
        (BackendOptions(precision="fp16"), "no precision 'fp16'; it computes in fp32"),
        (BackendOptions(device="gpu"), "no device 'gpu' here; it offers cpu"),
    ],
)
def test_unknown_options_are_refused(
    model: ModelFile, options: BackendOptions, message: str
) -> None:
    with pytest.raises(BackendError, match=message):
        BACKEND.load(model, options)


def test_models_are_checked(model: ModelFile, tmp_path: Path) -> None:
    content = model.path.read_bytes()
    broken = {
        "empty": b"",
        "other": b"not a model",
        "cut": content[: len(content) // 2],
        "head": content[:4] + b"TFL9" + content[8:],
    }
    for name, bad in broken.items():
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(bad)
        with pytest.raises(BackendError, match=rf"{name}\.tflite: LiteRT can't load it: \w"):
            BACKEND.load(ModelFile.of_user(path), ONE)
    for file, message in (
        (ModelFile(tmp_path / "none.tflite", "tflite"), "no such model file"),
        (ModelFile(model.path, "onnx"), "reads tflite"),
        (ModelFile(model.path, "tflite", "0" * 64), "damaged or was changed"),
    ):
        with pytest.raises(BackendError, match=message):
            BACKEND.load(file, ONE)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("grows", lambda layer, x: torch.relu(layer(x))),
        ("stays", lambda layer, x: layer(x).reshape(2, 12) + 1.0),
    ],
)
def test_files_of_fixed_batch_run_any(
    fixed: Callable[..., ModelFile], name: str, function: Callable[..., Any]
) -> None:
    """The first can be laid out for other batches; the second names its batch in a shape."""
    file = fixed(name, function)
    session = BACKEND.load(file, ONE)
    assert session.input_names == ("args_0",)
    assert session.output_names == ("output_0",)
    given = np.random.default_rng(3).standard_normal((7, 4, 4)).astype(np.float32)
    (whole,) = session.run({"args_0": np.concatenate([given, given[:1]])})
    for count in (1, 2, 3, 7, 3):
        (found,) = session.run({"args_0": given[:count]})
        assert len(found) == count
        np.testing.assert_allclose(found, whole[:count], rtol=1e-5, atol=1e-6)
    by_hand = interpreters.Interpreter(str(file.path))
    by_hand.allocate_tensors()
    by_hand.set_tensor(by_hand.get_input_details()[0]["index"], given[2:4])
    by_hand.invoke()
    right = by_hand.get_tensor(by_hand.get_output_details()[0]["index"])
    np.testing.assert_allclose(whole[2:4], right, rtol=1e-5, atol=1e-6)


def test_a_sum_over_the_batch_is_not_taken_for_an_answer(
    fixed: Callable[..., ModelFile],
) -> None:
    """Laid out for four samples it would run, and give other numbers than for two and two."""
    file = fixed("mixes", lambda layer, x: layer(x) + x.sum())
    session = BACKEND.load(file, ONE)
    given = np.random.default_rng(4).standard_normal((4, 4, 4)).astype(np.float32)
    for _ in range(2):
        (found,) = session.run({"args_0": given})
        (first,) = session.run({"args_0": given[:2]})
        np.testing.assert_allclose(found[:2], first, rtol=1e-5, atol=1e-6)


def test_outputs_without_a_batch_axis_are_refused_in_parts(
    fixed: Callable[..., ModelFile],
) -> None:
    session = BACKEND.load(fixed("flat", lambda layer, x: layer(x).reshape(24)), ONE)
    (found,) = session.run({"args_0": np.ones((2, 4, 4), np.float32)})
    assert found.shape == (24,)
    with pytest.raises(BackendError, match=r"fixed to a batch of 2, and its output output_0"):
        session.run({"args_0": np.ones((3, 4, 4), np.float32)})


def test_files_without_a_signature_have_the_names_of_their_tensors(
    model: ModelFile, tmp_path: Path
) -> None:
    from ai_edge_litert.tools import flatbuffer_utils

    plain = flatbuffer_utils.read_model(str(model.path))
    plain.signatureDefs = None
    flatbuffer_utils.write_model(plain, str(tmp_path / "plain.tflite"))
    session = BACKEND.load(ModelFile.of_user(tmp_path / "plain.tflite"), ONE)
    (name,) = session.input_names
    assert name != "in_0"
    (right,) = BACKEND.load(model, ONE).run({"in_0": photos(2)})
    np.testing.assert_array_equal(session.run({name: photos(2)})[0], right)


def test_ends_of_int8_are_float32_for_callers(model: ModelFile, tmp_path: Path) -> None:
    quantizer = pytest.importorskip("ai_edge_quantizer.quantizer")
    path = tmp_path / "int8.tflite"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tool = quantizer.Quantizer(str(model.path))
        tool.add_static_config(".*", "*", 8, 8)
        ranges = tool.calibrate({"serving_default": [{"in_0": photos(16)}]}, num_threads=1)
        made = tool.quantize(ranges, enable_progress_report=False)
    path.write_bytes(made.quantized_model)
    session = BACKEND.load(ModelFile.of_user(path), ONE)
    assert session.description["precision"] == "int8"
    assert session.description["weights"] == "int8"
    assert session.description["inputs"][0].startswith("in_0 int8 [?, 32, 32, 3], scale 0.007")
    (found,) = session.run({"in_0": photos(16)})
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, quantised_by_hand(path, photos(16)))
    (exact,) = BACKEND.load(model, ONE).run({"in_0": photos(16)})
    assert np.corrcoef(found.ravel(), exact.ravel())[0, 1] > 0.9
    (high,) = session.run({"in_0": 9 * np.ones((1, 32, 32, 3), np.float32)})
    (highest,) = session.run({"in_0": np.full((1, 32, 32, 3), 127, np.int8)})
    np.testing.assert_array_equal(high, highest)


def quantised_by_hand(path: Path, photos: NDArray[np.float32]) -> NDArray[Any]:
    interpreter = interpreters.Interpreter(str(path))
    (port,), (out,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(port["index"], photos.shape)
    interpreter.allocate_tensors()
    scale, zero = port["quantization"]
    steps = np.clip(np.rint(photos * np.float32(1 / scale)) + zero, -128, 127)
    interpreter.set_tensor(port["index"], steps.astype(np.int8))
    interpreter.invoke()
    scale, zero = out["quantization"]
    found = interpreter.get_tensor(out["index"]).astype(np.float32)
    return np.asarray((found - zero) * np.float32(scale))


def test_bytes_stay_bytes(folder: Path) -> None:
    module = Traced(lambda layer, x: (layer(x.float()), x.float() * 2.0))
    given = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    source = source_of("bytes", module, given, outputs=2)
    session = BACKEND.load(exported(source, folder), ONE)
    assert session.description["inputs"] == ["in_0 uint8 [?, 3, 4]"]
    more = np.concatenate([given, given, given[:1]])
    for found, right in zip(session.run({"in_0": more}), expected(source, more), strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-5)
    with pytest.raises(BackendError, match="not the type float32"):
        session.run({"in_0": more.astype(np.float32)})


def test_several_inputs_keep_their_order_and_names(folder: Path) -> None:
    module = Traced(lambda layer, a, b, c: (layer(a) - b, c * 2.0, b + c))
    shapes = [(2, 4), (2, 3), (2, 3)]
    examples = [np.random.default_rng(n).random(s, np.float32) for n, s in enumerate(shapes)]
    source = source_of("several", module, *examples, outputs=3)
    session = BACKEND.load(exported(source, folder), ONE)
    assert session.input_names == ("in_0", "in_1", "in_2")
    assert session.output_names == ("out_0", "out_1", "out_2")
    found = session.run(dict(reversed(list(source.examples.items()))))
    for one, right in zip(found, expected(source, *examples), strict=True):
        np.testing.assert_allclose(one, right, rtol=1e-5, atol=1e-6)


def test_a_model_that_fixes_its_batch_is_exported_for_one_sample(folder: Path) -> None:
    module = Traced(lambda layer, x: layer(x) + torch.arange(len(x)).sum().float())
    given = np.ones((2, 4), np.float32)
    session = BACKEND.load(exported(source_of("fixes", module, given), folder), ONE)
    assert session.description["inputs"] == ["in_0 float32 [1, 4]"]
    assert session.run({"in_0": given})[0].shape == (2, 3)


@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_gnmt_keeps_all_its_axes_open(part: str, folder: Path) -> None:
    pytest.importorskip("tensorflow")
    definition = get_workload("pocket-gnmt").definitions()[part]  # type: ignore[attr-defined]
    source = definition.source()
    session = BACKEND.load(exported(source, folder), ONE)
    assert session.input_names == source.input_names
    assert session.output_names == source.output_names
    for given in (source.examples, longer(source.examples), source.examples):
        right = expected(source, *given.values())
        for found, one in zip(session.run(given), right, strict=True):
            assert found.dtype == one.dtype
            np.testing.assert_allclose(found, one, rtol=1e-4, atol=1e-5)


def longer(examples: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Make twice as many sentences, with more places for words than any has."""
    made = {name: np.concatenate([array, array]) for name, array in examples.items()}
    wider = {"memory", "keys"} if "memory" in made else {"tokens"}
    for name in wider:
        ends = [(0, 0)] * made[name].ndim
        ends[1] = (0, 4)
        made[name] = np.pad(made[name], ends)
    return made


def test_what_cannot_be_expressed_is_named(folder: Path) -> None:
    module = Traced(lambda layer, x: torch.digamma(layer(x)))
    source = source_of("strange", module, np.ones((2, 4), np.float32))
    with pytest.raises(
        UnsupportedModelError, match=r"strange can't be .* lacks aten\.digamma"
    ) as e:
        BACKEND.export(source, folder / "strange.tflite")
    assert e.value.operators == ("aten.digamma.default",)
    assert not (folder / "strange.tflite").exists()


def test_exports_are_the_same_each_time(source: SourceModel, model: ModelFile) -> None:
    again = model.path.with_name("again.tflite")
    BACKEND.export(source, again)
    assert again.read_bytes() == model.path.read_bytes()


def test_nothing_is_imported_before_it_is_used() -> None:
    script = (
        "import sys\n"
        "from inferometer.backends import get_backend\n"
        "backend = get_backend('litert')\n"
        "print(backend.version(), backend.devices(), *backend.export_versions())\n"
        "assert not {'ai_edge_litert', 'litert_torch', 'torch'} & set(sys.modules)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
    assert "('cpu',) litert-torch" in found.stdout
    assert isinstance(BACKEND, Exporter)


def test_a_missing_framework_gives_the_command_that_installs_it(
    model: ModelFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(
        MissingBackendError, match=r"install it with: pip install 'inferometer\[litert\]'"
    ):
        BACKEND.load(model, ONE)
