"""The command line as a user meets it: output, JSON, errors, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from inferometer.cli.main import main
from inferometer.loadgen import Era, Recording, Scenario
from tests.support import ROOT

pytestmark = pytest.mark.realtime


def inferometer(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "inferometer.cli.main", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "COLUMNS": "120", "NO_COLOR": "1"},
        check=False,
    )


def test_help_names_every_command_and_imports_no_framework() -> None:
    found = inferometer("--help")
    assert found.returncode == 0
    for verb in ("run", "list", "report", "check-env", "recover"):
        assert verb in found.stdout
    assert "Exit codes" in found.stdout
    script = (
        "import sys\nfrom inferometer.cli.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print('LOADED', sorted({'onnxruntime', 'torch'} & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert found.stdout.endswith("LOADED []\n")


def test_version() -> None:
    assert inferometer("--version").stdout.startswith("inferometer, version ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rnu"], "there is no command 'rnu'; did you mean 'run'?"),
        (["run", "pocket-mobilnet"], "did you mean 'pocket-mobilenet'?"),
        (["run", "pocket-mobilenet", "--scenario", "Sever"], "there is no scenario 'Sever'"),
        (
            ["run", "pocket-mobilenet", "--set", "server_target_gps=5"],
            "did you mean 'server_target_qps'?",
        ),
        (["run", "pocket-mobilenet", "--set", "nothing"], "write name=value"),
        (["run", "pocket-mobilenet", "--backend", "onxruntime"], "did you mean 'onnxruntime'?"),
        (["run", "pocket-mobilenet", "--device", "quantum"], "no device 'quantum' here"),
        (["run", "pocket-mobilenet", "--backend-option", "x"], "write name=value"),
        (["run", "--round", "v0.6"], "there is no round 'v0.6'"),
        (["run", "pocket-mobilenet", "--settings", "none.toml"], "none.toml: No such file"),
        (["run", "--mode", "fast"], "'fast' is not one of"),
        (["report", "nowhere"], "nowhere is not a run folder"),
        (["recover", "nowhere"], "nowhere holds no test that was cut off"),
    ],
)
def test_wrong_use_is_one_clear_message_and_exit_code_2(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("onnxruntime")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_wrong_use_prints_no_traceback(tmp_path: Path) -> None:
    found = inferometer("report", "nowhere", cwd=tmp_path)
    assert (found.returncode, found.stderr.count("\n")) == (2, 1)
    assert "nowhere is not a run folder" in found.stderr


def test_list_says_how_to_get_a_missing_backend() -> None:
    script = (
        "import sys\nsys.modules['onnxruntime'] = None\n"
        "from inferometer.cli.main import main\nmain(['list', '--json'])"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    backends = {b["name"]: b for b in json.loads(found.stdout)["backends"]}
    assert "pip install 'inferometer[onnxruntime]'" in backends["onnxruntime"]["status"]


def test_check_env() -> None:
    found = inferometer("check-env", "--json")
    assert found.returncode in (0, 1)
    values = json.loads(found.stdout)
    names = {check["name"] for check in values["checks"]}
    assert {"clock", "timer", "processor cores", "backends"} <= names
    assert values["system"]["python"].startswith("CPython")
    text = inferometer("check-env").stdout
    assert "woken late by" in text


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("onnxruntime")
    folder = tmp_path_factory.mktemp("cli") / "run"
    found = inferometer(
        "run", "pocket-mobilenet",
        "--output", str(folder), "--budget", "0.3", "--scenario", "single-stream",
        "--scenario", "Offline",
    )  # fmt: skip
    # On a busy machine a result may be INVALID; that isn't what is tested here.
    assert found.returncode in (0, 1), found.stdout + found.stderr
    assert "SingleStream" in found.stdout
    assert "VALID" in found.stdout
    assert "93.0" in found.stdout
    assert f"report: {folder / 'report.html'}" in found.stdout
    return folder


def test_report_again(run_folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "again.html"
    found = inferometer("report", str(run_folder), "--output", str(page))
    assert found.returncode == 0
    assert "SingleStream" in found.stdout
    assert page.read_text().startswith("<!doctype html>")
    (session,) = json.loads(inferometer("report", str(run_folder), "--json").stdout)
    assert len(session["tests"]) == 4
    metrics = {
        t["scenario"]: t["performance"]["metric"] for t in session["tests"] if "performance" in t
    }
    assert metrics["Offline"]["unit"] == "1/s"
    # So short a run may not tell how sure it is: an end that isn't known stays open.
    low = metrics["SingleStream"]["interval"]["low"]
    assert low is None or low <= metrics["SingleStream"]["value"]


def test_json_output_is_json_alone(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    found = inferometer(
        "run", "pocket-mobilenet",
        "--output", str(tmp_path / "run"), "--budget", "0.2", "--scenario", "Server",
        "--mode", "performance", "--target-qps", "300", "--json",
        "--set", "server_target_latency_ns=1000",
    )  # fmt: skip
    assert found.returncode == 1, "a bound of 1 µs is not met"
    values = json.loads(found.stdout)
    (test,) = values["tests"]
    assert test["performance"]["is_valid"] is False
    assert test["performance"]["perf_constraints_met"] is False
    assert {f["rule"] for f in test["findings"]} >= {"criteria.latency-bound"}
    assert Path(values["report"]).exists()


@pytest.mark.slow
def test_settings_file_and_round(tmp_path: Path) -> None:
    """By the book of v0.5, but for the durations, which a test can't wait for."""
    pytest.importorskip("onnxruntime")
    settings = tmp_path / "short.toml"
    settings.write_text(
        "min_duration_ms = 100\n[Server]\nmin_query_count = 100\nserver_target_qps = 500\n"
        "[MultiStream]\nmin_query_count = 10\n"
    )
    folder = tmp_path / "run"
    found = inferometer(
        "run", "pocket-mobilenet",
        "--round", "v0.5", "--settings", str(settings), "--output", str(folder),
        "--mode", "performance",
    )  # fmt: skip
    assert found.returncode in (0, 1), found.stdout + found.stderr
    assert "by the book of round v0.5" in found.stdout
    runs = sorted(path.name for path in (folder / "Server/performance").iterdir())
    assert runs == [f"run_{n}" for n in range(1, 6)]
    recording = Recording.load(folder / "Server/performance/run_5/recording.npz")
    assert recording.settings.era is Era.V05
    assert recording.settings.qsl_rng_seed == 3133965575612453542
    assert recording.settings.performance_sample_count_override == 1024
    text = (folder / "MultiStream/performance/run_1/mlperf_log_summary.txt").read_text()
    assert "Scenario : Multi Stream\n" in text
    session = json.loads((folder / "session.json").read_text())
    assert session["label"] == "round v0.5, changed settings"


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        ["--scenario", "MultiStream", "--serving", "inline"],
        ["--scenario", "Offline", "--workers", "1", "--max-batch", "7", "--threads", "2"],
        ["--scenario", "Server", "--max-wait-ms", "2", "--target-qps", "200"],
        ["--scenario", "Server", "--mode", "find-peak", "--target-qps", "50",
         "--set", "server_find_peak_qps_decimals_of_precision=0",
         "--set", "server_find_peak_qps_boundary_step_size=8",
         "--set", "server_max_async_queries=100", "--set", "min_query_count=20"],
        ["--scenario", "SingleStream", "--mode", "submission"],
    ],
)  # fmt: skip
def test_options(options: list[str], tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    arguments = [
        "run",
        "pocket-mobilenet",
        "--output",
        str(tmp_path / "run"),
        "--budget",
        "0.2",
        "--quiet",
    ]
    if "--mode" not in options:
        arguments += ["--mode", "performance"]
    found = inferometer(*arguments, *options)
    assert found.returncode in (0, 1), found.stdout + found.stderr
    assert "Traceback" not in found.stderr
    recordings = list((tmp_path / "run").rglob("recording.npz"))
    assert len(recordings) == 1
    assert Recording.load(recordings[0]).settings.scenario in list(Scenario)


def test_a_full_disk_is_said_in_one_line(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    script = (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "from inferometer.cli.main import main\n"
        f"main(['run', '--output', {str(tmp_path / 'run')!r}, '--scenario', 'Offline'])"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert found.returncode in (2, 3)
    assert "Traceback" not in found.stderr
    assert "File too large" in found.stderr
