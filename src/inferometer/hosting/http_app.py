"""HTTP side of a server: an ASGI application of the protocol, health and metrics."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from importlib import metadata
from typing import Any

from inferometer.hosting.batching import Answer
from inferometer.hosting.hosted_model import VERSION, HostedModel
from inferometer.hosting.metrics import METRICS_TYPE, metrics_text
from inferometer.hosting.options import HostOptions, Refusal
from inferometer.loadgen import InferometerError, nearest_name
from inferometer.open_inference import Body, ProtocolError, pack, timing_text, unpack
from inferometer.open_inference.body import (
    BINARY_OUTPUT,
    BINARY_TYPE,
    HEADER_LENGTH,
    JSON_TYPE,
)
from inferometer.open_inference.server_timing import TIMING_HEADER

__all__ = ["EXTENSIONS", "HttpApp", "server_metadata"]

EXTENSIONS = ("binary_tensor_data", "statistics")
_LENGTH_KEY = HEADER_LENGTH.lower().encode()

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Response = tuple[int, bytes, list[tuple[bytes, bytes]]]


def server_metadata() -> dict[str, Any]:
    """Give what the protocol says of a server."""
    return {
        "name": "inferometer",
        "version": metadata.version("inferometer"),
        "extensions": list(EXTENSIONS),
    }


class HttpApp:
    """Answers HTTP requests for hosted models.

    ``is_stopping`` is set once no new work is wanted; health then says so.
    """

    def __init__(self, models: Mapping[str, HostedModel], options: HostOptions):
        self._models, self._options = models, options
        self._token = f"Bearer {options.token}".encode() if options.token else b""
        self.is_stopping = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        try:
            status, body, headers = await self._answer(scope, receive)
        except Refusal as refusal:
            status, body, headers = refusal.status, _error(str(refusal)), [_JSON_HEADER]
            if status in (408, 413):
                # What is left of the body isn't read.
                headers = [*headers, (b"connection", b"close")]
        headers = [*headers, (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        parts = scope["path"].strip("/").split("/")
        if scope["method"] == "POST" and parts[-1] == "infer":
            self._check_token(scope)
            return await self._infer(self._at(scope, parts[:-1]), scope, receive)
        if scope["method"] != "GET":
            raise _nothing_at(scope)
        open_to_all = self._told_to_all(parts)
        if open_to_all is not None:
            return open_to_all
        self._check_token(scope)
        match parts:
            case ["v2"]:
                found = server_metadata()
            case ["v2", "models", "stats"]:
                found = self._statistics(self._models.values())
            case [*place, "stats"]:
                found = self._statistics([self._at(scope, place)])
            case [*place, "ready"]:
                self._at(scope, place)
                return _empty(self._ready)
            case _:
                found = self._at(scope, parts).metadata
        return _json(found)

    def _told_to_all(self, parts: list[str]) -> Response | None:
        """Answer what takes no token: health and metrics."""
        match parts:
            case ["metrics"]:
                text = metrics_text([model.metrics for model in self._models.values()])
                return 200, text.encode(), [(b"content-type", METRICS_TYPE.encode())]
            case ["v2", "health", "live"]:
                return _empty(200)
            case ["v2", "health", "ready"]:
                return _empty(self._ready)
        return None

    @property
    def _ready(self) -> int:
        return 503 if self.is_stopping else 200

    def _at(self, scope: Scope, parts: list[str]) -> HostedModel:
        """Give the model that a path names, perhaps with its version."""
        match parts:
            case ["v2", "models", name]:
                return self._model(name)
            case ["v2", "models", name, "versions", version]:
                if version != VERSION:
                    raise Refusal(404, f"{name} has the version {VERSION} only")
                return self._model(name)
        raise _nothing_at(scope)

    def _check_token(self, scope: Scope) -> None:
        if self._token:
            given = dict(scope["headers"]).get(b"authorization", b"")
            if not hmac.compare_digest(given, self._token):
                raise Refusal(401, "the token is missing or wrong")

    def _model(self, name: str) -> HostedModel:
        found = self._models.get(name)
        if found is None:
            hint = nearest_name(name, self._models)
            raise Refusal(
                404, f"there is no model {name!r}{hint}; known: {', '.join(self._models)}"
            )
        return found

    @staticmethod
    def _statistics(models: Any) -> dict[str, Any]:
        return {"model_stats": [model.metrics.statistics(VERSION) for model in models]}

    async def _infer(self, model: HostedModel, scope: Scope, receive: Receive) -> Response:
        try:
            return await self._inferred(model, scope, receive)
        except Refusal as refusal:
            model.metrics.note_request(refusal.status)
            raise

    async def _inferred(self, model: HostedModel, scope: Scope, receive: Receive) -> Response:
        headers = dict(scope["headers"])
        data = await self._body(headers, receive)
        try:
            length = headers.get(_LENGTH_KEY)
            request = unpack("inputs", data, None if length is None else _number(length))
        except ProtocolError as error:
            raise Refusal(400, str(error)) from error
        outputs, timing = await self._answered(model, request)
        names = model.signature.output_names
        tensors = dict(zip(names, outputs, strict=True))
        wanted, is_binary = _wanted(request.header, names)
        header = {"model_name": model.name, "model_version": VERSION}
        if "id" in request.header:
            header["id"] = str(request.header["id"])
        answer = Body({name: tensors[name] for name in wanted}, header)
        try:
            text, pieces = pack("outputs", answer, is_binary=is_binary)
        except ProtocolError as error:
            raise Refusal(400, str(error)) from error
        found = [(TIMING_HEADER.encode(), timing_text(timing).encode())]
        if not is_binary:
            return 200, text, [_JSON_HEADER, *found]
        found += [
            (b"content-type", BINARY_TYPE.encode()),
            (_LENGTH_KEY, str(len(text)).encode()),
        ]
        return 200, b"".join([text, *pieces]), found

    async def _answered(self, model: HostedModel, request: Body) -> Answer:
        """Have the model answer; its error is the client's to read, without a stack."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer | BaseException] = loop.create_future()

        def tell(found: Answer | BaseException) -> None:
            loop.call_soon_threadsafe(_settle, future, found)

        model.submit(request.tensors, tell)
        found = await future
        if isinstance(found, BaseException):
            kind = "" if isinstance(found, InferometerError) else f"{type(found).__name__}: "
            raise Refusal(500, f"{model.name} can't answer: {kind}{found}"[:2000])
        return found

    async def _body(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        """Read a body, within the limits of size and time."""
        limit = self._options.max_body_bytes
        length = headers.get(b"content-length")
        if length is not None and _number(length) > limit:
            raise Refusal(413, f"a request may hold {limit:,} bytes")
        try:
            async with asyncio.timeout(self._options.body_timeout_s):
                return await _read(receive, limit)
        except TimeoutError:
            raise Refusal(
                408, f"the body didn't come within {self._options.body_timeout_s:g} s"
            ) from None


_JSON_HEADER = (b"content-type", JSON_TYPE.encode())


async def _read(receive: Receive, limit: int) -> bytes:
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refusal(400, "the client went away")
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise Refusal(413, f"a request may hold {limit:,} bytes")
        parts.append(part)
        if not message.get("more_body"):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _settle(future: asyncio.Future[Any], found: Any) -> None:
    """Give a request its answer, unless nobody waits for it any more."""
    if not future.done():
        future.set_result(found)


def _wanted(header: Mapping[str, Any], names: tuple[str, ...]) -> tuple[list[str], bool]:
    """Give the outputs that a request asks for, and whether it wants them in binary."""
    parameters = header.get("parameters")
    is_binary = isinstance(parameters, dict) and parameters.get(BINARY_OUTPUT) is True
    asked = header.get("outputs")
    if not asked:
        return list(names), is_binary
    wanted: list[str] = []
    for output in asked if isinstance(asked, list) else [asked]:
        name = output.get("name") if isinstance(output, dict) else output
        if name not in names:
            raise Refusal(400, f"there is no output {name!r}; known: {', '.join(names)}")
        own = output.get("parameters") if isinstance(output, dict) else None
        # One that wants binary has them all so: a client reads each as it is described.
        is_binary = is_binary or (isinstance(own, dict) and own.get("binary_data") is True)
        wanted.append(name)
    return wanted, is_binary


def _nothing_at(scope: Scope) -> Refusal:
    return Refusal(404, f"there is no {scope['method']} {scope['path']}")


def _number(text: bytes) -> int:
    if not text.isdigit() or len(text) > 18:
        raise Refusal(400, f"{text[:40]!r} is no number of bytes")
    return int(text)


def _error(text: str) -> bytes:
    return json.dumps({"error": text}).encode()


def _json(value: Mapping[str, Any]) -> Response:
    return 200, json.dumps(value).encode(), [_JSON_HEADER]


def _empty(status: int) -> Response:
    return status, b"", []
