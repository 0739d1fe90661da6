"""A server that does what its script says with each request, on a real socket."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from inferometer.open_inference import Body, pack
from inferometer.open_inference.body import HEADER_LENGTH

Act = Callable[[socket.socket, bytes], bool]
"""Answers a request, head and body; tells whether the connection goes on."""


def answer(values: Any = (1.0,), extra: str = "", status: str = "200 OK") -> bytes:
    """Give the answer of an inference with one output."""
    body = Body({"output": np.array([values], np.float32)}, {"model_name": "m"})
    text, pieces = pack("outputs", body)
    data = b"".join([text, *pieces])
    head = f"HTTP/1.1 {status}\r\n{HEADER_LENGTH}: {len(text)}\r\n{extra}"
    return f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data


def good(connection: socket.socket, _: bytes) -> bool:
    connection.sendall(answer())
    return True


def reset(connection: socket.socket, _: bytes) -> bool:
    """End the connection as a killed process does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def hang_up(_: socket.socket, __: bytes) -> bool:
    return False


def silent(connection: socket.socket, _: bytes) -> bool:
    """Never answer; end when the client does."""
    with contextlib.suppress(OSError):
        connection.recv(1)
    return False


def status(code: int, text: str = "") -> Act:
    def act(connection: socket.socket, _: bytes) -> bool:
        body = json.dumps({"error": text}).encode()
        head = f"HTTP/1.1 {code} Told\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)
        return True

    return act


def sending(data: bytes, *, goes_on: bool = True, at_a_time: int = 1 << 20) -> Act:
    def act(connection: socket.socket, _: bytes) -> bool:
        for start in range(0, len(data), at_a_time):
            connection.sendall(data[start : start + at_a_time])
        return goes_on

    return act


class ScriptedServer:
    """Acts on the inferences that come, in order; when the script is over, all are good."""

    def __init__(self, script: list[Act], context: ssl.SSLContext | None = None):
        self._script, self._context = script, context
        self._lock = threading.Lock()
        self.requests: list[bytes] = []
        self.connections = 0
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self._listener.getsockname()[1]
        self._is_closing = False
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._is_closing = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._sockets:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._sockets.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ssl.SSLError), connection:
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            with connection:
                while (request := _request(connection)) and self._act(connection, request):
                    pass

    def _act(self, connection: socket.socket, request: bytes) -> bool:
        with self._lock:
            self.requests.append(request)
            act = self._script.pop(0) if self._script else good
        return act(connection, request)


def _request(connection: socket.socket) -> bytes:
    """Read one request, with its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        part = connection.recv(65536)
        if not part:
            return b""
        body += part
    return head + b"\r\n\r\n" + body


@contextlib.contextmanager
def scripted(*script: Act, context: ssl.SSLContext | None = None) -> Iterator[ScriptedServer]:
    server = ScriptedServer(list(script), context)
    try:
        yield server
    finally:
        server.close()
