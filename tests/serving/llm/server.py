"""A real endpoint on this machine, whose every answer follows a script."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

STREAM = "text/event-stream"


@dataclass(frozen=True)
class Scripted:
    """An answer: status, pieces of the body (each a chunk of its own), and how it ends.

    ``ending``: ``whole``, ``cut`` (the connection ends before the answer does), ``hang``
    (nothing more comes), or ``close`` (whole, after which the connection ends).
    """

    pieces: Sequence[bytes] = ()
    status: int = 200
    ending: str = "whole"
    content_type: str = STREAM


def event(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def chat(text: str, finish: str | None = None) -> bytes:
    return event({"choices": [{"delta": {"content": text}, "finish_reason": finish}]})


def answer(tokens: int, *, usage: int | None = None, done: bool = True) -> list[bytes]:
    """Give the pieces of a chat answer of so many chunks: t0, t1 and so on."""
    pieces = [event({"choices": [{"delta": {"role": "assistant", "content": ""}}]})]
    pieces += [chat(f"t{number} ") for number in range(tokens)]
    pieces.append(event({"choices": [{"delta": {}, "finish_reason": "stop"}]}))
    if usage is not None:
        told = {"prompt_tokens": 7, "completion_tokens": usage}
        pieces.append(event({"choices": [], "usage": told}))
    return [*pieces, b"data: [DONE]\n\n"] if done else pieces


@dataclass
class Endpoint:
    """What the server has seen; ``script`` gives the answer to the n-th request, from 0."""

    script: Callable[[dict[str, Any], int], Scripted]
    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    connections: int = 0
    in_flight: int = 0
    hang_up: Callable[[], None] = lambda: None
    """Takes no more connections from now on."""
    most_in_flight: int = 0


@contextlib.contextmanager
def serving(
    script: Callable[[dict[str, Any], int], Scripted], context: ssl.SSLContext | None = None
) -> Iterator[Endpoint]:
    """Serve on a free port of this machine, in a thread, until the block ends."""
    endpoint = Endpoint(script)
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(
        asyncio.start_server(lambda r, w: _converse(endpoint, r, w), "127.0.0.1", 0, ssl=context)
    )
    endpoint.hang_up = server.close
    scheme = "http" if context is None else "https"
    endpoint.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def end() -> None:
        server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    try:
        yield endpoint
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _converse(
    endpoint: Endpoint, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    endpoint.connections += 1
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
        while await _exchange(endpoint, reader, writer):
            pass
    writer.transport.abort()


async def _exchange(
    endpoint: Endpoint, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
    length = next(
        int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("Content-Length")
    )
    body = json.loads(await reader.readexactly(length))
    number = len(endpoint.bodies)
    endpoint.heads.append(head)
    endpoint.bodies.append(body)
    endpoint.in_flight += 1
    endpoint.most_in_flight = max(endpoint.most_in_flight, endpoint.in_flight)
    try:
        return await _write(endpoint.script(body, number), writer)
    finally:
        endpoint.in_flight -= 1


async def _write(scripted: Scripted, writer: asyncio.StreamWriter) -> bool:
    writer.write(
        f"HTTP/1.1 {scripted.status} X\r\nContent-Type: {scripted.content_type}\r\n"
        "Transfer-Encoding: chunked\r\n\r\n".encode()
    )
    for piece in scripted.pieces:
        writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        await writer.drain()
        await asyncio.sleep(0)
    if scripted.ending == "hang":
        await asyncio.Event().wait()
    if scripted.ending == "cut":
        return False
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    return scripted.ending == "whole"
