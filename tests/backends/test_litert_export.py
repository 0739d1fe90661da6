"""Exports to TensorFlow Lite: types, names and open axes, and files whose batch is fixed."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inferometer.backends import (
    BackendError,
    ModelFile,
    UnsupportedModelError,
)
from inferometer.workloads import get_workload
from tests.backends.litert_models import BACKEND, ONE, Traced, expected, exported, source_of

torch = pytest.importorskip("torch")
interpreters = pytest.importorskip("ai_edge_litert.interpreter")
litert_torch = pytest.importorskip("litert_torch")

pytestmark = [pytest.mark.slow, pytest.mark.torch]


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
