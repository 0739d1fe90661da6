"""HTTP transport: the protocol over HTTP/1.1, on kept connections."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Mapping
from typing import Any

from inferometer.serving.remote.account import Account
from inferometer.serving.remote.endpoint import Endpoint, RemoteOptions
from inferometer.serving.remote.fault import RemoteFault
from inferometer.serving.remote.http_connection import HttpConnection
from inferometer.serving.remote.http_exchange import HttpAnswer, HttpRequests, Pieces, specs_of
from inferometer.serving.remote.http_loop import HttpLoop
from inferometer.serving.remote.transport import (
    Arrays,
    Job,
    RemoteModel,
    Reply,
    is_to_be_retried,
    note_reply,
)

__all__ = ["HttpTransport"]

_BACKOFF_S = 0.05
# A server that has come to stand still isn't waited for once more.
_STATISTICS_S = 5.0


class HttpTransport:
    """A model that is reached by HTTP.

    `call` answers on the calling thread, on a connection that it takes from those kept;
    `submit` starts the loop that keeps many in flight, with connections of its own.
    """

    def __init__(self, endpoint: Endpoint, model: str, version: str, options: RemoteOptions):
        self.account = Account()
        self._endpoint, self._model, self._options = endpoint, model, options
        self._context = endpoint.ssl_context()
        self._requests = HttpRequests(endpoint, model, version, is_binary=options.is_binary)
        self._kept: list[HttpConnection] = []
        self._lock = threading.Lock()
        self._loop: HttpLoop | None = None

    def describe(self) -> RemoteModel:
        """Ask for the metadata of server and model."""
        server = self._value(self._requests.get_server())
        model = self._value(self._requests.get_model())
        versions, extensions = model.get("versions"), server.get("extensions")
        return RemoteModel(
            name=str(model.get("name", self._model)),
            version=str(versions[-1]) if isinstance(versions, list) and versions else "",
            platform=str(model.get("platform", "")),
            inputs=specs_of(model.get("inputs")),
            outputs=specs_of(model.get("outputs")),
            server=f"{server.get('name', '')} {server.get('version', '')}".strip(),
            extensions=tuple(map(str, extensions)) if isinstance(extensions, list) else (),
        )

    def statistics(self) -> Mapping[str, Any]:
        """Ask for the model's statistics; nothing from a server that keeps none."""
        with contextlib.suppress(RemoteFault):
            return self._value(self._requests.get_statistics(), _STATISTICS_S)
        return {}

    def _value(self, request: Pieces, longest_s: float = math.inf) -> Mapping[str, Any]:
        answer, _ = self._exchanged(request, longest_s)
        return answer.value()

    def call(self, inputs: Arrays) -> Reply:
        """Have a batch answered; sent again as often as the options say."""
        request = self._requests.infer(inputs)
        tries = 1
        while True:
            try:
                return self._called(request)
            except RemoteFault as fault:
                if not is_to_be_retried(self.account, fault, tries, self._options.retries):
                    raise
            time.sleep(_BACKOFF_S * 2.0 ** min(tries - 1, 5))
            tries += 1

    def _called(self, request: Pieces) -> Reply:
        answer, round_trip_ns = self._exchanged(request)
        outputs, timing = answer.outputs()
        reply = Reply(outputs, round_trip_ns, timing)
        note_reply(self.account, reply)
        return reply

    def _exchanged(self, request: Pieces, longest_s: float = math.inf) -> tuple[HttpAnswer, int]:
        """Have a request answered on a kept connection; give also how long it took, ns."""
        connection = self._taken()
        begun_ns = time.monotonic_ns()
        try:
            limit_s = min(longest_s, self._options.timeout_s)
            answer = connection.exchange(request, limit_s)
        except BaseException:
            connection.close()
            raise
        took_ns = time.monotonic_ns() - begun_ns
        # Another thread may take it at once, so that it needs an answer of its own for that.
        connection.answer = HttpAnswer()
        if answer.is_last:
            connection.close()
        else:
            with self._lock:
                self._kept.append(connection)
        return answer, took_ns

    def _taken(self) -> HttpConnection:
        """Take a kept connection that still stands, or open one."""
        while self._kept:
            with self._lock:
                connection = self._kept.pop() if self._kept else None
            if connection is not None:
                if not connection.is_stale():
                    return connection
                connection.close()
        return self._opened()

    def _opened(self) -> HttpConnection:
        return HttpConnection(self._endpoint, self._context, self._options.timeout_s)

    def submit(self, job: Job) -> None:
        """Have a job answered by the loop."""
        loop = self._loop
        if loop is None:
            loop = self.start()
        loop.submit(job)

    def start(self) -> HttpLoop:
        """Open the connections of the loop now, so that no request waits for it."""
        with self._lock:
            if self._loop is None:
                self._loop = HttpLoop(self._opened, self._requests, self._options, self.account)
            return self._loop

    def stop(self) -> None:
        """End the loop and its connections; another `start` begins anew."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None:
            loop.close()

    def close(self) -> None:
        """End all connections."""
        self.stop()
        while self._kept:
            self._kept.pop().close()
