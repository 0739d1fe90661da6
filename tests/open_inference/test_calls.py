"""Messages over gRPC: golden bytes on the wire, typed contents, and what is malformed."""

from __future__ import annotations

import numpy as np
import pytest

from inferometer.open_inference import ProtocolError
from inferometer.open_inference.calls import infer_request, read
from inferometer.open_inference.messages import METHODS, message_class

_GOLDEN = (
    b"\x0a\x01m\x12\x011"  # model_name 1, model_version 2
    b"\x2a\x0d\x0a\x01x\x12\x04FP32\x1a\x02\x01\x02"  # inputs 5: name 1, datatype 2, shape 3
    b"\x3a\x08\x00\x00\x80\x3f\x00\x00\x00\x40"  # raw_input_contents 7
)


def test_a_request_is_the_published_bytes() -> None:
    request = infer_request("m", "1", {"x": np.array([[1, 2]], np.float32)})
    assert request.SerializeToString() == _GOLDEN
    found = message_class("ModelInferRequest").FromString(_GOLDEN)
    assert read(found.inputs, found.raw_input_contents)["x"].tolist() == [[1, 2]]


def test_every_call_has_its_messages() -> None:
    for name in METHODS:
        assert message_class(f"{name}Request")() == message_class(f"{name}Request")()
        assert message_class(f"{name}Response").FromString(b"") is not None


@pytest.mark.parametrize(
    ("datatype", "field", "values"),
    [
        ("BOOL", "bool_contents", [True, False]),
        ("INT8", "int_contents", [-1, 2]),
        ("INT64", "int64_contents", [-1, 1 << 40]),
        ("UINT8", "uint_contents", [0, 255]),
        ("UINT64", "uint64_contents", [0, 1 << 63]),
        ("FP32", "fp32_contents", [0.5, 1.5]),
        ("FP64", "fp64_contents", [0.1, 0.2]),
        ("BYTES", "bytes_contents", [b"a", b""]),
    ],
)
def test_typed_contents_are_read(datatype: str, field: str, values: list[object]) -> None:
    tensor = message_class("InferInputTensor")(name="x", datatype=datatype, shape=[2])
    getattr(tensor.contents, field).extend(values)
    assert read([tensor], [])["x"].tolist() == values


def test_parameters_are_maps() -> None:
    request = message_class("ModelInferRequest")()
    request.parameters["n"].int64_param = 7
    again = message_class("ModelInferRequest").FromString(request.SerializeToString())
    assert again.parameters["n"].int64_param == 7
    assert again.parameters["n"].WhichOneof("parameter_choice") == "int64_param"


def test_malformed_tensors_are_refused() -> None:
    tensor = message_class("InferInputTensor")(name="x", datatype="FP32", shape=[2])
    with pytest.raises(ProtocolError, match="0 values came for x"):
        read([tensor], [])
    with pytest.raises(ProtocolError, match="2 raw contents came for 1"):
        read([tensor], [b"", b""])
    with pytest.raises(ProtocolError, match="takes 8"):
        read([tensor], [b"1234"])
    with pytest.raises(ProtocolError, match="two tensors"):
        read([tensor, tensor], [b"12345678"] * 2)
    half = message_class("InferInputTensor")(name="x", datatype="FP16", shape=[0])
    with pytest.raises(ProtocolError, match="only goes raw"):
        read([half], [])
    small = message_class("InferInputTensor")(name="x", datatype="INT8", shape=[1])
    small.contents.int_contents.append(1000)
    with pytest.raises(ProtocolError, match="data of x"):
        read([small], [])
