"""Options: words become requests, and wrong ones are explained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inferometer.comparing import OptionError, parse_option, with_labels, with_option
from inferometer.runs import RunRequest


def changed(text: str) -> RunRequest:
    return with_option(RunRequest("pocket-mobilenet", Path("out")), parse_option(text))


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("onnxruntime", "onnxruntime"),
        ("onnxruntime:int8", "onnxruntime int8"),
        ("backend=onnxruntime number-format=int8", "onnxruntime int8"),
        ("int8,backend=onnxruntime", "onnxruntime int8"),
        ("openvino,threads=2", "openvino threads 2"),
        ("threads=2", "threads 2"),
        ("pocket-resnet", "pocket-resnet"),
        ("model=some/where/my.onnx", "model my.onnx"),
        ("name=mine openvino", "mine"),
        ("openvino option.num_streams=2", "openvino option.num_streams 2"),
    ],
)
def test_an_option_is_called_by_what_it_is(text: str, label: str) -> None:
    assert parse_option(text).label == label


@pytest.mark.parametrize(
    ("text", "seen", "expected"),
    [
        ("openvino", lambda r: r.backend, "openvino"),
        ("onnxruntime:int8", lambda r: r.workload_options.number_format, "int8"),
        ("onnxruntime:int8", lambda r: r.backend_options.precision, "fp32"),
        ("openvino:bf16", lambda r: r.backend_options.precision, "bf16"),
        ("threads=3", lambda r: r.backend_options.threads, 3),
        ("workers=3", lambda r: r.serving.workers, 3),
        ("batch=8", lambda r: r.serving.max_batch_size, 8),
        ("max_wait_ms=1.5", lambda r: r.serving.max_wait_ms, 1.5),
        ("serving=queue-runner", lambda r: r.serving.kind, "queue-runner"),
        ("serving=in-flight", lambda r: r.serving.kind, "in-flight"),
        ("device=cuda", lambda r: r.backend_options.device, "cuda"),
        ("model=my.py:predict", lambda r: r.backend, "python"),
        ("model=my.onnx", lambda r: r.workload_options.model, Path("my.onnx")),
        ("option.x=y", lambda r: dict(r.backend_options.extra), {"x": "y"}),
        ("workload.x=y", lambda r: dict(r.workload_options.extra), {"x": "y"}),
        ("pocket-resnet", lambda r: r.workload, "pocket-resnet"),
    ],
)
def test_an_option_changes_the_request(text: str, seen: Any, expected: Any) -> None:
    assert seen(changed(text)) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("onxruntime", "did you mean"),
        ("backend=a backend=b", "twice"),
        ("thread=2", "known: workload, model"),
        ("number-format=int4", "known: fp32"),
        ("threads=many", "threads is 'many'"),
        ("threads=0", "expected 1 or more"),
        ("serving=fast", "known: inline"),
        ("max-wait-ms=-1", "0 or more"),
        ("onnxruntime:int4", "no number format 'int4'"),
        ("'unfinished", 'option "\'unfinished"'),
    ],
)
def test_wrong_words_are_explained(text: str, words: str) -> None:
    with pytest.raises(OptionError, match=words.replace("(", r"\(")) as caught:
        changed(text)
    assert "\n" not in str(caught.value)


def test_the_same_option_twice_is_told_apart() -> None:
    options = with_labels([parse_option("onnxruntime")] * 3)
    assert [one.label for one in options] == ["onnxruntime", "onnxruntime (2)", "onnxruntime (3)"]
