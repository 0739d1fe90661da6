"""The published v0.5 results: every result has a row, and known numbers are what was published."""

from __future__ import annotations

import tarfile
from collections import Counter

import pytest

from inferometer.submission.published import Imported, Need, ResultRow, chosen, import_folder
from tests.submission.published.trees import ids
from tests.support import shared_data

pytestmark = pytest.mark.slow
_LARGEST_BYTES = 1 << 20


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Imported:
    folder = tmp_path_factory.mktemp("published")
    with tarfile.open(shared_data("published-v0.5", "results.tar.xz")) as archive:
        for member in archive:
            # Large logs hold answers and traces, which an import doesn't look at.
            if member.isfile() and member.size < _LARGEST_BYTES:
                archive.extract(member, folder, filter="data")
    return import_folder(next(path.parent for path in folder.rglob("closed")))


def row_of(found: Imported, *words: str) -> ResultRow:
    (row,) = [row for row in found.rows if row.folder.endswith("/".join(words))]
    return row


def test_every_result_has_a_row(found: Imported) -> None:
    assert len(found.rows) == 59
    assert {row.round for row in found.rows} == {"v0.5"}
    assert Counter(row.submitter for row in found.rows) == {
        "Alibaba": 9, "CentaurTechnology": 7, "Intel": 17, "dividiti": 20, "Habana": 4,
        "Inspur": 1, "Qualcomm": 1,
    }  # fmt: skip
    assert all(row.metric_value and row.accuracy and row.is_valid for row in found.rows)
    assert all(row.meets_target for row in found.rows)
    assert found.remarks == ()


def test_kinds_families_and_formats_can_all_be_told(found: Imported) -> None:
    assert Counter(row.processor_kind for row in found.rows) == {
        "CPU": 23, "GPU": 18, "ASIC": 17, "DSP": 1,
    }  # fmt: skip
    assert Counter(row.framework_family for row in found.rows) == {
        "Arm NN": 14, "TensorFlow": 11, "OpenVINO": 9, "TensorFlow Lite": 6, "TensorRT": 6,
        "PyTorch": 6, "Synapse": 4, "ONNX": 2, "SNPE": 1,
    }  # fmt: skip
    assert Counter(row.precision for row in found.rows) == {
        "int8": 32, "fp32": 21, "uint8": 4, "bfloat16": 1, "int8+fp16": 1,
    }  # fmt: skip


# Read by eye from the published summaries and accuracy files.
GOLDEN = [
    ("alibaba_HanGuang/resnet/Server", "ASIC", "scheduled samples/s", 45169.48, 10.161237, 76.038),
    ("alibaba_HanGuang/resnet/SingleStream", "ASIC", "p90 latency", 171874, 0.171874, 76.038),
    ("alibaba_HanGuang/resnet/MultiStream", "ASIC", "samples per query", 2692, 49.747375, 76.038),
    ("alibaba_HanGuang/resnet/Offline", "ASIC", "samples/s", 69306.6, None, 76.038),
    ("ICL-I3-1005G1_OpenVINO-Windows/resnet/Offline", "GPU", "samples/s", 100.925, None, 76.4),
    ("SDM855/mobilenet/MultiStream", "DSP", "samples per query", 25, 48.916779, 70.582),
    ("NF5888M5-1GPU/resnet50/Offline", "GPU", "samples/s", 9450.74, None, 75.909),
    ("0/gnmt/Offline", "ASIC", "samples/s", 12.2797, None, 23.8),
]


@pytest.mark.parametrize(("place", "kind", "metric", "value", "latency_ms", "accuracy"), GOLDEN)
def test_known_results(
    found: Imported,
    place: str,
    kind: str,
    metric: str,
    value: float,
    latency_ms: float | None,
    accuracy: float,
) -> None:
    row = row_of(found, place)
    assert (row.processor_kind, row.metric, row.metric_value) == (kind, metric, value)
    assert (row.latency_ms, row.accuracy) == (latency_ms, accuracy)


def test_server_results_are_the_worst_of_five_runs(found: Imported) -> None:
    row = row_of(found, "nnpi-1000-2x_onnx", "resnet", "Server")
    assert sorted(row.run_values) == [10303.98, 10402.5, 10402.5, 10402.5, 10402.5]
    assert (row.metric_value, row.run_count, row.latency_bound_ms) == (10303.98, 5, 15.0)


def test_what_was_odd_is_kept(found: Imported) -> None:
    assert Counter(one.rule.id for row in found.rows for one in row.findings) == {
        "published.system-elsewhere": 8,
        "published.submitter-differs": 6,
        "published.measurement-elsewhere": 3,
        "published.folder-name": 2,
        "published.division-differs": 1,
        "published.accuracy-partial": 1,
    }
    odd = row_of(found, "NF5888M5-1GPU", "resnet50", "Offline")
    assert ids(odd) == ["published.accuracy-partial", "published.measurement-elsewhere"]


def test_a_need_finds_what_meets_it(found: Imported) -> None:
    need = Need(benchmark="ResNet", scenario="server", processor_kind="cpu", max_latency_ms=15)
    assert [row.system_id for row in chosen(found.rows, need)] == ["clx-9282-2s_pytorch-caffe2"]
    best = chosen(found.rows, Need(benchmark="mobilenet", scenario="SingleStream"))
    assert [row.submitter for row in best[:3]] == ["CentaurTechnology", "Intel", "Intel"]
