"""``inferometer list``: a line for each thing, and all of one."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from inferometer.cli import list as verb
from inferometer.cli.list import command


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return verb.gathered()


@pytest.fixture(autouse=True)
def gathered_once(found: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verb, "gathered", lambda: found)


def listed(found: dict[str, Any], width: int) -> list[str]:
    console = Console(file=StringIO(), width=width, highlight=False)
    verb.print_list(found, console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


def test_json_holds_everything(found: dict[str, Any]) -> None:
    assert json.loads(run("--json").output) == found
    names = {one["name"] for one in found["workloads"]}
    assert names >= {"classification", "detection", *found["suites"]["pocket"]}
    assert names >= set(found["suites"]["reference"])
    assert len(found["suites"]["pocket"]) == len(found["suites"]["reference"]) == 5
    assert {one["name"] for one in found["backends"]} >= {"null", "onnxruntime"}
    assert found["rounds"] == ["v0.5", "v6.1"]
    assert all(one["files"] for one in found["models and data"])


def test_each_thing_has_a_line_of_80_columns(found: dict[str, Any]) -> None:
    lines = listed(found, width=80)
    assert max(len(line) for line in lines) <= 80
    first = [line.split()[0] for line in lines if line.strip()]
    for one in (*found["workloads"], *found["models and data"]):
        assert one["name"] in first
    here = [one["name"] for one in found["backends"] if one["status"] == "here"]
    assert set(here) <= set(first)
    things = [line for line in lines if line.startswith("pocket-")]
    assert len(things) == 5
    assert not any("…" in line for line in things)


def test_what_is_missing_is_named(found: dict[str, Any]) -> None:
    lacking = {
        "backends": [
            {"name": "here", "version": "1", "devices": ["cpu"], "precisions": ["fp32"],
             "status": "here"},
            {"name": "absent", "status": "install it"},
        ],
        "models and data": [
            {"name": "whole", "title": "Whole", "files": {"a": "here", "b": "here"}},
            {"name": "half", "title": "Half", "files": {"a": "here", "b": "missing"}},
            {"name": "none", "title": "None", "files": {"a": "missing", "b": "missing"}},
        ],
        "workloads": [
            {"name": "ill", "status": "[its] plugin fails"},
            *(one for one in found["workloads"] if one["name"] != "detection"),
        ],
    }  # fmt: skip
    lines = [" ".join(line.split()) for line in listed({**found, **lacking}, width=80)]
    assert "not installed: absent; `inferometer list NAME` says how" in lines
    assert {"whole here Whole", "half in part Half", "none missing None", "ill broken"} <= set(
        lines
    )


def test_one_thing_in_full() -> None:
    text = run("pocket-mobilenet").output
    assert text.startswith("workload pocket-mobilenet\n")
    assert "Fashion-MNIST, test images, 10,000 samples" in text
    both = run("gnmt").output
    assert "workload gnmt\n" in both
    assert "model gnmt\n" in both
    assert "inferometer fetch" in run("imagenet").output
    suite = run("pocket").output
    assert suite.count("workload pocket-") == 5
    assert "suite pocket\n" in suite
    assert "inferometer rules --round v0.5" in run("v0.5").output
    assert all(len(line) <= 80 for line in run("--verbose").output.splitlines() if "/" not in line)


def test_json_of_one_thing(found: dict[str, Any]) -> None:
    one = json.loads(run("onnxruntime", "--json").output)
    assert one["backends"] == [b for b in found["backends"] if b["name"] == "onnxruntime"]
    assert not any(one[kind] for kind in one if kind != "backends")


def test_an_unknown_name_suggests_the_nearest() -> None:
    result = run("pocket-mobilnet")
    assert result.exit_code == 2
    assert "did you mean 'pocket-mobilenet'?" in result.output
