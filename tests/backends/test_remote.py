"""The remote backend: options, names, and what a session says of the server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inferometer.backends import BackendError, BackendOptions, ModelFile, get_backend
from inferometer.backends import remote as module
from inferometer.serving.remote import RemoteFault
from tests.hosting.running import Doubling, ones, options, running


def _load(**extra: str) -> Any:
    model = ModelFile(Path("m"), "remote", member="m")
    return get_backend("remote").load(model, BackendOptions(extra=extra))


def test_a_session_is_like_any_other() -> None:
    with running(Doubling(), options(grpc_port=0)) as server:
        for url in (server.url, str(server.grpc_url)):
            for binary in ("yes", "no"):
                session = _load(url=url, binary=binary)
                assert (session.input_names, session.output_names) == (("x",), ("y",))
                assert session.run(ones(2))[0].tolist() == [[2.0, 2.0]] * 2
                assert session.description["version"].startswith("inferometer ")
                assert session.description["model"] == "m"
                assert session.description["url"] == url
                session.close()


def test_outputs_are_taken_by_name() -> None:
    with running(Doubling(), options()) as server:
        session = _load(url=server.url, outputs="y, z", inputs="x")
        assert session.output_names == ("y", "z")
        with pytest.raises(RemoteFault, match="gave no output 'z' but y"):
            session.run(ones(1))
        session.close()


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        ({}, "say where the server is"),
        ({"url": "http://127.0.0.1:1"}, "can't be reached"),
        ({"url": "grpc://127.0.0.1:1", "timeout_s": "5"}, "UNAVAILABLE"),
        ({"url": "nonsense://x"}, "no server's URL"),
        ({"url": "http://h", "retries": "-1"}, "takes a whole number"),
        ({"url": "http://h", "timeout_s": "0"}, "seconds above 0"),
        ({"url": "http://h", "connections": "0"}, "from 1 up"),
        ({"url": "http://h", "conections": "2"}, "did you mean 'connections'"),
    ],
)
def test_what_is_wrong_is_one_line(extra: dict[str, str], says: str) -> None:
    with pytest.raises(BackendError, match=says):
        _load(**extra)


def test_a_model_that_is_not_there_is_told() -> None:
    with (
        running(Doubling(), options(), name="other") as server,
        pytest.raises(BackendError, match=r"HTTP 404.*there is no model 'm'"),
    ):
        _load(url=server.url)


def test_missing_packages_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PACKAGES", ("httptools", "nothing.like.this"))
    with pytest.raises(BackendError, match=r"pip install 'inferometer\[remote\]'"):
        get_backend("remote").version()
