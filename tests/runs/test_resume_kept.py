"""What is kept of a session to go on with it: what comes back, and what is refused."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from inferometer.backends import BackendOptions
from inferometer.cli.run import command
from inferometer.loadgen import InferometerError, Mode
from inferometer.logs import parse_config
from inferometer.rounds import load_round
from inferometer.runs import (
    Effort,
    Isolation,
    RunFolderError,
    Runner,
    RunRequest,
    ServingOptions,
    SystemOptions,
    load_session,
    resumed_requests,
)
from inferometer.runs.folder_lock import folder_lock
from inferometer.runs.identity import changes
from inferometer.runs.kept_request import request_from, request_mapping
from inferometer.runs.resuming import Continuation, finished_tests
from inferometer.workloads import WorkloadOptions
from tests.runs.sessions import MODEL, OFFLINE, SERVER, Quiet, requests_in, resumed

pytestmark = pytest.mark.realtime


@pytest.fixture
def request_of(tmp_path: Path) -> Callable[..., RunRequest]:
    return requests_in(tmp_path)


def change_kept(*path: str, to: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        file = folder / "resume.json"
        kept = json.loads(file.read_text())
        inner = kept
        for name in path[:-1]:
            inner = inner[name]
        inner[path[-1]] = to
        file.write_text(json.dumps(kept))

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            change_kept("identity", "sha256 of the model", "model", to="0f"),
            "sha256 of the model model was 0f, is [0-9a-f]{64}",
        ),
        (change_kept("identity", "backend", "version", to="2.7.18"), "backend version was 2.7.18"),
        (change_kept("identity", "machine", "host", to="hare"), "machine host was hare, is "),
        (change_kept("request", "workload_options", "count", to=50), "workload samples was 60"),
        (
            change_kept("request", "settings", "Offline", to={"min_query_count": 9}),
            "settings Offline min_query_count was .*, is 9",
        ),
        (change_kept("request", "workload", to="nothing"), "there is no workload"),
        (change_kept("request", "effort", to={"haste": 1}), "can't be read"),
        (change_kept("request", "effort", "budget_s", to="long"), "budget_s is 'long'"),
        (change_kept("request", "serving", "workers", to=True), "workers is True"),
        (change_kept("request", "backend_options", "extra", to=[]), "extra is \\[\\]"),
        (change_kept("request", "tuned", to=[]), "can't be read"),
        (change_kept("request", "modes", to=["fast"]), "can't be read"),
        (change_kept("request", "settings", "Offline", to={"speed": 1}), "unknown setting"),
        (change_kept("request", "round", to="v9"), "can't be read"),
        (change_kept("identity", to=[1]), "resume.json: damaged"),
        (change_kept("format", to=2), "another version of Inferometer wrote it"),
    ],
)
def test_what_has_changed_is_named_and_nothing_is_touched(
    change: Callable[[Path], None], message: str, cut_off: Path
) -> None:
    change(cut_off)
    header = (cut_off / "session.json").read_bytes()
    with pytest.raises(InferometerError, match=message):
        resumed(cut_off)
    assert (cut_off / "session.json").read_bytes() == header
    assert not (cut_off / "interrupted").exists()
    assert len(load_session(cut_off).tests) == 2


def test_another_model_under_the_same_name_is_refused(cut_off: Path, cut_off_once: Path) -> None:
    model = cut_off_once.parent / "model.py"
    model.write_text(f"{MODEL}\n# another\n")
    try:
        with pytest.raises(RunFolderError, match="sha256 of the model"):
            resumed(cut_off)
    finally:
        model.write_text(MODEL)


@pytest.fixture(scope="module")
def cut_off_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cut-off")
    request = requests_in(folder)(scenarios=(OFFLINE,))
    session = Runner(request, Quiet("Offline performance", folder)).run()
    assert [test.was_interrupted for test in session.tests] == [False, True]
    return request.output


@pytest.fixture
def cut_off(cut_off_once: Path, tmp_path: Path) -> Path:
    """Give the folder of a session whose second and last test was interrupted."""
    return Path(shutil.copytree(cut_off_once, tmp_path / "run"))


def test_a_folder_that_is_in_use_is_refused(cut_off: Path) -> None:
    with folder_lock(cut_off), pytest.raises(RunFolderError, match="still writing here"):
        resumed(cut_off)


def test_a_test_that_can_not_be_read_is_kept_and_run_again(cut_off: Path) -> None:
    damaged = cut_off / "Offline/accuracy/recording.npz"
    damaged.write_bytes(b"nothing")
    assert len(resumed(cut_off).tests) == 2
    kept = cut_off / "interrupted/1/Offline/accuracy/recording.npz"
    assert kept.read_bytes() == b"nothing"


@pytest.mark.slow
def test_tests_of_another_session_in_the_folder_are_not_taken_for_finished(
    request_of: Callable[..., RunRequest], tmp_path: Path
) -> None:
    Runner(request_of(), Quiet()).run()
    other = request_of()
    session = Runner(other, Quiet("Offline performance", tmp_path)).run()
    finished = finished_tests(other.output, other.session_id)
    assert [test.title for test in finished] == ["Offline accuracy"]
    assert len(resumed(session.folder).tests) == 4


def test_every_part_of_a_request_comes_back(tmp_path: Path) -> None:
    serving = ServingOptions("pool", 3, 16, 1.5)
    request = RunRequest(
        workload="pocket-gnmt",
        output=tmp_path,
        workload_options=WorkloadOptions(count=7, extra={"a": "b"}, number_format="int8"),
        backend="null",
        backend_options=BackendOptions(threads=2, device="cuda", extra={"x": "y"}),
        serving=serving,
        tuned={SERVER: SystemOptions(BackendOptions(threads=3), serving)},
        isolation=Isolation(2, 1 << 30),
        scenarios=(SERVER, OFFLINE),
        modes=(Mode.SUBMISSION,),
        accuracy_scenarios=(OFFLINE,),
        effort=Effort(1.0, 0.5, 0.1),
        round=load_round("v6.1"),
        division="open",
        area="cloud",
        remarks=("first",),
        user_conf=parse_config("*.Server.target_qps = 5\n"),
        enable_trace=True,
        settings=lambda scenario: {"min_query_count": len(scenario.value)},
        command="inferometer run pocket-gnmt",
    )
    plain = json.loads(json.dumps(request_mapping(request)))
    again = request_from(plain, tmp_path, resumes=True)
    assert again.session_id == request.session_id
    assert again.settings(SERVER) == {"min_query_count": 6}
    assert dataclasses.replace(again, settings=request.settings, resumes=False) == request


def test_files_are_looked_for_from_where_the_run_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.py").write_text("")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    options = WorkloadOptions(model=Path("model.py:answer"), data=Path("synthetic"))
    plain = request_mapping(RunRequest("pocket-gnmt", tmp_path, options))
    assert request_from(plain, tmp_path, resumes=True).workload_options == options
    monkeypatch.chdir("elsewhere")
    found = request_from(plain, tmp_path, resumes=True).workload_options
    assert (found.model, found.data) == (tmp_path / "model.py:answer", Path("synthetic"))


def test_differences_are_named_by_their_place() -> None:
    before = {"a": {"b": 1, "c": [1, 2]}, "d": 2}
    assert list(changes(before, {"a": {"b": 1, "c": (1, 2)}, "d": 2})) == []
    assert list(changes(before, {"a": {"b": 3}, "d": 2, "e": "x"})) == [
        "a b was 1, is 3", "a c was [1, 2], is nothing", "e was nothing, is x",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--resume", "nowhere"], "nowhere holds no run that can be gone on with"),
        (["pocket-gnmt", "--resume", "nowhere"], "leave out workload"),
        (["--resume", "nowhere", "--count", "5"], "leave out --count"),
    ],
)
def test_wrong_use(arguments: list[str], message: str) -> None:
    found = CliRunner().invoke(command, arguments)
    assert message in found.output + str(found.exception)
    assert found.exit_code


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "suite.json: damaged"),
        ('{"format": 1}', "names no workloads"),
        ('{"format": 1, "requests": [5]}', "damaged"),
        ('{"format": 1, "requests": [{"folder": "..", "request": {}}]}', "is no folder"),
        ('{"format": 1, "requests": [{"folder": "a", "request": []}]}', "can't be read"),
        ("[" * 100_000, "damaged"),
    ],
)
def test_suites_that_are_no_suites(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "suite.json").write_text(text)
    with pytest.raises(RunFolderError, match=message):
        resumed_requests(tmp_path)


@pytest.mark.slow
def test_a_suite_goes_on_with_each_workload_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One workload is finished, one was begun, and the others were not."""
    arguments = ["--output", str(tmp_path), "--scenario", "Offline", "--mode", "performance",
                 "--backend", "null", "--budget", "0.1", "--in-process", "--quiet"]  # fmt: skip
    seen: list[RunRequest] = []

    def stop(request: RunRequest, listener: Any) -> Any:
        seen.append(request)
        raise KeyboardInterrupt

    monkeypatch.setattr("inferometer.cli.run.Runner", stop)
    found = CliRunner().invoke(command, arguments)
    assert found.exit_code == 130
    assert "to go on" not in found.output, "nothing was begun"
    Continuation.of(seen[0]).write(seen[0].output)
    names = [one.workload for one in resumed_requests(tmp_path)]
    assert names == ["pocket-mobilenet", "pocket-resnet", "pocket-ssd-mobilenet",
                     "pocket-ssd-resnet", "pocket-gnmt"]  # fmt: skip
    assert [one.resumes for one in resumed_requests(tmp_path)] == [True, *[False] * 4]
    assert resumed_requests(tmp_path)[3].output == tmp_path / "pocket-ssd-resnet"
