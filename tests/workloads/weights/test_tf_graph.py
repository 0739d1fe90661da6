"""Frozen TensorFlow graphs: constants of every type, as TensorFlow wrote them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inferometer.workloads.protocol import WorkloadError
from inferometer.workloads.weights.tf_graph import read_graph_tensors
from tests.workloads.weights.fixtures import expected, unpack

pytest.importorskip("google.protobuf")


def test_constants_are_what_tensorflow_wrote(tmp_path: Path) -> None:
    found = read_graph_tensors(unpack("constants.pb", tmp_path))
    wanted = expected("constants")
    assert len(wanted) == 20
    for name, array in wanted.items():
        assert found[name].dtype == array.dtype, name
        assert found[name].shape == array.shape, name
        assert (found[name] == array).all(), name


def test_short_lists_repeat_their_last_value(tmp_path: Path) -> None:
    found = read_graph_tensors(unpack("constants.pb", tmp_path))
    assert found["same"].shape == (3, 5)
    assert found["same"].reshape(-1).tolist() == [0.5] + [0.25] * 14
    assert found["empty"].shape == (0, 4)


def test_identities_pass_constants_on_and_texts_are_left_out(tmp_path: Path) -> None:
    found = read_graph_tensors(unpack("constants.pb", tmp_path))
    assert found["here"] == found["near"] == found["far"] == 2.5
    assert "text" not in found


def test_variables_stand_under_their_name_and_their_read(tmp_path: Path) -> None:
    found = read_graph_tensors(unpack("resnet.pb", tmp_path))
    kernel = found["resnet_model/conv2d/kernel"]
    assert kernel.shape == (7, 7, 3, 2)
    assert found["resnet_model/conv2d/kernel/read"] is kernel


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no constants"),
        (b"no graph at all", "damaged, or no TensorFlow file"),
        (b"\x0a\xff\xff\xff\xff\x0fxx", "damaged, or no TensorFlow file"),
        # A node "c" of type Const without a value.
        (b"\x0a\x0a\x0a\x01c\x12\x05Const", "the constant c has no value"),
    ],
)
def test_files_that_are_no_graphs(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.pb"
    path.write_bytes(content)
    with pytest.raises(WorkloadError, match=message) as error:
        read_graph_tensors(path)
    assert str(path) in str(error.value)


def test_a_tensor_cut_short_is_refused(tmp_path: Path) -> None:
    path = unpack("constants.pb", tmp_path)
    whole = path.read_bytes()
    row = np.arange(6, dtype="<f8").tobytes()
    assert row in whole
    # The same bytes under a shape of one row more: 2 becomes 3.
    head, _, tail = whole.partition(row)
    at = head.rindex(b"\x12\x02\x08\x02")
    path.write_bytes(head[:at] + b"\x12\x02\x08\x03" + head[at + 4 :] + row + tail)
    with pytest.raises(WorkloadError, match=r"whole_f8 has 6 numbers for its shape \(3, 3\)"):
        read_graph_tensors(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match=r"none\.pb: can't be read: No such file"):
        read_graph_tensors(tmp_path / "none.pb")


def test_circles_of_identities_end(tmp_path: Path) -> None:
    def field(number: int, content: bytes) -> bytes:
        return bytes([number << 3 | 2, len(content)]) + content

    def identity(name: bytes, source: bytes) -> bytes:
        return field(1, field(1, name) + field(2, b"Identity") + field(3, source))

    path = unpack("constants.pb", tmp_path)
    path.write_bytes(path.read_bytes() + identity(b"a", b"b") + identity(b"b", b"a:0"))
    found = read_graph_tensors(path)
    assert "a" not in found
    assert found["here"] == 2.5
