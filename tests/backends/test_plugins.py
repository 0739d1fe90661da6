"""Plugins: other packages add backends and workloads without touching the core."""

from __future__ import annotations

from importlib import metadata

import pytest

from inferometer.backends import BackendError, NullBackend, Plugins, backend_names, get_backend


def add(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    point = metadata.EntryPoint(name, value, "inferometer.backends")
    monkeypatch.setattr(metadata, "entry_points", lambda group: [point])


def test_an_entry_point_adds_a_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    add(monkeypatch, "mine", "inferometer.backends.null:NullBackend")
    assert "mine" in backend_names()
    assert isinstance(get_backend("mine"), NullBackend)


def test_a_built_in_name_cannot_be_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    add(monkeypatch, "null", "nowhere:Nothing")
    assert isinstance(get_backend("null"), NullBackend)


def test_unknown_names() -> None:
    plugins = Plugins("thing", "no.such.group", {"alpha": "os:getcwd"}, BackendError)
    with pytest.raises(BackendError, match="there is no thing 'alpa'; did you mean 'alpha'"):
        plugins.find("alpa")
    assert plugins.names() == ["alpha"]
