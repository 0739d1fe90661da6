"""`inferometer exec`: scripts written against the published API, run unchanged."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from inferometer.loadgen import abandoned_journals
from inferometer.runs import load_session
from tests.support import ROOT

pytestmark = pytest.mark.realtime

SCRIPT = """
import sys
import beside
import mlperf_loadgen as lg

def issue(samples):
    lg.QuerySamplesComplete([lg.QuerySampleResponse(sample.id, 0, 0) for sample in samples])

settings = lg.TestSettings()
settings.min_duration_ms, settings.min_query_count = 0, 100
for scenario in (lg.TestScenario.SingleStream, lg.TestScenario.Offline):
    settings.scenario = scenario
    sut = lg.ConstructSUT(issue, lambda: None)
    library = lg.ConstructQSL(16, 16, lambda _: None, lambda _: None)
    lg.StartTest(sut, library, settings)
    lg.DestroyQSL(library)
    lg.DestroySUT(sut)
print(beside.WORD, sys.argv[1:], __name__, __file__.endswith("harness.py"))
if "raise" in sys.argv:
    raise ValueError("the script's own")
sys.exit(7)
"""


def run_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "inferometer.cli.main", "exec", *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "COLUMNS": "120", "NO_COLOR": "1", "PYTHONPATH": str(ROOT / "src")},
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "harness"
    place.mkdir()
    (place / "harness.py").write_text(SCRIPT, "utf-8")
    (place / "beside.py").write_text("WORD = 'beside'\n", "utf-8")
    return place


def test_a_script_runs_with_its_own_arguments_folder_and_exit_code(
    folder: Path, tmp_path: Path
) -> None:
    found = run_in(tmp_path, "harness/harness.py", "--scenario", "-x", "--output", "mine")
    assert found.returncode == 7, found.stderr
    assert found.stdout == "beside ['--scenario', '-x', '--output', 'mine'] __main__ True\n"
    assert (tmp_path / "mlperf_log_summary.txt").read_text("utf-8").count("Result is")


def test_output_keeps_every_test_with_a_report(folder: Path) -> None:
    found = run_in(folder, "--output", "kept", "harness.py")
    assert found.returncode == 7, found.stderr
    # The script's own output has standard output to itself.
    assert found.stdout.startswith("beside")
    assert "report: kept/report.html" in found.stderr
    session = load_session(folder / "kept")
    assert [test.title for test in session.tests] == [
        "Offline performance",
        "SingleStream performance",
    ]
    assert session.command == "inferometer exec harness.py"
    assert json.loads((folder / "kept/session.json").read_text("utf-8"))["label"] == "script"
    # A second time goes beside the first.
    run_in(folder, "--output", "kept", "harness.py")
    assert len(load_session(folder / "kept").tests) == 4


def test_a_module_runs_like_a_script(folder: Path) -> None:
    found = run_in(folder, "-m", "harness", "one")
    assert found.returncode == 7, found.stderr
    assert "beside ['one'] __main__" in found.stdout


def test_the_error_of_a_script_is_shown_from_the_script_on(folder: Path) -> None:
    found = run_in(folder, "--output", "kept", "harness.py", "raise")
    assert found.returncode == 1
    lines = found.stderr.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert "harness.py" in lines[1]
    assert "ValueError: the script's own" in lines
    assert len(load_session(folder / "kept").tests) == 2


def test_what_cannot_be_run_is_said_in_a_line(folder: Path) -> None:
    found = run_in(folder, "nothing.py")
    assert (found.returncode, found.stderr) == (2, "inferometer: there is no script nothing.py\n")
    assert "'v0.5'" in run_in(folder, "--era", "v0.4", "harness.py").stderr


def test_the_era_chooses_the_form_of_the_api(folder: Path) -> None:
    (folder / "old.py").write_text(
        "import mlperf_loadgen as lg\nprint(lg.TestScenario.MultiStreamFree)\n", "utf-8"
    )
    found = run_in(folder, "--era", "v0.5", "old.py")
    assert found.stdout == "TestScenario.MultiStreamFree\n", found.stderr


def journal_of(process_id: int) -> Path:
    """Find one among those that other tests leave behind and recover meanwhile."""
    for folder in abandoned_journals():
        with contextlib.suppress(OSError):
            header = json.loads((folder / "header.json").read_text())
            if header["notes"]["process_id"] == process_id:
                return folder
    raise AssertionError(f"process {process_id} left no journal")


def test_the_journal_of_a_killed_script_is_recovered(tmp_path: Path) -> None:
    told = "import os, signal\nprint(os.getpid(), flush=True)\n"
    script = SCRIPT.replace("import beside\n", told).replace(
        "def issue(samples):\n",
        "def issue(samples):\n    if samples[0].id > 50: os.kill(os.getpid(), signal.SIGKILL)\n",
    )
    (tmp_path / "killed.py").write_text(textwrap.dedent(script), "utf-8")
    found = run_in(tmp_path, "killed.py")
    assert found.returncode == -signal.SIGKILL
    journal = journal_of(int(found.stdout))
    done = subprocess.run(
        [sys.executable, "-m", "inferometer.cli.main", "recover", str(journal), "--output", "kept"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    assert done.stdout == "recovered SingleStream performance: 51 queries, in kept\n"
    assert not journal.exists()
