"""HTTP exchanges: requests as bytes, and answers put together from what comes in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httptools

from inferometer.open_inference import (
    Body,
    ProtocolError,
    ServerTiming,
    TensorSpec,
    bytes_of,
    pack,
    read_timing,
    unpack,
)
from inferometer.open_inference.body import (
    BINARY_OUTPUT,
    BINARY_TYPE,
    HEADER_LENGTH,
    JSON_TYPE,
)
from inferometer.open_inference.server_timing import TIMING_HEADER
from inferometer.serving.remote.endpoint import Endpoint
from inferometer.serving.remote.fault import FaultKind, RemoteFault
from inferometer.serving.remote.transport import Arrays

__all__ = ["HttpAnswer", "HttpRequests", "Pieces"]

Pieces = list[bytes | memoryview]
"""What is sent, in pieces that needn't be put together first."""

_LENGTH_KEY, _TIMING_KEY = HEADER_LENGTH.lower().encode(), TIMING_HEADER.encode()
_KEPT_HEADS = 512
_BUSY = (429, 502, 503, 504)
_KEPT_TEXT_BYTES = 200
_LARGEST_ANSWER_BYTES = 1 << 31


class HttpRequests:
    """Makes the requests to one model of one server."""

    def __init__(self, endpoint: Endpoint, model: str, version: str, *, is_binary: bool):
        self._endpoint, self._is_binary = endpoint, is_binary
        self._model = f"{endpoint.path}/v2/models/{model}"
        if version:
            self._model += f"/versions/{version}"
        token = f"Authorization: Bearer {endpoint.token}\r\n" if endpoint.token else ""
        self._common = f"Host: {endpoint.address}\r\n{token}"
        self._header = {"parameters": {BINARY_OUTPUT: True}} if is_binary else {}
        self._heads: dict[Any, bytes] = {}

    def infer(self, inputs: Arrays) -> Pieces:
        """Make the request of an inference."""
        if not self._is_binary:
            text, _ = pack("inputs", Body(inputs), is_binary=False)
            return [self._made_head(text, 0)]
        data = [bytes_of(array) for array in inputs.values()]
        # Of binary tensors, everything before them is the same for all batches of a shape.
        key = tuple(
            [
                (name, array.dtype, array.shape, len(piece))
                for (name, array), piece in zip(inputs.items(), data, strict=True)
            ]
        )
        head = self._heads.get(key)
        if head is None:
            text, _ = pack("inputs", Body(inputs, self._header))
            head = self._made_head(text, sum(map(len, data)))
            if len(self._heads) < _KEPT_HEADS:
                self._heads[key] = head
        return [head, *data]

    def _made_head(self, text: bytes, data_bytes: int) -> bytes:
        """Give everything before the binary tensors."""
        kind = f"{HEADER_LENGTH}: {len(text)}\r\n" if self._is_binary else ""
        media_type = BINARY_TYPE if self._is_binary else JSON_TYPE
        lines = (
            f"POST {self._model}/infer HTTP/1.1\r\n{self._common}{kind}"
            f"Content-Type: {media_type}\r\nContent-Length: {len(text) + data_bytes}\r\n\r\n"
        )
        return lines.encode("latin-1") + text

    def get_model(self) -> Pieces:
        """Ask for the model's metadata."""
        return self._get(self._model)

    def get_server(self) -> Pieces:
        """Ask for the server's metadata."""
        return self._get(f"{self._endpoint.path}/v2")

    def get_statistics(self) -> Pieces:
        """Ask for the model's statistics, by the extension of that name."""
        return self._get(f"{self._model}/stats")

    def _get(self, path: str) -> Pieces:
        return [f"GET {path} HTTP/1.1\r\n{self._common}\r\n".encode("latin-1")]


class HttpAnswer:
    """An answer as it comes in; `feed` it until it says that it is whole."""

    __slots__ = ("_body", "_json_bytes", "_parser", "_timing", "is_last", "is_whole", "status")

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._json_bytes: int | None = None
        self._timing: ServerTiming | None = None
        self.status = 0
        self.is_whole = False
        self.is_last = False

    def feed(self, data: bytes) -> bool:
        """Take what came; tell whether the answer is whole; raise `RemoteFault` if malformed."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, ValueError) as error:
            raise RemoteFault(f"what came is no answer of HTTP: {error}") from None
        return self.is_whole

    def begin_next(self) -> None:
        """Be ready for the next answer on the same connection."""
        self._body.clear()
        self._json_bytes, self._timing, self.is_whole = None, None, False

    # Called by the parser.

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take in a header."""
        key = name.lower()
        if key == _LENGTH_KEY:
            self._json_bytes = int(value)
        elif key == _TIMING_KEY:
            self._timing = read_timing(value.decode("latin-1"))
        elif key == b"content-length" and int(value) > _LARGEST_ANSWER_BYTES:
            raise ValueError(f"an answer of {int(value):,} bytes is too large")

    def on_body(self, part: bytes) -> None:
        """Take in a part of the body."""
        self._body.append(part)

    def on_message_complete(self) -> None:
        """Take in that this is all."""
        self.status = self._parser.get_status_code()
        if self.status < 200:
            # Says that an answer will come.
            self.begin_next()
            return
        self.is_last = not self._parser.should_keep_alive()
        self.is_whole = True

    # What it says.

    def outputs(self) -> tuple[Arrays, ServerTiming | None]:
        """Give the outputs of an inference, and the server's share of the time."""
        data = self._data()
        if self.status != 200:
            raise self._fault(data)
        try:
            return unpack("outputs", data, self._json_bytes).tensors, self._timing
        except ProtocolError as error:
            raise RemoteFault(f"the server's answer can't be read: {error}") from error

    def value(self) -> Mapping[str, Any]:
        """Give the JSON object that was asked for."""
        data = self._data()
        if self.status != 200:
            raise self._fault(data)
        try:
            found = json.loads(data)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise RemoteFault("the server's answer is no JSON object")
        return found

    def _data(self) -> bytes:
        return self._body[0] if len(self._body) == 1 else b"".join(self._body)

    def _fault(self, data: bytes) -> RemoteFault:
        text = data[:_KEPT_TEXT_BYTES].decode("utf-8", "replace").strip()
        kind = FaultKind.BUSY if self.status in _BUSY else FaultKind.FAILED
        return RemoteFault(f"the server answered with HTTP {self.status}: {text}", kind)


def specs_of(tensors: Any) -> tuple[TensorSpec, ...]:
    """Read the inputs or outputs in a model's metadata."""
    if not isinstance(tensors, list):
        return ()
    return tuple(
        TensorSpec(str(t.get("name")), str(t.get("datatype", "")), tuple(t.get("shape") or ()))
        for t in tensors
        if isinstance(t, dict)
    )
