"""Matrices: what they expand to, and what is said of slips in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.cli.sweep import _EXAMPLE
from inferometer.comparing import option_of
from inferometer.loadgen import Scenario
from inferometer.sweeping import SweepError, parse_matrix, read_matrix
from inferometer.sweeping.option import place_of

HEAD = 'workload = "pocket-mobilenet"\n'


def names(text: str) -> list[str]:
    return [option.label for option in parse_matrix(HEAD + text, "m.toml").options]


def test_values_are_combined_left_out_and_added() -> None:
    text = """
    [matrix]
    backend = ["onnxruntime", "openvino"]
    threads = [1, 2]
    [[exclude]]
    backend = "openvino"
    threads = 2
    [[include]]
    backend = "pytorch"
    [[include]]
    backend = "openvino"
    threads = 1
    """
    assert names(text) == [
        "onnxruntime threads 1",
        "onnxruntime threads 2",
        "openvino threads 1",
        "pytorch",
    ]


def test_the_example_can_be_read() -> None:
    matrix = parse_matrix(_EXAMPLE, "example")
    assert len(matrix.options) == 7
    assert matrix.scenarios == (Scenario.SINGLE_STREAM, Scenario.SERVER, Scenario.OFFLINE)
    assert matrix.price is not None
    assert len(matrix.needs) == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[matrix]\nbackends = ['a']", "m.toml: matrix.backends: there is no 'backends'"),
        ("[matrix]\nbackends = ['a']", "did you mean 'backend'"),
        ("[matrix]\nthreads = [0]", "threads is '0' (expected 1 or more)"),
        ("[matrix]\nthreads = [true]", "matrix.threads holds True; it takes texts or numbers"),
        ("[matrix]\nthreads = ['two']", "m.toml: matrix.threads: option"),
        ("[matrix]\nthreads = []", "matrix.threads is empty"),
        ("[matrix]\nnumber_format = ['int4']", "there is no number format 'int4'; known: fp32"),
        ("", "m.toml: matrix is missing"),
        ("[matrix]\nbackend = 'a'", "it takes a list"),
        ("[matrix]\nbackend = ['a']\n[[exclude]]\nbackend = 'b'", "exclude 1 leaves nothing out"),
        ("[matrix]\nbackend = ['a']\n[[exclude]]\nbackend = 'a'", "no option is left"),
        (
            "[matrix]\nbackend = ['a']\n[[include]]\nbanana = 'b'",
            "1.banana: there is no 'banana'",
        ),
        ("scenarios = ['Sever']\n[matrix]\nbackend = ['a']", "there is no scenario 'Sever'"),
        ("scenarios = ['Server']\n[matrix]\nbackend = ['a']", "server_qps is missing"),
        ("need = ['speed >= 2']\n[matrix]\nbackend = ['a']", "there is no figure 'speed'"),
        ("need = ['accuracy is good']\n[matrix]\nbackend = ['a']", "isn't a need"),
        ("need = ['size <= 3 ms']\n[matrix]\nbackend = ['a']", "size has no unit 'ms'"),
        ("[price]\nper_hour = 1\nper_day = 2\n[matrix]\nbackend = ['a']", "price.per_day is not"),
        ("[matrix\n", "m.toml: not a TOML file"),
        ("[matrix]\nthreads = [" + ",".join(map(str, range(1, 1200))) + "]", "1,199 options"),
        ("[matrix]\nmodel = ['a/m.onnx', 'b/m.onnx']", "two options are called 'model m.onnx'"),
    ],
)
def test_slips_are_named_with_their_place(text: str, said: str) -> None:
    with pytest.raises(SweepError) as caught:
        parse_matrix(HEAD + text, "m.toml")
    assert said in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SweepError, match="sweep --example` prints one"):
        read_matrix(tmp_path / "none.toml")


@given(st.text(), st.text())
def test_any_value_gives_a_harmless_folder(backend: str, device: str) -> None:
    place = place_of(option_of({"backend": backend, "device": device}, "here"))
    assert place not in ("", ".", "..")
    assert not set("/\\\0") & set(place)
    assert Path(place).name == place
