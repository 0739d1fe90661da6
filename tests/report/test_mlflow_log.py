"""Sessions in a real MLflow store: complete, found again, and never twice."""

from __future__ import annotations

import dataclasses
import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from inferometer.report.mlflow_log import MlflowError, log_sessions, session_id
from inferometer.runs import Session
from tests.report.sessions import HOSTILE, made_session, written

# SQLAlchemy warns of what MLflow's own tables do.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return written(made_session(), tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mlflow", reason="needs the extra mlflow, which make test-all installs")
    return tmp_path_factory.mktemp("store")


def runs_of(store: Path, experiment: str) -> list[Any]:
    client = importlib.import_module("mlflow.tracking").MlflowClient(
        tracking_uri=f"sqlite:///{store / 'mlflow.db'}"
    )
    found = client.get_experiment_by_name(experiment)
    return list(client.search_runs([found.experiment_id]))


def test_a_session_is_a_run_and_is_logged_once(session: Session, store: Path) -> None:
    page = session.folder / "report.html"
    page.write_text("<!doctype html>")
    (line,) = log_sessions([session], str(store), "one", page)
    assert "logged to one, run " in line
    (again,) = log_sessions([session], str(store), "one", page)
    assert "is already in one, run " in again
    assert line.split()[-1] == again.split()[-1]
    (run,) = runs_of(store, "one")
    assert run.info.status == "FINISHED"
    assert run.data.tags["inferometer.session"] == session_id(session)
    assert run.data.params["workload.name"] == "mobilenet"
    assert run.data.params["Server.settings.server_target_qps"] == "100.0"
    verdict = session.tests[1].verdict
    assert verdict is not None
    metrics = run.data.metrics
    assert metrics["SingleStream.performance.metric_value"] == verdict.metric.value
    assert metrics["SingleStream.accuracy.accuracy"] == 0.95
    assert metrics["Server.performance.is_valid"] == 1.0
    artifacts = Path(run.info.artifact_uri.removeprefix("file://"))
    assert artifacts.is_relative_to(store)
    kept = {path.relative_to(artifacts).as_posix() for path in artifacts.rglob("*.*")}
    assert kept >= {"report.html", "session.json", "Server/performance/run_1/recording.npz"}


def test_another_session_is_another_run(session: Session, store: Path) -> None:
    other = dataclasses.replace(session, started_at="2026-01-02")
    assert session_id(other) != session_id(session)
    lines = list(log_sessions([session, other, session], str(store), "two"))
    assert ["already" in line for line in lines] == [False, False, True]
    assert len(runs_of(store, "two")) == 2


def test_hostile_names_and_several_runs_of_a_scenario(store: Path) -> None:
    hostile = made_session(name=HOSTILE)
    hostile = dataclasses.replace(hostile, tests=(*hostile.tests, hostile.tests[1]))
    list(log_sessions([hostile], str(store), "three"))
    (run,) = runs_of(store, "three")
    assert run.info.status == "FINISHED"
    assert run.data.params["workload.name"].startswith("a|b `c`")


def test_what_mlflow_refuses_is_one_line(session: Session, store: Path) -> None:
    with pytest.raises(MlflowError, match="nosuch"):
        list(log_sessions([session], "nosuch://somewhere", "four"))


def test_missing_mlflow_is_one_line(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    monkeypatch.setitem(sys.modules, "mlflow.tracking", None)
    with pytest.raises(MlflowError, match=r"pip install 'inferometer\[mlflow\]'"):
        list(log_sessions([session], str(tmp_path), "five"))
    assert list(tmp_path.iterdir()) == []
