"""``inferometer tune`` as a user meets it, and its file in ``inferometer run``."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from inferometer.loadgen import Recording
from tests.cli.test_cli import inferometer

pytestmark = pytest.mark.realtime

FILE = """
format = 1
workload = "pocket-mobilenet"
backend = "onnxruntime"
device = "cpu"
number_format = "fp32"

[SingleStream]
threads = 2
serving = "inline"
workers = 2
max_batch = 32

[Offline]
threads = 1
serving = "pool"
workers = 3
max_batch = 4
"""


@pytest.mark.slow
def test_run_takes_the_setup_of_each_scenario(tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text(FILE, "utf-8")
    arguments = ["run", "pocket-mobilenet", "--tuned", "t.toml", "--output", "out", "--json"]
    asked = ["--mode", "performance", "--budget", "0.3", "--workers", "1", "--count", "200"]
    scenarios = ["--scenario", "SingleStream", "--scenario", "Offline"]
    found = inferometer(*arguments, *asked, *scenarios, cwd=tmp_path)
    assert found.returncode in (0, 1), found.stderr
    notes = {}
    for scenario in ("SingleStream", "Offline"):
        text = (tmp_path / "out" / scenario / "performance/run_1/result.json").read_text("utf-8")
        assert json.loads(text)["scenario"] == scenario
        notes[scenario] = recorded_notes(tmp_path / "out" / scenario / "performance/run_1")
    assert notes["SingleStream"]["backend"]["threads"] == 2
    assert notes["SingleStream"]["serving"]["kind"] == "inline"
    assert notes["Offline"]["backend"]["threads"] == 1
    # What the command line says comes before the file.
    assert notes["Offline"]["serving"]["workers"] == 1
    assert notes["Offline"]["serving"]["max_batch_size"] == 4


def recorded_notes(folder: Path) -> Mapping[str, Any]:
    return Recording.load(folder / "recording.npz").notes


def test_what_does_not_fit_a_file_is_said_before_anything_runs(tmp_path: Path) -> None:
    text = FILE.replace('device = "cpu"', 'device = "cuda"') + "\n[machine]\nusable_cores = 999\n"
    (tmp_path / "t.toml").write_text(text, "utf-8")
    asked = ["--scenario", "server", "--in-process", "--backend-option", "no=such"]
    found = inferometer("run", "pocket-mobilenet", "--tuned", "t.toml", *asked, cwd=tmp_path)
    assert "no option 'no'" in found.stderr
    assert "device is cpu, and the file was made for cuda" in found.stderr
    assert "999 in the file" in found.stderr
    assert "it says nothing of Server" in found.stderr


def test_a_wrong_file_is_one_line_and_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text(FILE.replace("threads = 2", "threads = 'two'"), "utf-8")
    found = inferometer("run", "pocket-mobilenet", "--tuned", "t.toml", cwd=tmp_path)
    assert found.returncode == 2
    assert found.stderr == (
        "inferometer: t.toml, line 9: threads is 'two'; it has to be a whole number from 1 up\n"
    )


@pytest.mark.slow
def test_tune_writes_a_file_that_run_takes(tmp_path: Path) -> None:
    found = inferometer("tune", "pocket-mobilenet", "--budget", "8", "--json", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    values = json.loads(found.stdout)
    assert values["file"] == "tuned/pocket-mobilenet-onnxruntime.toml"
    scenarios = [one["scenario"] for one in values["scenarios"]]
    assert scenarios == ["SingleStream", "MultiStream", "Server", "Offline"]
    for one in values["scenarios"]:
        is_tuned = one["outcome"] == "tuned"
        assert is_tuned == (one["gain"] is not None and one["gain"]["low"] > 1)
        assert one["options"] == (one["found"] if is_tuned else one["default"])
    trials = json.loads((tmp_path / "tuned/pocket-mobilenet-onnxruntime.trials.json").read_text())
    assert all(len(trials[name]) > 1 for name in scenarios)
    asked = ["--mode", "performance", "--budget", "0.3", "--count", "200", "--quiet"]
    ran = inferometer("run", "pocket-mobilenet", "--tuned", values["file"], *asked, cwd=tmp_path)
    assert ran.returncode in (0, 1)
    assert "file was made for" not in ran.stderr


@pytest.mark.slow
def test_an_interrupt_leaves_a_file(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "inferometer.cli.main", "tune", "pocket-mobilenet"]
    with subprocess.Popen(
        [*command, "--budget", "300"], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    ) as process:
        assert process.stdout is not None
        # The first remark comes when the first axis is done.
        for line in process.stdout:
            if "SingleStream" in line:
                break
        process.send_signal(signal.SIGINT)
        process.stdout.read()
    assert process.returncode == 130
    text = (tmp_path / "tuned/pocket-mobilenet-onnxruntime.toml").read_text("utf-8")
    assert 'outcome = "interrupted"' in text
