"""One connection to a server: opened, written to, read from, with or without waiting."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
from typing import Any

from inferometer.serving.remote.endpoint import Endpoint
from inferometer.serving.remote.fault import FaultKind, RemoteFault
from inferometer.serving.remote.http_exchange import HttpAnswer, Pieces

__all__ = ["HttpConnection"]

_READ_BYTES = 1 << 18
_MOST_PIECES = 64
_WOULD_WAIT = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class HttpConnection:
    """A connection that carries one exchange at a time.

    Raises `RemoteFault` if the server can't be reached.
    """

    def __init__(self, endpoint: Endpoint, context: ssl.SSLContext | None, timeout_s: float):
        self._address = str(endpoint)
        try:
            plain = socket.create_connection((endpoint.host, endpoint.port), timeout_s)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket: socket.socket = plain
            if context is not None:
                self.socket = context.wrap_socket(plain, server_hostname=endpoint.host)
        except OSError as error:
            raise RemoteFault(
                f"{endpoint} can't be reached: {error}", FaultKind.UNREACHABLE
            ) from error
        self._is_secure = context is not None
        # Two threads may not be within one TLS connection at once.
        self._lock = threading.Lock()
        self._unsent: Pieces = []
        self.answer = HttpAnswer()
        self.sent_ns = 0
        self.flight: Any = None
        """What is on its way; the loop's."""

    def exchange(self, request: Pieces, timeout_s: float) -> HttpAnswer:
        """Send a request and wait for its answer."""
        answer = self.answer
        answer.begin_next()
        try:
            self.socket.settimeout(timeout_s)
            for piece in request:
                self.socket.sendall(piece)
            while not answer.feed(self._received(self.socket.recv(_READ_BYTES))):
                pass
        except OSError as error:
            raise self._fault(error) from error
        return answer

    def is_stale(self) -> bool:
        """Tell whether the server has ended an idle connection, or talks unasked."""
        waiting = select.poll()
        waiting.register(self.socket, select.POLLIN | select.POLLHUP | select.POLLERR)
        return bool(waiting.poll(0))

    def begin(self, request: Pieces) -> bool:
        """Send as much of a request as goes without waiting; tell whether that was all."""
        self.answer.begin_next()
        self._unsent = request
        return self.go_on()

    def go_on(self) -> bool:
        """Send more of what is left; tell whether that was all."""
        unsent = self._unsent
        try:
            with self._lock:
                while unsent:
                    if self._is_secure:
                        sent = self.socket.send(unsent[0])
                    else:
                        sent = self.socket.sendmsg(unsent[:_MOST_PIECES])
                    while unsent and sent >= len(unsent[0]):
                        sent -= len(unsent.pop(0))
                    if sent:
                        unsent[0] = memoryview(unsent[0])[sent:]
        except _WOULD_WAIT:
            return False
        except OSError as error:
            raise self._fault(error) from error
        return True

    def receive(self) -> bool:
        """Take what has come; tell whether the answer is whole."""
        try:
            with self._lock:
                while True:
                    data = self.socket.recv(_READ_BYTES)
                    if self.answer.feed(self._received(data)):
                        return True
                    if not self._is_secure and len(data) < _READ_BYTES:
                        return False
        except _WOULD_WAIT:
            return False
        except OSError as error:
            raise self._fault(error) from error

    def close(self) -> None:
        """End it; whoever sends on it from now on is told."""
        with self._lock, contextlib.suppress(OSError):
            self.socket.close()

    @staticmethod
    def _received(data: bytes) -> bytes:
        if not data:
            raise ConnectionResetError("the server ended it")
        return data

    def _fault(self, error: OSError) -> RemoteFault:
        """Say what went wrong with the connection."""
        if isinstance(error, TimeoutError):
            return RemoteFault(f"{self._address} didn't answer in time", FaultKind.TIMEOUT)
        text = f"the connection to {self._address} was lost: {error}"
        return RemoteFault(text, FaultKind.CONNECTION_LOST)
