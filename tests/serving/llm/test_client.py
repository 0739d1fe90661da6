"""The client against a real server: what is sent, what comes back, and what goes wrong."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from inferometer.loadgen import SettingsError
from inferometer.serving.llm import LlmClient, LlmEndpoint, LlmFault, LlmFaultKind, LlmOptions
from inferometer.serving.llm.streamed_answer import StreamedAnswer
from tests.serving.llm.server import Scripted, answer, chat, event, serving

pytest.importorskip("httptools")


class Job:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.answer: StreamedAnswer | None = None
        self.error: BaseException | None = None
        self._over = threading.Event()

    def body(self) -> bytes:
        return b'{"prompt": "p"}'

    def sent(self) -> None:
        self.told.append("sent")

    def first_token(self, answer: StreamedAnswer) -> None:
        self.told.append(f"first {answer.text}")

    def done(self, answer: StreamedAnswer) -> None:
        self.told.append("done")
        self.answer = answer
        self._over.set()

    def failed(self, error: BaseException) -> None:
        self.told.append("failed")
        self.error = error
        self._over.set()

    def wait(self) -> Job:
        assert self._over.wait(60)
        return self

    @property
    def fault(self) -> LlmFault:
        assert isinstance(self.error, LlmFault)
        return self.error


@contextmanager
def client_of(url: str, key: str = "", **options: int | float | str) -> Iterator[LlmClient]:
    endpoint = LlmEndpoint.read(url, {"INFEROMETER_API_KEY": key})
    client = LlmClient(endpoint, LlmOptions("m", **options))  # type: ignore[arg-type]
    try:
        yield client
    finally:
        client.close()


def asked(client: LlmClient, count: int = 1) -> list[Job]:
    jobs = [Job() for _ in range(count)]
    client.submit(jobs)
    return [job.wait() for job in jobs]


def test_an_answer_is_told_piece_by_piece_and_its_connection_used_again() -> None:
    with serving(lambda *_: Scripted(answer(3, usage=5))) as server, client_of(server.url) as it:
        (job,) = asked(it)
        assert job.told == ["sent", "first t0 ", "done"]
        assert job.answer is not None
        assert (job.answer.text, job.answer.token_count) == ("t0 t1 t2 ", 5)
        # The end of the body may still be on its way when the answer is whole.
        for _ in range(5):
            asked(it)
        assert server.connections <= 2
        assert server.heads[0].startswith("POST /v1/chat/completions HTTP/1.1\r\n")
        assert "Authorization" not in server.heads[0]
        notes = it.account.notes()
        assert (notes["answered"], notes["output_tokens"]) == (6, 30)
        assert notes["finish_reasons"] == {"stop": 6}
        assert notes["tokens_counted_by"] == {"usage": 6}


def test_pieces_of_one_byte() -> None:
    whole = b"".join(answer(2))
    script = Scripted([whole[at : at + 1] for at in range(len(whole))])
    with serving(lambda *_: script) as server, client_of(server.url) as it:
        (job,) = asked(it)
        assert job.answer is not None
        assert job.answer.text == "t0 t1 "


def test_no_more_in_flight_than_allowed() -> None:
    with (
        serving(lambda *_: Scripted(answer(20))) as server,
        client_of(server.url, in_flight=3) as it,
    ):
        assert all(job.answer for job in asked(it, 40))
        assert server.most_in_flight <= 3
        assert server.connections <= 4
        assert it.account.notes()["most_in_flight"] == 3


@pytest.mark.parametrize(
    ("script", "kind", "words"),
    [
        (Scripted([b"overloaded"], 503), LlmFaultKind.BUSY, "HTTP 503: overloaded"),
        (Scripted([b"no such model"], 404), LlmFaultKind.REFUSED, "no such model"),
        (Scripted([b"{}"], content_type="application/json"), LlmFaultKind.PROTOCOL, "stream"),
        (Scripted([chat("a")], ending="cut"), LlmFaultKind.CONNECTION_LOST, "lost"),
        (Scripted([chat("a")]), LlmFaultKind.IN_STREAM, "ended before"),
        (Scripted([chat("a"), event({"error": "x"})]), LlmFaultKind.IN_STREAM, "error"),
        (Scripted([b"data: nonsense\n\n"]), LlmFaultKind.PROTOCOL, "no JSON"),
        (Scripted(answer(0)), LlmFaultKind.EMPTY, "empty"),
        (Scripted([chat("a")], ending="hang"), LlmFaultKind.TIMEOUT, "0.2 s"),
    ],
)
def test_what_goes_wrong_is_told(script: Scripted, kind: LlmFaultKind, words: str) -> None:
    with serving(lambda *_: script) as server, client_of(server.url, timeout_s=0.2) as it:
        (job,) = asked(it)
        assert job.fault.kind is kind
        assert words in str(job.fault)
        assert it.account.notes()["failed"] == {kind.value: 1}
        # The client goes on.
        server.script = lambda *_: Scripted(answer(1))
        assert asked(it)[0].answer is not None


def test_an_answer_that_was_whole_counts_though_its_connection_is_cut() -> None:
    with (
        serving(lambda *_: Scripted(answer(2), ending="cut")) as server,
        client_of(server.url) as it,
    ):
        (job,) = asked(it)
        assert job.told == ["sent", "first t0 ", "done"]


def test_a_request_is_sent_again_only_if_nothing_came_and_that_is_recorded() -> None:
    busy = Scripted([b"later"], 429)
    with (
        serving(lambda _, n: busy if n < 2 else Scripted(answer(2))) as server,
        client_of(server.url, retries=2) as it,
    ):
        (job,) = asked(it)
        assert job.told == ["sent", "first t0 ", "done"]
        assert it.account.notes()["retried"] == {"busy": 2}
        server.script = lambda *_: Scripted([chat("a")], ending="cut")
        (job,) = asked(it)
        assert job.told == ["sent", "first a", "failed"]
        assert it.account.notes()["retried"] == {}


def test_a_connection_that_the_server_ended_meanwhile_is_no_failure() -> None:
    with (
        serving(lambda *_: Scripted(answer(1), ending="close")) as server,
        client_of(server.url) as it,
    ):
        assert all(asked(it)[0].answer for _ in range(5))


def test_nobody_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with client_of(f"127.0.0.1:{free.getsockname()[1]}") as it:
            assert asked(it)[0].fault.kind is LlmFaultKind.UNREACHABLE


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_encrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    words = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=127.0.0.1",
        "-addext",
    ]
    names = ["subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", *words, *names], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serving(lambda *_: Scripted(answer(3)), context) as server:
        with client_of(server.url) as it:
            (job,) = asked(it)
            assert job.fault.kind is LlmFaultKind.UNREACHABLE
            assert "certificate verify failed" in str(job.fault)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with client_of(server.url) as it:
            assert all(job.answer for job in asked(it, 20))


def test_forgetting_what_is_on_its_way() -> None:
    with serving(lambda *_: Scripted(ending="hang")) as server, client_of(server.url) as it:
        job = Job()
        it.submit([job])
        it.forget()
        server.script = lambda *_: Scripted(answer(1))
        assert asked(it)[0].answer is not None
        assert "done" not in job.told
        assert "failed" not in job.told


def test_the_key_is_sent_and_never_shown() -> None:
    key = "sk-secret"
    with (
        serving(lambda *_: Scripted([f"bad key {key}".encode()], 401)) as server,
        client_of(server.url, key) as it,
    ):
        (job,) = asked(it)
        assert f"Authorization: Bearer {key}\r\n" in server.heads[0]
        told = [str(job.fault), repr(it.endpoint), json.dumps(it.account.notes())]
        assert not any(key in text for text in told)
        assert "bad key ***" in str(job.fault)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://h:8000", "http://h:8000/v1"),
        ("h:8000/v1/", "http://h:8000/v1"),
        ("https://h/openai/v1/chat/completions", "https://h:443/openai/v1"),
        ("http://[::1]:1/v1", "http://[::1]:1/v1"),
    ],
)
def test_urls(url: str, shown: str) -> None:
    assert str(LlmEndpoint.read(url, {})) == shown


@pytest.mark.parametrize(
    "url", ["ftp://h", "http://", "http://h:x", "http://u:p@h", "http://h?k=1"]
)
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(SettingsError):
        LlmEndpoint.read(url, {})


def test_the_first_key_that_is_there_counts() -> None:
    keys = {"OPENAI_API_KEY": "other", "INFEROMETER_API_KEY": ""}
    assert LlmEndpoint.read("h", keys).key == ""
    assert LlmEndpoint.read("h", {"OPENAI_API_KEY": "other"}).key == "other"


def test_fields_of_the_body_that_are_the_clients() -> None:
    with pytest.raises(SettingsError, match="stream"):
        LlmOptions("m", body={"stream": False})
    options = LlmOptions("m", max_tokens=5, body={"temperature": 0})
    assert options.request_body({"prompt": "p", "max_tokens": 2}) == {
        "model": "m",
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0,
        "max_tokens": 2,
        "prompt": "p",
    }
