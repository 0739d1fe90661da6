"""One HTTP connection of the client: a request goes out, the pieces of its answer come in."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from typing import Any, cast

from inferometer.loadgen import InferometerError
from inferometer.serving.llm.fault import LlmFault, LlmFaultKind

__all__ = ["LlmConnection", "need_parser"]

_OK = 200
_BUSY = (429, 502, 503, 504)
_KEPT_BYTES = 4096


def need_parser() -> Any:
    """Give the parser of HTTP; raise `InferometerError` with the command that installs it."""
    try:
        return importlib.import_module("httptools")
    except ImportError as error:
        raise InferometerError(
            "the client of language models needs httptools; install it with: "
            "pip install 'inferometer[llm]'"
        ) from error


class LlmConnection(asyncio.Protocol):
    """A connection that carries one exchange at a time, in the thread of its loop."""

    def __init__(self) -> None:
        self._httptools = need_parser()
        self._transport: asyncio.Transport | None = None
        self._ended: asyncio.Future[None] | None = None
        self._on_body: Callable[[bytes], None] = lambda _: None
        self._is_reusable = True
        self.exchanges = 0
        self._begin()

    def _begin(self) -> None:
        self._parser = self._httptools.HttpResponseParser(self)
        self._headers: dict[bytes, bytes] = {}
        self._has_begun = self._has_headers = False
        self._refusal = b""

    @property
    def is_open(self) -> bool:
        """Whether another request can be sent on it."""
        return self._is_reusable and self._transport is not None

    @property
    def is_untouched(self) -> bool:
        """Whether nothing of the current exchange's answer has come."""
        return not self._has_begun

    async def exchange(self, request: bytes, on_body: Callable[[bytes], None]) -> None:
        """Send a request, and hand on each piece of the answer's body until it is whole.

        Raises `LlmFault`, also for what ``on_body`` raises of it.
        """
        if self._transport is None:
            raise LlmFault("the server ended the connection", LlmFaultKind.CONNECTION_LOST)
        self._begin()
        self.exchanges += 1
        self._on_body = on_body
        self._ended = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            await self._ended
        except BaseException:
            # What is still to come of this answer would be taken for the next one's.
            self.close()
            raise

    def close(self) -> None:
        """End it."""
        self._is_reusable = False
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    # ---- called by the loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Take what has come."""
        self._has_begun = True
        try:
            self._parser.feed_data(data)
        except self._httptools.HttpParserError as error:
            cause = error.__context__
            found = cause if isinstance(cause, LlmFault) else None
            self._end(found or LlmFault(f"the server's answer is no HTTP: {error}"))
        except LlmFault as fault:
            self._end(fault)

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the end of the connection; an answer without a length ends with it."""
        self._transport, self._is_reusable = None, False
        has_length = b"content-length" in self._headers or b"transfer-encoding" in self._headers
        if exc is None and self._has_headers and not has_length:
            self.on_message_complete()
            return
        why = exc or "the server ended it"
        self._end(LlmFault(f"the connection was lost: {why}", LlmFaultKind.CONNECTION_LOST))

    # ---- called by the parser

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        """Take the end of the headers."""
        self._has_headers = True

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body: of the answer, or of why there is none."""
        if self._parser.get_status_code() != _OK or not self._is_stream:
            self._refusal = (self._refusal + body)[:_KEPT_BYTES]
        else:
            self._on_body(body)

    def on_message_complete(self) -> None:
        """Take the end of the answer."""
        status = self._parser.get_status_code()
        self._is_reusable = self._is_reusable and self._parser.should_keep_alive()
        text = self._refusal.decode("utf-8", "replace").strip()
        if status != _OK:
            kind = LlmFaultKind.BUSY if status in _BUSY else LlmFaultKind.REFUSED
            self._end(LlmFault(f"the server answered with HTTP {status}: {text}", kind))
        elif not self._is_stream:
            self._end(LlmFault(f"the server didn't stream its answer: {text}"))
        else:
            self._end(None)

    @property
    def _is_stream(self) -> bool:
        return self._headers.get(b"content-type", b"").lower().startswith(b"text/event-stream")

    def _end(self, fault: LlmFault | None) -> None:
        """Settle the exchange, once."""
        ended, self._ended = self._ended, None
        if ended is None or ended.done():
            # The server talks unasked, or the request has been given up.
            self.close()
        elif fault is None:
            ended.set_result(None)
        else:
            ended.set_exception(fault)
