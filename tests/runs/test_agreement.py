"""Agreement of backends: answers of the same model compared on the same samples."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from inferometer.backends import BackendOptions
from inferometer.cli.agree import command
from inferometer.report import agreement_markdown
from inferometer.runs import Agreement, agreements
from inferometer.workloads import WorkloadOptions

pytest.importorskip("onnxruntime")
SOME = WorkloadOptions(count=64)
ONE = BackendOptions(threads=1)


def test_the_reference_agrees_with_itself_and_nothing_with_noughts() -> None:
    rows = agreements("pocket-resnet", ["onnxruntime", "null"], SOME, ONE)
    assert [row.backend for row in rows] == ["onnxruntime", "null"]
    reference, null = rows
    assert reference.difference == 0.0
    assert reference.agrees is True
    assert reference.precision == "fp32"
    assert reference.accuracy is not None
    assert reference.accuracy.value > 0.8
    assert null.agrees is False
    assert null.paired is not None
    assert null.paired.value < -0.5


def test_a_backend_that_is_missing_or_lacks_something_has_a_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from importlib import metadata

    installed = metadata.version

    def without_openvino(name: str) -> str:
        if name == "openvino":
            raise metadata.PackageNotFoundError(name)
        return installed(name)

    monkeypatch.setattr("inferometer.backends.installed.metadata.version", without_openvino)
    rows = agreements("pocket-gnmt", ["openvino", "python"], WorkloadOptions(count=2), ONE)
    assert rows[0].accuracy is not None
    assert "pip install 'inferometer[openvino]'" in rows[1].problem
    assert "comes as ONNX, and the backend reads python" in rows[2].problem


def test_markdown_names_versions_and_reasons() -> None:
    rows = [
        Agreement("w", "a", "1.0", "fp32", 1e-6),
        Agreement("w", "b", "2.0", problem="no LSTM", operators=("LSTM",)),
    ]
    text = agreement_markdown(rows)
    assert "| w | a | fp32 | 1.0e-06 | not measured | – |" in text
    assert "| w | b | – | – | lacks LSTM | – |" in text
    assert "Versions: a 1.0, b 2.0." in text
    assert "- `w` on `b`: no LSTM" in text


def test_the_command_replaces_the_table_in_a_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- agreement -->\nold\n<!-- end of agreement -->\nafter\n")
    arguments = ["pocket-mobilenet", "--backend", "onnxruntime", "--count", "32", "--json"]
    result = CliRunner().invoke(command, [*arguments, "--markdown", str(page)])
    assert result.exit_code == 0, result.output
    (row,) = json.loads(result.stdout)
    assert row["agrees"] is True
    assert row["samples"] == 32
    text = page.read_text()
    assert text.startswith("before\n<!-- agreement -->\n| workload |")
    assert text.endswith("<!-- end of agreement -->\nafter\n")
    assert "old" not in text
