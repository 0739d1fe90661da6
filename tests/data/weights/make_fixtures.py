"""Make the fixtures beside this file with TensorFlow (pip install tensorflow-cpu==2.21.0).

Each is a tiny network with the published names of its variables, what it was given and
what TensorFlow computed, so that a reader of weights can be held against the real thing.
The files are packed with gzip; the arrays are in ``expected.npz``.
"""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf  # type: ignore[import-untyped, import-not-found, unused-ignore]

HERE = Path(__file__).parent
v1 = tf.compat.v1
RANDOM = np.random.default_rng(7)
BLOCKS: tuple[tuple[int, int], ...] = (
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
    *[(512, 1)] * 5,
    *((1024, 2), (1024, 1)),
)
DIVISOR = 32


def variable(name: str, *shape: int, low: float = -0.5, high: float = 0.5) -> Any:
    values = RANDOM.uniform(low, high, shape).astype(np.float32)
    return v1.get_variable(name, initializer=values, use_resource=False)


def kernel(name: str, *shape: int) -> Any:
    reach = (3.0 / np.prod(shape[:3])) ** 0.5
    return variable(name, *shape, low=-reach, high=reach)


def norm(scope: str, x: Any, epsilon: float) -> Any:
    channels = int(x.shape[-1])
    values = [
        variable(f"{scope}/gamma", channels, low=0.7, high=1.3),
        variable(f"{scope}/beta", channels),
        variable(f"{scope}/moving_mean", channels),
        variable(f"{scope}/moving_variance", channels, low=0.5, high=1.5),
    ]
    return v1.nn.fused_batch_norm(x, *values, epsilon=epsilon, is_training=False)[0]


