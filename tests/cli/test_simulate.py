"""The command ``simulate``: predictions, fits and runs from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inferometer.cli.main import main

SMALL = """\
name = "small"
replicas = 2
[service]
setup_ms = 1.0
per_sample_ms = 1.0
shape = { kind = "lognormal", variation = 0.3 }
[batching]
max_batch = 4
[price]
per_replica_hour = 1.0
currency = "EUR"
"""


@pytest.fixture
def system(tmp_path: Path) -> Path:
    path = tmp_path / "system.toml"
    path.write_text(SMALL)
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = 0
    try:
        main(["simulate", *map(str, arguments)])
    except SystemExit as stop:
        code = int(stop.code or 0)
    out = capsys.readouterr()
    return code, out.out, out.err


def test_the_example_is_a_description(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "example.toml"
    path.write_text(run(capsys, "--example")[1])
    code, out, _ = run(capsys, path)
    assert code == 0
    assert "[[service.batch]]" in out


def test_a_bound_is_kept_or_missed(system: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = (system, "--qps", 800, "--queries", 40_000, "--json")
    code, out, _ = run(capsys, *asked, "--bound-ms", 40)
    found = json.loads(out)
    assert code == 0
    assert found["answer"] == "met"
    assert found["cost"]["per_hour"] == 2.0
    assert found["prediction"]["latency_ms"]["p99"]["value"] < 40
    code, out, _ = run(capsys, *asked, "--bound-ms", 3)
    assert (code, json.loads(out)["answer"]) == (1, "missed")


def test_more_than_can_be_answered_is_said(
    system: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, system, "--qps", 1e6, "--bound-ms", 10, "--quiet")
    assert code == 1
    assert "grows for ever" in out
    assert "MISSED" in out


def test_capacity_and_replicas_with_a_page(
    system: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    asked = ("--capacity", "--bound-ms", 15, "--queries", 3_000, "--quiet", "--page", page)
    code, out, _ = run(capsys, system, *asked)
    assert code == 0
    assert "capacity" in out
    html = page.read_text()
    assert "Latency against load" in html
    assert "capacity " in html
    assert "<script" not in html
    wanted = ("--replicas-for", 5000, "--bound-ms", 15, "--queries", 3_000, "--json")
    code, out, _ = run(capsys, system, *wanted)
    assert code == 0
    assert json.loads(out)["system"]["replicas"] > 2


def test_a_run_is_kept_and_fitted(
    system: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, saved = tmp_path / "run", tmp_path / "fitted.toml"
    asked = ("--replicas", 1, "--qps", 300, "--seconds", 2, "--bound-ms", 50, "--output", folder)
    code, out, _ = run(capsys, system, *asked)
    assert code == 0
    assert "no such system was measured" in out
    code, _, _ = run(capsys, "--from", folder, "--save", saved)
    assert code == 0
    assert "max_batch = 4" in saved.read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "give a SYSTEM, or --from RUN"),
        (("none.toml", "--qps", 1), "simulate --example"),
        (("SYSTEM", "--capacity"), "need --bound-ms"),
        (("SYSTEM", "--scenario", "Offline"), "give --output"),
        (("SYSTEM", "--output", "run"), "Server needs --qps"),
        (("SYSTEM", "--output", "run", "--qps", 1e9), "go through the load generator"),
    ],
)
def test_what_is_missing_is_told(
    arguments: tuple[object, ...],
    told: str,
    system: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, _, err = run(capsys, *(system if one == "SYSTEM" else one for one in arguments))
    assert code == 2
    assert told in " ".join(err.split())
