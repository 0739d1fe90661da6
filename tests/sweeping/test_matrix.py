"""Matrices: what they expand to, and what is said of slips in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.cli.sweep import _EXAMPLE
from inferometer.loadgen import Scenario
from inferometer.runs import RunRequest
from inferometer.sweeping import Option, SweepError, parse_matrix, read_matrix

HEAD = 'workload = "pocket-mobilenet"\n'


def names(text: str) -> list[str]:
    return [option.name for option in parse_matrix(HEAD + text, "m.toml").options]


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
        "onnxruntime threads=1",
        "onnxruntime threads=2",
        "openvino threads=1",
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
        ("[matrix]\nbackends = ['a']", "m.toml: matrix.backends: there is no option 'backends'"),
        ("[matrix]\nbackends = ['a']", "did you mean 'backend'"),
        ("[matrix]\nthreads = [0]", "m.toml: matrix.threads holds 0; threads takes 1 or more"),
        ("[matrix]\nthreads = [true]", "threads takes whole numbers"),
        ("[matrix]\nthreads = ['two']", "threads takes whole numbers"),
        ("[matrix]\nthreads = []", "matrix.threads is empty"),
        ("[matrix]\nnumber_format = ['int4']", "number_format takes fp32, bf16, fp16, int8"),
        ("", "m.toml: matrix is missing"),
        ("[matrix]\nbackend = 'a'", "it takes a list"),
        ("[matrix]\nbackend = ['a']\n[[exclude]]\nbackend = 'b'", "exclude 1 leaves nothing out"),
        ("[matrix]\nbackend = ['a']\n[[exclude]]\nbackend = 'a'", "no option is left"),
        ("[matrix]\nbackend = ['a']\n[[include]]\nbanana = 'b'", "banana is not a known key"),
        ("scenarios = ['Sever']\n[matrix]\nbackend = ['a']", "there is no scenario 'Sever'"),
        ("scenarios = ['Server']\n[matrix]\nbackend = ['a']", "server_qps is missing"),
        ("need = ['speed >= 2']\n[matrix]\nbackend = ['a']", "there is no figure 'speed'"),
        ("need = ['accuracy is good']\n[matrix]\nbackend = ['a']", "isn't a need"),
        ("need = ['size <= 3 ms']\n[matrix]\nbackend = ['a']", "size has no unit 'ms'"),
        ("[price]\nper_hour = 1\nper_day = 2\n[matrix]\nbackend = ['a']", "price.per_day is not"),
        ("[matrix\n", "m.toml: not a TOML file"),
        ("[matrix]\nthreads = [" + ",".join(map(str, range(1, 1200))) + "]", "1,199 options"),
        ("[matrix]\nmodel = ['a/m.onnx', 'b/m.onnx']", "would lie in the same folder"),
    ],
)
def test_slips_are_named_with_their_place(text: str, said: str) -> None:
    with pytest.raises(SweepError) as caught:
        parse_matrix(HEAD + text, "m.toml")
    assert said in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SweepError, match="sweep --example` prints one"):
        read_matrix(tmp_path / "none.toml")


def test_an_option_changes_what_it_names_and_nothing_else() -> None:
    request = RunRequest(workload="pocket-mobilenet", output=Path("out"))
    option = Option((("backend", "openvino"), ("number_format", "bf16"), ("max_batch", 4)))
    changed = option.applied(request)
    assert changed.backend == "openvino"
    assert changed.backend_options.precision == "bf16"
    assert changed.workload_options.number_format == "fp32"
    assert changed.serving.max_batch_size == 4
    int8 = Option((("number_format", "int8"),)).applied(request)
    assert int8.workload_options.number_format == "int8"
    assert int8.backend_options.precision == "fp32"


@given(st.text(), st.text())
def test_any_value_gives_a_harmless_folder(backend: str, device: str) -> None:
    place = Option((("backend", backend), ("device", device))).place
    assert "/" not in place
    assert "\\" not in place
    assert "\0" not in place
    assert Path(place).name == place
