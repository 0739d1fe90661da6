"""Bodies over HTTP: golden bytes, round trips, and everything that can be malformed."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from inferometer.open_inference import Body, ProtocolError, array_of, datatype_of, pack, unpack

_GOLDEN_JSON = (
    b'{"parameters":{"binary_data_output":true},"inputs":[{"name":"x","shape":[2,2],'
    b'"datatype":"FP32","parameters":{"binary_data_size":16}},{"name":"names","shape":[2],'
    b'"datatype":"BYTES","parameters":{"binary_data_size":13}}]}'
)
_GOLDEN_DATA = (
    b"\x00\x00\x80\x3f\x00\x00\x00\x40\x00\x00\x40\x40\x00\x00\x80\x40"
    b"\x02\x00\x00\x00ab\x03\x00\x00\x00\xe2\x82\xac"
)


def test_a_binary_request_is_the_published_bytes() -> None:
    tensors = {
        "x": np.array([[1, 2], [3, 4]], np.float32),
        "names": np.array(["ab", "€"], object),
    }
    text, pieces = pack("inputs", Body(tensors, {"parameters": {"binary_data_output": True}}))
    assert text == _GOLDEN_JSON
    assert b"".join(pieces) == _GOLDEN_DATA


def test_a_binary_request_is_read_without_copies() -> None:
    data = _GOLDEN_JSON + _GOLDEN_DATA
    found = unpack("inputs", data, len(_GOLDEN_JSON))
    assert found.header == {"parameters": {"binary_data_output": True}}
    assert found.tensors["x"].tolist() == [[1, 2], [3, 4]]
    assert found.tensors["x"].base is not None
    assert found.tensors["names"].tolist() == [b"ab", "€".encode()]


_DTYPES = st.sampled_from(["?", "u1", "<u2", "<u4", "<u8", "i1", "<i2", "<i4", "<i8", "<f4", "<f8"])


@settings(deadline=None)
@given(
    data=st.data(),
    is_binary=st.booleans(),
    shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4),
)
def test_what_is_packed_is_unpacked(
    data: st.DataObject, is_binary: bool, shape: tuple[int, ...]
) -> None:
    dtype = np.dtype(data.draw(_DTYPES))
    elements: dict[str, Any] = {"allow_nan": False, "allow_infinity": False}
    array = data.draw(
        hnp.arrays(dtype, shape, elements=hnp.from_dtype(dtype, **elements))
        if dtype.kind == "f"
        else hnp.arrays(dtype, shape)
    )
    if not is_binary and not array.size:
        return
    text, pieces = pack("outputs", Body({"y": array}), is_binary=is_binary)
    length = len(text) if is_binary else None
    found = unpack("outputs", b"".join([text, *pieces]), length).tensors["y"]
    assert found.dtype == dtype
    assert found.shape == array.shape
    assert found.tobytes() == array.tobytes()


@pytest.mark.parametrize("dtype", [">f4", ">i8"])
def test_big_endian_arrays_go_little_endian(dtype: str) -> None:
    array = np.arange(3).astype(dtype)
    text, pieces = pack("outputs", Body({"y": array}))
    found = unpack("outputs", b"".join([text, *pieces]), len(text)).tensors["y"]
    assert found.tolist() == [0, 1, 2]
    assert found.dtype.byteorder in "<="


def test_half_precision_goes_in_binary_only() -> None:
    array = np.array([1.5], np.float16)
    text, pieces = pack("outputs", Body({"y": array}))
    assert unpack("outputs", b"".join([text, *pieces]), len(text)).tensors["y"] == array
    with pytest.raises(ProtocolError, match="only goes in binary"):
        pack("outputs", Body({"y": array}), is_binary=False)


def test_bfloat16_becomes_float32() -> None:
    assert array_of(b"\x80\x3f\x00\xc0", "BF16", (2,)).tolist() == [1.0, -2.0]


def test_a_type_without_a_name_is_refused() -> None:
    with pytest.raises(ProtocolError, match="complex128 can't be sent"):
        datatype_of(np.dtype(complex))


def _tensor(**changed: Any) -> bytes:
    tensor = {"name": "x", "shape": [1], "datatype": "FP32", "data": [1.0], **changed}
    return json.dumps({"inputs": [{k: v for k, v in tensor.items() if v is not None}]}).encode()


@pytest.mark.parametrize(
    ("data", "length", "says"),
    [
        (b"", None, "not JSON"),
        (b"[" * 100_000, None, "not JSON"),
        (b"[]", None, "no list of inputs"),
        (b'{"inputs": []}', None, "no list of inputs"),
        (b'{"inputs": [3]}', None, "not a tensor"),
        (b"{}", 5, "is 5, but 2 bytes came"),
        (b"{}", -1, "is -1"),
        (_tensor(name=None), None, "lacks its name"),
        (_tensor(shape=[-1]), None, "not the shape"),
        (_tensor(shape=[1.5]), None, "not the shape"),
        (_tensor(shape=[True]), None, "not the shape"),
        (_tensor(shape=[1] * 40), None, "not the shape"),
        (_tensor(shape=[1 << 60]), None, "not the shape"),
        (_tensor(shape=[2]), None, "aren't FP32"),
        (_tensor(data=["a"]), None, "aren't FP32"),
        (_tensor(data=[[1], [2, 3]]), None, "aren't FP32"),
        (_tensor(datatype="FP31"), None, "no datatype 'FP31'"),
        (_tensor(datatype="BYTES", data=[1]), None, "aren't BYTES"),
        (_tensor(data=None), None, "neither data nor"),
        (_tensor(parameters={"binary_data_size": -4}), None, "not a number of bytes"),
        (_tensor(parameters={"binary_data_size": "4"}), None, "not a number of bytes"),
        (_tensor(parameters={"binary_data_size": 4}), None, "4 bytes behind the body"),
        (_tensor(parameters={"binary_data_size": 8}) + b"12345678", -8, "takes 4"),
        (_tensor() + b"1234", -4, "left over"),
        (
            _tensor(datatype="BYTES", parameters={"binary_data_size": 6}) + b"\x09\0\0\0ab",
            -6,
            "ends within",
        ),
        (
            _tensor(datatype="BYTES", shape=[1 << 30], parameters={"binary_data_size": 4})
            + b"1234",
            -4,
            "can't hold",
        ),
        (
            json.dumps({"inputs": json.loads(_tensor())["inputs"] * 2}),
            None,
            "the same name",
        ),
    ],
)
def test_malformed_bodies_are_refused(data: bytes | str, length: int | None, says: str) -> None:
    raw = data.encode() if isinstance(data, str) else data
    json_bytes = length if length is None or length in (5, -1) else len(raw) + length
    with pytest.raises(ProtocolError, match=says):
        unpack("inputs", raw, json_bytes)


@settings(deadline=None)
@given(st.binary(max_size=60), st.one_of(st.none(), st.integers(-1, 70)))
def test_no_bytes_do_worse_than_a_protocol_error(data: bytes, length: int | None) -> None:
    with pytest.raises(ProtocolError):
        unpack("inputs", data, length)
