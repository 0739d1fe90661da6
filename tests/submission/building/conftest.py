"""Recorded sessions that several tests read; those that change them take a copy."""

from __future__ import annotations

import shutil
from itertools import chain
from pathlib import Path

import pytest

from inferometer.loadgen import Scenario
from tests.submission.building.sessions import imagenet, pocket, record_session, tests_of

SHORT = {"min_duration_ms": 500, "min_query_count": 200}


@pytest.fixture(scope="session")
def pocket_v05(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SingleStream by the book, and Server shortened, of the pocket MobileNet."""
    server = {**SHORT, "server_target_qps": 500.0}
    tests = chain(
        tests_of("v0.5", Scenario.SINGLE_STREAM, "mobilenet"),
        tests_of("v0.5", Scenario.SERVER, "mobilenet", **server),
    )
    folder = tmp_path_factory.mktemp("pocket-v05")
    return record_session(folder, pocket(), tests, label="round v0.5, changed settings")


@pytest.fixture(scope="session")
def pocket_v61(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SingleStream of the pocket MobileNet in the newest round, by the book."""
    tests = tests_of("v6.1", Scenario.SINGLE_STREAM, "mobilenet")
    folder = tmp_path_factory.mktemp("pocket-v61")
    return record_session(folder, pocket(), tests, label="round v6.1")


@pytest.fixture(scope="session")
def whole_v05(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Offline of a MobileNet on a data set of ImageNet's size, by the book."""
    tests = tests_of("v0.5", Scenario.OFFLINE, "mobilenet")
    folder = tmp_path_factory.mktemp("whole-v05")
    return record_session(folder, imagenet(), tests, label="round v0.5")


@pytest.fixture(scope="session")
def whole_v61(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All scenarios of a MobileNet on a data set of ImageNet's size in the newest round."""
    tests = chain(
        tests_of("v6.1", Scenario.SINGLE_STREAM, "resnet50"),
        tests_of("v6.1", Scenario.MULTI_STREAM, "resnet50"),
        tests_of("v6.1", Scenario.SERVER, "resnet50", server_target_qps=500.0),
        tests_of("v6.1", Scenario.OFFLINE, "resnet50"),
    )
    folder = tmp_path_factory.mktemp("whole-v61")
    long = {Scenario.OFFLINE: 700_000_000_000}
    return record_session(folder, imagenet(), tests, label="round v6.1", service_ns=long)


@pytest.fixture
def whole(whole_v05: Path, tmp_path: Path) -> Path:
    """Give a copy of `whole_v05` to change."""
    return Path(shutil.copytree(whole_v05, tmp_path / "whole"))