def resnet(x: Any, width: int, blocks: tuple[int, ...]) -> Any:
    count = 0

    def conv(x: Any, outputs: int, size: int, stride: int) -> Any:
        nonlocal count
        suffix = f"_{count}" if count else ""
        count += 1
        if stride > 1:
            x = tf.pad(x, [[0, 0], *[[(size - 1) // 2] * 2] * 2, [0, 0]])
        weights = kernel(f"resnet_model/conv2d{suffix}/kernel", size, size, x.shape[-1], outputs)
        x = tf.nn.conv2d(x, weights, stride, "VALID" if stride > 1 else "SAME")
        return norm(f"resnet_model/batch_normalization{suffix}", x, 1e-5)

    x = tf.nn.relu(conv(x, width, 7, 2))
    x = tf.nn.max_pool2d(x, 3, 2, "SAME")
    for stage, repeats in enumerate(blocks):
        inner = width * 2**stage
        for block in range(repeats):
            stride = 2 if stage and not block else 1
            shortcut = x if block else conv(x, 4 * inner, 1, stride)
            y = tf.nn.relu(conv(x, inner, 1, 1))
            y = tf.nn.relu(conv(y, inner, 3, stride))
            x = tf.nn.relu(conv(y, 4 * inner, 1, 1) + shortcut)
    x = tf.reduce_mean(x, [1, 2])
    dense = variable("resnet_model/dense/kernel", x.shape[-1], 5)
    return tf.matmul(x, dense) + variable("resnet_model/dense/bias", 5)


def mobilenet(x: Any, scope: str) -> list[Any]:
    """Give the outputs of all layers."""

    def after(layer: str, x: Any) -> Any:
        layers.append(tf.nn.relu6(norm(f"{scope}/{layer}/BatchNorm", x, 1e-3)))
        return layers[-1]

    layers: list[Any] = []
    weights = kernel(f"{scope}/Conv2d_0/weights", 3, 3, 3, 32 // DIVISOR)
    x = after("Conv2d_0", tf.nn.conv2d(x, weights, 2, "SAME"))
    for number, (outputs, stride) in enumerate(BLOCKS, 1):
        inputs = x.shape[-1]
        layer = f"Conv2d_{number}_depthwise"
        weights = kernel(f"{scope}/{layer}/depthwise_weights", 3, 3, inputs, 1)
        x = tf.nn.depthwise_conv2d(x, weights, [1, stride, stride, 1], "SAME")
        x = after(layer, x)
        layer = f"Conv2d_{number}_pointwise"
        weights = kernel(f"{scope}/{layer}/weights", 1, 1, inputs, outputs // DIVISOR)
        x = after(layer, tf.nn.conv2d(x, weights, 1, "SAME"))
    return layers


def mobilenet_classifier(x: Any) -> Any:
    x = tf.reduce_mean(mobilenet(x, "MobilenetV1")[-1], [1, 2], keepdims=True)
    weights = variable("MobilenetV1/Logits/Conv2d_1c_1x1/weights", 1, 1, x.shape[-1], 5)
    biases = variable("MobilenetV1/Logits/Conv2d_1c_1x1/biases", 5)
    return tf.squeeze(tf.nn.conv2d(x, weights, 1, "SAME") + biases, [1, 2])


def ssd_mobilenet(x: Any, classes: int) -> tuple[Any, Any]:
    scope = "FeatureExtractor/MobilenetV1"
    layers = mobilenet(x, scope)
    maps = [layers[22], layers[26]]
    x = maps[-1]
    for number, (narrow, wide) in enumerate(((8, 16), (4, 8), (4, 8), (2, 4)), 2):
        for step, size, stride, outputs in ((1, 1, 1, narrow), (2, 3, 2, wide)):
            tail = f"{size}x{size}_s{stride}" if stride > 1 else f"{size}x{size}"
            name = f"{scope}/Conv2d_13_pointwise_{step}_Conv2d_{number}_{tail}_{outputs}"
            weights = kernel(f"{name}/weights", size, size, x.shape[-1], outputs)
            x = tf.nn.conv2d(x, weights, stride, "SAME") + variable(f"{name}/biases", outputs)
            x = tf.nn.relu6(x)
        maps.append(x)
    found: dict[int, list[Any]] = {4: [], classes: []}
    for place, features in enumerate(maps):
        anchors = 6 if place else 3
        for kind, size in (("BoxEncodingPredictor", 4), ("ClassPredictor", classes)):
            name = f"BoxPredictor_{place}/{kind}"
            weights = variable(f"{name}/weights", 1, 1, features.shape[-1], anchors * size)
            head = tf.nn.conv2d(features, weights, 1, "SAME")
            head += variable(f"{name}/biases", anchors * size)
            found[size].append(tf.reshape(head, [tf.shape(head)[0], -1, size]))
    return tf.concat(found[4], 1), tf.concat(found[classes], 1)


def freeze(name: str, network: Any, image: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Write a network as a frozen graph; give what it computes."""
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        given = v1.placeholder(tf.float32, [None, *image.shape[1:]], name="input")
        outputs = network(given)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        session.run(v1.global_variables_initializer())
        values = session.run(outputs, {given: image})
        frozen = v1.graph_util.convert_variables_to_constants(
            session, graph.as_graph_def(), [output.op.name for output in outputs]
        )
    (HERE / f"{name}.pb.gz").write_bytes(gzip.compress(frozen.SerializeToString(), mtime=0))
    return {f"{name} output {n}": value for n, value in enumerate(values)}


def constants() -> dict[str, Any]:
    """Write constants of many types, as tensor content and as lists of values."""
    rows = np.arange(6).reshape(2, 3)
    types = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "?")
    arrays = {f"whole_{kind.replace('?', 'b')}": rows.astype(kind) for kind in types}
    arrays |= {f"one_{kind.replace('?', 'b')}": np.array(1, kind) for kind in types}
    with tf.Graph().as_default() as graph:
        for name, array in arrays.items():
            tf.constant(array, name=name)
        tf.constant(0.25, tf.float32, [3, 5], name="same")
        tf.constant(np.zeros((0, 4), np.float32), name="empty")
        tf.constant("text", name="text")
        tf.identity(tf.identity(tf.constant(2.5, name="far"), name="near"), name="here")
        content = graph.as_graph_def()
    for node in content.node:
        if node.name == "same":
            tensor = node.attr["value"].tensor
            tensor.ClearField("tensor_content")
            tensor.float_val[:] = [0.5, 0.25]
    (HERE / "constants.pb.gz").write_bytes(gzip.compress(content.SerializeToString(), mtime=0))
    return {f"constants {name}": array for name, array in arrays.items()}


def checkpoint(vocabulary: int, hidden: int) -> dict[str, Any]:
    """Write a checkpoint with GNMT's names."""
    root = "dynamic_seq2seq"
    shapes: dict[str, tuple[int, ...]] = {}
    for side in ("encoder", "decoder"):
        shapes[f"embeddings/{side}/embedding_{side}"] = (vocabulary, hidden)
    cells = {f"{root}/encoder/bidirectional_rnn/{way}": 1 for way in ("fw", "bw")}
    for number in range(3):
        inputs = 1 if number else 2
        cells[f"{root}/encoder/rnn/multi_rnn_cell/cell_{number}"] = inputs
        cells[f"{root}/decoder/multi_rnn_cell/cell_{number + 1}"] = 2
    attention = f"{root}/decoder/multi_rnn_cell/cell_0_attention/attention"
    cells[attention] = 2
    for name, inputs in cells.items():
        shapes[f"{name}/basic_lstm_cell/kernel"] = ((inputs + 1) * hidden, 4 * hidden)
        shapes[f"{name}/basic_lstm_cell/bias"] = (4 * hidden,)
    shapes[f"{root}/decoder/memory_layer/kernel"] = (hidden, hidden)
    shapes[f"{attention}/bahdanau_attention/query_layer/kernel"] = (hidden, hidden)
    for leaf in ("v", "b", "g"):
        name = f"{attention}/bahdanau_attention/attention_{leaf}"
        shapes[name] = () if leaf == "g" else (hidden,)
    shapes[f"{root}/decoder/output_projection/kernel"] = (hidden, vocabulary)
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        variables = [variable(name, *shape) for name, shape in shapes.items()]
        variables.append(v1.get_variable("global_step", initializer=340_000, use_resource=False))
        session.run(v1.global_variables_initializer())
        values = session.run(variables)
        with tempfile.TemporaryDirectory() as folder:
            path = v1.train.Saver().save(
                session, f"{folder}/translate.ckpt", write_meta_graph=False
            )
            for ending in ("index", "data-00000-of-00001"):
                packed = gzip.compress(Path(f"{path}.{ending}").read_bytes(), mtime=0)
                (HERE / f"translate.ckpt.{ending}.gz").write_bytes(packed)
    return {f"gnmt {one.op.name}": value for one, value in zip(variables, values, strict=True)}


def main() -> None:
    image = RANDOM.integers(-4, 5, (2, 48, 48, 3)).astype(np.float32) / 4
    arrays = freeze("resnet", lambda x: resnet(x, 2, (2, 1)), image)
    arrays |= freeze("mobilenet", mobilenet_classifier, image)
    arrays |= freeze("ssd_mobilenet", lambda x: ssd_mobilenet(x, 7), image)
    arrays |= constants()
    arrays |= checkpoint(vocabulary=11, hidden=4)
    arrays["image"] = (image.transpose(0, 3, 1, 2) * 4).astype(np.int8)
    np.savez_compressed(HERE / "expected.npz", **arrays)


if __name__ == "__main__":
    main()
