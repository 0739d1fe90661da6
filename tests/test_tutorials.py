"""Tutorials: everything that they say to type is typed, and works."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT

TUTORIALS = ROOT / "docs" / "tutorials"
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
NAMED = re.compile(r"Save this as `([\w.]+)`:\s*$")


def type_in(tutorial: str, folder: Path) -> str:
    """Do what a tutorial says in an empty folder beside the examples; give what it prints."""
    (folder / "examples").symlink_to(ROOT / "examples")
    text = (TUTORIALS / tutorial).read_text()
    printed, position = [], 0
    for block in BLOCK.finditer(text):
        named = NAMED.search(text[position : block.start()])
        position = block.end()
        if block[1] == "python" and named:
            (folder / named[1]).write_text(block[2])
        elif block[1] == "sh":
            printed.append(run_shell(block[2], folder))
    return "\n".join(printed)


def run_shell(script: str, folder: Path) -> str:
    # The plugin stands on the path with its metadata, which is what installing it does.
    lines = [line for line in script.splitlines() if not line.startswith("pip install")]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {
        **os.environ,
        "PATH": path,
        "PYTHONPATH": str(folder / "installed"),
        "INFEROMETER_HOME": str(folder / "home"),
        "NO_COLOR": "1",
    }
    done = subprocess.run(
        ["bash", "-euc", "\n".join(lines)],
        capture_output=True, text=True, cwd=folder, env=environment, check=False,
    )  # fmt: skip
    # A busy machine may make a run INVALID (1); nothing else is let pass.
    assert done.returncode in (0, 1), done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


def accuracies_of(run: Path) -> list[float]:
    results = [json.loads(path.read_text()) for path in run.rglob("result.json")]
    return [result["accuracy"]["value"] for result in results if "accuracy" in result]


@pytest.fixture(autouse=True)
def needed() -> None:
    for package in ("onnx", "onnxruntime", "cv2", "hotcoco"):
        pytest.importorskip(package)


@pytest.mark.slow
def test_own_model(tmp_path: Path) -> None:
    printed = type_in("own-model.md", tmp_path)
    assert "garments.onnx on garments" in printed
    garments = accuracies_of(tmp_path / "runs/garments")
    assert len(garments) == 2
    assert min(garments) > 0.9
    scenes = accuracies_of(tmp_path / "runs/scenes")
    assert len(scenes) == 2
    assert min(scenes) > 0.4


@pytest.mark.slow
def test_python_function(tmp_path: Path) -> None:
    printed = type_in("python-function.md", tmp_path)
    assert "mine.py:predict on garments" in printed
    assert accuracies_of(tmp_path / "runs/function")[0] > 0.9
    assert "SingleStream: " in printed


@pytest.mark.slow
def test_own_task(tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    metadata = installed / "inferometer_tabular-0.1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Name: inferometer-tabular\nVersion: 0.1.0\n")
    project = (ROOT / "examples/tabular/pyproject.toml").read_text()
    group = re.search(r'entry-points\."([\w.]+)"\]\n(.*?)\n\n', project, re.DOTALL)
    assert group is not None
    (metadata / "entry_points.txt").write_text(f"[{group[1]}]\n{group[2]}\n".replace('"', ""))
    (installed / "inferometer_tabular.py").symlink_to(
        ROOT / "examples/tabular/inferometer_tabular.py"
    )
    type_in("own-task.md", tmp_path)
    found = accuracies_of(tmp_path / "runs/wine")
    assert len(found) == 2
    assert min(found) > 0.9
    line = next((tmp_path / "runs/wine").rglob("accuracy.txt")).read_text()
    assert line.startswith("macro_f1=")
