"""ONNX layers: what a quantised model's layers come to compute in is found out, not assumed."""

from __future__ import annotations

from pathlib import Path

import pytest

from inferometer.backends import BackendOptions, ModelFile, get_backend
from inferometer.backends.onnx_layers import has_quantised_layers, layer_precisions
from tests.support import shared_data

onnx = pytest.importorskip("onnx")


def write_model(path: Path, *operators: str) -> Path:
    """Write a chain of matrix products, [N, 4] to [N, 4], of these operators."""
    helper, kinds = onnx.helper, onnx.TensorProto
    nodes, values, last = [], [], "x"
    for number, operator in enumerate(operators):
        weights, made = f"weights of MatMulInteger {number}", f"product {number}"
        is_integer = operator == "MatMulInteger"
        kind = kinds.INT8 if is_integer else kinds.FLOAT
        values.append(helper.make_tensor(weights, kind, (4, 4), [1] * 16))
        if is_integer:
            taken = f"rounded {number}"
            nodes.append(helper.make_node("Cast", [last], [taken], to=kinds.INT8))
            nodes.append(helper.make_node(operator, [taken, weights], [f"sum {number}"]))
            nodes.append(helper.make_node("Cast", [f"sum {number}"], [made], to=kinds.FLOAT))
        else:
            nodes.append(helper.make_node(operator, [last, weights], [made]))
        last = made
    ends = [helper.make_tensor_value_info(name, kinds.FLOAT, ("N", 4)) for name in ("x", last)]
    graph = helper.make_graph(nodes, "chain", ends[:1], ends[1:], values)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(model, path)
    return path


@pytest.mark.parametrize(
    ("operators", "found"),
    [
        (("MatMul",), {"fp32": 1}),
        (("MatMulInteger",), {"int8": 1}),
        (("MatMulInteger", "MatMul", "MatMulInteger"), {"int8": 2, "fp32": 1}),
    ],
)
def test_layers_are_counted_by_operator_and_not_by_name(
    operators: tuple[str, ...], found: dict[str, int], tmp_path: Path
) -> None:
    path = write_model(tmp_path / "model.onnx", *operators)
    assert layer_precisions(path) == found
    assert has_quantised_layers(path) is ("int8" in found)
    session = get_backend("onnxruntime").load(ModelFile.of_user(path), BackendOptions())
    assert session.description["precision"] == next(iter(found))


def test_an_empty_file_has_no_layers(tmp_path: Path) -> None:
    (tmp_path / "empty.onnx").touch()
    assert not has_quantised_layers(tmp_path / "empty.onnx")
    assert layer_precisions(tmp_path / "empty.onnx") == {}


@pytest.mark.parametrize(("optimisation", "found"), [("all", "int8"), ("none", "fp32")])
def test_layers_run_in_integers_only_where_the_graph_is_optimised(
    optimisation: str, found: str
) -> None:
    model = ModelFile.of_user(shared_data("models", "mobilenet_v1_quant.onnx"))
    options = BackendOptions(threads=1, extra={"graph_optimization": optimisation})
    session = get_backend("onnxruntime").load(model, options)
    assert session.description["precision"] == found
    assert sum(session.description["layers"].values()) == 28
