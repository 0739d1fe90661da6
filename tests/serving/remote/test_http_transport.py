"""The HTTP client: what it sends, what it reads, and whatever a server may do to it."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from inferometer.serving.remote import (
    Endpoint,
    FaultKind,
    RemoteFault,
    RemoteOptions,
    Reply,
    Transport,
    connect,
)
from tests.serving.remote.scripted_server import (
    Act,
    ScriptedServer,
    answer,
    good,
    hang_up,
    reset,
    scripted,
    sending,
    silent,
    status,
)

_INPUTS = {"x": np.array([[1, 2]], np.float32)}


class Job:
    """A job that takes down what becomes of it."""

    def __init__(self, inputs: Any = None):
        self._inputs = _INPUTS if inputs is None else inputs
        self.replies: list[Reply] = []
        self.errors: list[BaseException] = []
        self._ended = threading.Event()

    def inputs(self) -> Any:
        if isinstance(self._inputs, Exception):
            raise self._inputs
        return self._inputs

    def done(self, reply: Reply) -> None:
        self.replies.append(reply)
        self._ended.set()

    def failed(self, error: BaseException) -> None:
        self.errors.append(error)
        self._ended.set()

    def wait(self) -> Job:
        assert self._ended.wait(30)
        return self


def _transport(server: ScriptedServer, scheme: str = "http", **options: Any) -> Transport:
    chosen = RemoteOptions(**{"connections": 2, "timeout_s": 20.0, **options})
    return connect(f"{scheme}://127.0.0.1:{server.port}", "m", "", chosen)


class _Calls:
    """Calls one by one, on the calling thread."""

    def __init__(self, transport: Transport):
        self._transport = transport

    def __call__(self) -> Reply:
        return self._transport.call(_INPUTS)


class _Jobs:
    """The same through the loop that keeps many in flight."""

    def __init__(self, transport: Transport):
        self._transport = transport

    def __call__(self) -> Reply:
        job = Job()
        self._transport.submit(job)
        job.wait()
        assert len(job.replies) + len(job.errors) == 1
        if job.errors:
            raise job.errors[0]
        return job.replies[0]


@pytest.fixture(params=[_Calls, _Jobs])
def way(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_the_request_is_the_published_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFEROMETER_REMOTE_TOKEN", "secret")
    with scripted() as server:
        transport = _transport(server)
        transport.call(_INPUTS)
        transport.close()
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
    text = (
        b'{"parameters":{"binary_data_output":true},"inputs":[{"name":"x","shape":[1,2],'
        b'"datatype":"FP32","parameters":{"binary_data_size":8}}]}'
    )
    assert body == text + b"\x00\x00\x80\x3f\x00\x00\x00\x40"
    assert head.decode().split("\r\n") == [
        "POST /v2/models/m/infer HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        "Authorization: Bearer secret",
        f"Inference-Header-Content-Length: {len(text)}",
        "Content-Type: application/octet-stream",
        f"Content-Length: {len(body)}",
    ]


_CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b'4\r\n{"ou\r\n49\r\ntputs":[{"name":"output","shape":[1,1],"datatype":"FP32","data":[1.0]}]} '
    b"\r\n0\r\n\r\n"
)


@pytest.mark.parametrize(
    "act",
    [
        good,
        sending(answer(), at_a_time=1),
        sending(_CHUNKED, at_a_time=7),
        sending(answer(extra="Connection: close\r\n"), goes_on=False),
        sending(b"HTTP/1.1 100 Continue\r\n\r\n" + answer()),
    ],
    ids=["whole", "byte by byte", "chunked", "closing", "after a continue"],
)
def test_answers_are_read_however_they_come(way: Any, act: Act) -> None:
    with scripted(act, good, good) as server:
        transport = _transport(server, connections=1)
        ask = way(transport)
        for _ in range(3):
            assert ask().outputs["output"].tolist() == [[1.0]]
        transport.close()
        assert len(server.requests) == 3
    assert transport.account.notes()["retried"] == {}


@pytest.mark.parametrize(
    ("act", "kind", "says"),
    [
        (hang_up, FaultKind.CONNECTION_LOST, "was lost"),
        (reset, FaultKind.CONNECTION_LOST, "was lost"),
        (sending(answer()[:-3], goes_on=False), FaultKind.CONNECTION_LOST, "was lost"),
        (status(503, "full"), FaultKind.BUSY, "HTTP 503.*full"),
        (status(429), FaultKind.BUSY, "HTTP 429"),
        (status(400, "no such input"), FaultKind.FAILED, "HTTP 400.*no such input"),
        (status(500), FaultKind.FAILED, "HTTP 500"),
        (sending(b"SSH-2.0-server\r\n\r\n"), FaultKind.FAILED, "no answer of HTTP"),
        (sending(answer(extra="Content-Length: 1\r\n")), FaultKind.FAILED, "no answer of HTTP"),
        (
            sending(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
            FaultKind.FAILED,
            "can't be read.*no list of outputs",
        ),
    ],
    ids=["hang-up", "reset", "cut", "503", "429", "400", "500", "ssh", "two lengths", "no outputs"],
)
def test_faults_are_named_and_counted_once(way: Any, act: Act, kind: FaultKind, says: str) -> None:
    with scripted(act) as server:
        transport = _transport(server)
        ask = way(transport)
        with pytest.raises(RemoteFault, match=says) as caught:
            ask()
        assert caught.value.kind is kind
        # The next one isn't harmed.
        assert ask().outputs["output"].tolist() == [[1.0]]
        transport.close()
    notes = transport.account.notes()
    assert notes["failed"] == {kind.value: 1}
    assert notes["retried"] == {}
    assert notes["answered"] == 1
    assert notes["first_fault"] == str(caught.value)


def test_a_server_that_never_answers_is_given_up(way: Any) -> None:
    with scripted(silent) as server:
        transport = _transport(server, timeout_s=0.05)
        with pytest.raises(RemoteFault) as caught:
            way(transport)()
        assert caught.value.kind is FaultKind.TIMEOUT
        transport.close()


@pytest.mark.parametrize("act", [hang_up, reset, status(503)])
def test_retries_are_made_only_if_asked_for_and_are_put_on_record(way: Any, act: Act) -> None:
    with scripted(act, act) as server:
        transport = _transport(server, retries=2)
        assert way(transport)().outputs["output"].tolist() == [[1.0]]
        transport.close()
        assert len(server.requests) == 3
    notes = transport.account.notes()
    assert sum(notes["retried"].values()) == 2
    assert notes["failed"] == {}


def test_retries_end(way: Any) -> None:
    with scripted(hang_up, hang_up, hang_up) as server:
        transport = _transport(server, retries=1)
        with pytest.raises(RemoteFault):
            way(transport)()
        transport.close()
        assert len(server.requests) == 2
    notes = transport.account.notes()
    assert (notes["retried"], notes["failed"]) == ({"connection-lost": 1}, {"connection-lost": 1})


def test_errors_of_the_server_are_not_retried(way: Any) -> None:
    with scripted(status(500)) as server:
        transport = _transport(server, retries=5)
        with pytest.raises(RemoteFault):
            way(transport)()
        transport.close()
        assert len(server.requests) == 1


def test_connections_are_kept_and_no_more_are_opened_than_asked_for() -> None:
    with scripted() as server:
        transport = _transport(server, connections=3)
        jobs = [Job() for _ in range(200)]
        for job in jobs:
            transport.submit(job)
        for job in jobs:
            assert job.wait().replies
        transport.close()
        assert server.connections == 3
        assert len(server.requests) == 200


def test_large_requests_go_in_pieces_that_the_socket_takes() -> None:
    inputs = {"x": np.arange(1 << 21, dtype=np.float32).reshape(1, -1)}
    with scripted() as server:
        transport = _transport(server)
        jobs = [Job(inputs) for _ in range(4)]
        for job in jobs:
            transport.submit(job)
        for job in jobs:
            assert job.wait().replies
        transport.close()
        for request in server.requests:
            assert request.endswith(inputs["x"].tobytes())


def test_a_job_without_inputs_fails_alone() -> None:
    with scripted() as server:
        transport = _transport(server, connections=1)
        jobs = [Job(), *(Job(ValueError("none")) for _ in range(3000)), Job()]
        for job in jobs:
            transport.submit(job)
        assert jobs[0].wait().replies
        assert jobs[-1].wait().replies
        assert all(isinstance(job.wait().errors[0], ValueError) for job in jobs[1:-1])
        transport.close()


def test_a_server_that_is_gone_fails_what_waits() -> None:
    with scripted() as server:
        transport = _transport(server, connections=1)
        first = Job()
        transport.submit(first)
        assert first.wait().replies
    jobs = [Job() for _ in range(20)]
    for job in jobs:
        transport.submit(job)
    kinds = set()
    for job in jobs:
        (error,) = job.wait().errors
        assert isinstance(error, RemoteFault)
        kinds.add(error.kind)
        assert not job.replies
    assert kinds <= {FaultKind.CONNECTION_LOST, FaultKind.UNREACHABLE}
    assert transport.account.notes()["failed"].keys() == {kind.value for kind in kinds}
    transport.close()


def test_an_unreachable_server_is_told() -> None:
    with scripted() as server:
        pass
    with pytest.raises(RemoteFault, match="can't be reached") as caught:
        _transport(server).call(_INPUTS)
    assert caught.value.kind is FaultKind.UNREACHABLE


def test_the_servers_share_is_kept_apart() -> None:
    timed = sending(answer(extra="Server-Timing: queue;dur=0.001, infer;dur=0.002\r\n"))
    with scripted(timed, timed) as server:
        transport = _transport(server)
        transport.call(_INPUTS)
        transport.call(_INPUTS)
        notes = transport.account.notes()
        transport.close()
    assert notes["server_ns"] == {"mean": 3000, "p50": 3000, "p99": 3000}
    assert notes["server_queue_ns"]["mean"] == 1000
    assert notes["network_ns"]["mean"] == notes["round_trip_ns"]["mean"] - 3000
    assert transport.account.notes()["answered"] == 0


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://host", "no server's URL"),
        ("http://", "no server's URL"),
        ("http://host:99999999", "no server's URL"),
        ("http://user:pass@host", "INFEROMETER_REMOTE_TOKEN"),
        ("http://host?token=x", "INFEROMETER_REMOTE_TOKEN"),
    ],
)
def test_urls_that_are_none_or_hold_secrets_are_refused(url: str, says: str) -> None:
    with pytest.raises(RemoteFault, match=says):
        Endpoint.read(url, {})


def test_a_token_is_never_shown() -> None:
    endpoint = Endpoint.read("host:8000/base/", {"INFEROMETER_REMOTE_TOKEN": "s3cret"})
    assert "s3cret" not in repr(endpoint) + str(endpoint)
    assert str(endpoint) == "http://host:8000/base"
    with pytest.raises(RemoteFault, match="printable"):
        Endpoint.read("host", {"INFEROMETER_REMOTE_TOKEN": "a\r\nX: y"})
    assert Endpoint.read("grpc://[::1]:1", {}).address == "[::1]:1"
