"""The catalogue itself: complete, consistent, and strict about what it doesn't know."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

import pytest

from inferometer.workloads.catalogue.catalogue import get_entry, load_catalogue, parse_entry
from inferometer.workloads.protocol import WorkloadError

MODEL = """
name = "m"
title = "M"
kind = "model"
default_profile = "p"
[[files]]
name = "m.onnx"
url = "https://example.org/m.onnx"
[[profiles]]
name = "p"
framework = "onnxruntime"
format = "onnx"
file = "m.onnx"
inputs = ["x"]
outputs = ["y"]
layout = "NCHW"
dtype = "float32"
preprocessing = "none"
postprocessing = "none"
stated_accuracy = 1
"""


def test_the_five_workloads_and_their_data_are_there() -> None:
    entries = load_catalogue()
    models = [name for name, entry in entries.items() if entry.kind == "model"]
    assert models == ["gnmt", "mobilenet", "resnet50", "ssd-mobilenet", "ssd-resnet34"]
    for name in models:
        reference = entries[name].reference
        assert reference is not None
        assert reference.data_set in entries
        assert reference.round_benchmark == name
        assert entries[name].profiles


@pytest.mark.parametrize(
    ("name", "official", "target", "bound_ms", "samples"),
    [
        ("resnet50", "resnet", 0.756954, 15, 1024),
        ("mobilenet", "mobilenet", 0.702464, 10, 1024),
        ("ssd-mobilenet", "ssd-small", 0.2178, 10, 256),
        ("ssd-resnet34", "ssd-large", 0.198, 100, 64),
        ("gnmt", "gnmt", 23.661, 250, 3_903_900),
    ],
)
def test_targets_are_those_of_the_rules(
    name: str, official: str, target: float, bound_ms: int, samples: int
) -> None:
    reference = get_entry(name).reference
    assert reference is not None
    assert reference.official_name == official
    assert reference.reference_accuracy * reference.quality_ratio == pytest.approx(target)
    assert reference.server_latency_bound_ms == bound_ms
    assert reference.performance_sample_count == samples


def test_files_are_what_their_addresses_say() -> None:
    for entry in load_catalogue().values():
        for file in entry.files:
            if file.url:
                assert unquote(urlsplit(file.url).path).endswith("/" + file.name.split("/")[-1])
            for digest in [file.md5, *(member.md5 for member in file.members)]:
                assert re.fullmatch(r"([0-9a-f]{32})?", digest)
            for name in (file.name, *file.targets):
                assert not name.startswith("/")
                assert ".." not in name
            if not file.url.startswith("https:"):
                assert file.manual or file.md5 or "tensorflow" in file.url


def test_an_unknown_entry_or_profile_suggests_the_nearest() -> None:
    with pytest.raises(WorkloadError, match=r"no 'resnet5'; did you mean 'resnet50'\?; known"):
        get_entry("resnet5")
    with pytest.raises(WorkloadError, match=r"no profile 'resnet50-tflow'; known: resnet50-onn"):
        get_entry("resnet50").profile("resnet50-tflow")


def test_files_of_a_profile() -> None:
    entry = get_entry("mobilenet")
    assert [file.name for file in entry.files_for()] == ["mobilenet_v1_1.0_224.onnx"]
    tf = entry.files_for("mobilenet-tf")
    assert [file.name for file in tf] == ["mobilenet_v1_1.0_224.tgz"]
    assert len(entry.files_for(everything=True)) == len(entry.files)
    assert get_entry("coco").files_for() == list(get_entry("coco").files)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('kind = "model"', 'kind = "modl"'), "m.toml: kind is 'modl'"),
        (('title = "M"', 'titel = "M"'), r"no key 'titel'; did you mean 'title'\?"),
        (('title = "M"', ""), "the key 'title' is missing"),
        (('title = "M"', "title = 3"), "title is 3; expected str"),
        (('inputs = ["x"]', 'inputs = "x"'), r"profiles\[0\]: inputs is 'x'; expected a list"),
        (('file = "m.onnx"', 'file = "n.onnx"'), r"'n.onnx', which no file gives; did you mean"),
        (('url = "https://example.org/m.onnx"', ""), r"files\[0\] needs either url or manual"),
        (('default_profile = "p"', ""), "m has no profile ''; known: p"),
        (("stated_accuracy = 1", "opset = 1.5"), "the key 'stated_accuracy' is missing"),
        (("stated_accuracy = 1", "stated_accuracy = 1\nopset = 1.5"), "1.5; expected int"),
        (('name = "m"', "name = "), "m.toml: not a TOML file"),
        (('url = "', 'members = [{}]\nurl = "'), "need either name or glob"),
        (('url = "', 'members = [1]\nurl = "'), "expected a table"),
    ],
)
def test_mistakes_are_named(change: tuple[str, str], message: str) -> None:
    assert parse_entry("m.toml", MODEL).profile().stated_accuracy == 1.0
    with pytest.raises(WorkloadError, match=message):
        parse_entry("m.toml", MODEL.replace(*change, 1))
