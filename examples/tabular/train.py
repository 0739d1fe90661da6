"""Train a softmax regression on every other row of a CSV file, and write it as ONNX.

python train.py wine.csv wine.onnx
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from inferometer_tabular import read_rows

STEPS = 400
RATE = 0.5


def main(data: Path, output: Path) -> None:
    """Fit weights by gradient descent on standardised features; fold the scaling into them."""
    features, classes = read_rows(data)
    features, classes = features[0::2], classes[0::2]
    mean, spread = features.mean(0), features.std(0)
    x = (features - mean) / spread
    truth = np.eye(classes.max() + 1, dtype=np.float32)[classes]
    weights, bias = np.zeros((x.shape[1], truth.shape[1])), np.zeros(truth.shape[1])
    for _ in range(STEPS):
        scores = np.exp(x @ weights + bias)
        wrong = (scores / scores.sum(1, keepdims=True) - truth) / len(x)
        weights -= RATE * (x.T @ wrong + 1e-3 * weights)
        bias -= RATE * wrong.sum(0)
    folded = (weights / spread[:, None]).astype(np.float32)
    offset = (bias - (mean / spread) @ weights).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["rows", "weights", "bias"], ["scores"])],
        "softmax regression",
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["N", x.shape[1]])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", truth.shape[1]])],
        [
            numpy_helper.from_array(folded, "weights"),
            numpy_helper.from_array(offset, "bias"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, output)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
