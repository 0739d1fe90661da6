"""Endpoints of language models: where one is, and the secret that it asks for."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from inferometer.loadgen import SettingsError
from inferometer.serving.llm.options import CHAT

__all__ = ["KEY_VARIABLES", "LlmEndpoint"]

KEY_VARIABLES = ("INFEROMETER_API_KEY", "OPENAI_API_KEY")
"""Environment variables with the key; the first that is there counts, an empty one for none."""

_PORTS = {"http": 80, "https": 443}
_PATHS = ("/chat/completions", "/completions")


@dataclass(frozen=True)
class LlmEndpoint:
    """Where an endpoint is: its base URL, with or without ``/v1``.

    key:
        Sent as ``Authorization: Bearer`` with each request; never shown or recorded.
    """

    scheme: str
    host: str
    port: int
    path: str
    key: str = field(default="", repr=False)

    @classmethod
    def read(cls, url: str, environment: Mapping[str, str] = os.environ) -> LlmEndpoint:
        """Read a base URL, and the key from the environment.

        Raises `SettingsError` for what is no URL, and for one with a secret in it, which
        would be put on record.
        """
        parts = urlsplit(url if "://" in url else f"http://{url}")
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in _PORTS or not parts.hostname or port == -1:
            raise SettingsError(f"{url!r} is no endpoint; write http://HOST:PORT/v1 or https://")
        if parts.username or parts.password or parts.query:
            raise SettingsError(
                "the URL of an endpoint is put on record, so it can't hold a secret; put the key "
                f"into {KEY_VARIABLES[0]}"
            )
        path = parts.path.rstrip("/")
        for ending in _PATHS:
            path = path.removesuffix(ending)
        key = next((environment[name] for name in KEY_VARIABLES if name in environment), "")
        if not (key.isascii() and (not key or key.isprintable())):
            raise SettingsError("the API key holds more than printable ASCII characters")
        return cls(
            parts.scheme,
            parts.hostname,
            _PORTS[parts.scheme] if port is None else port,
            path or "/v1",
            key,
        )

    @property
    def address(self) -> str:
        """Host and port, as they stand in URLs and headers."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.address}{self.path}"

    def ssl_context(self) -> ssl.SSLContext | None:
        """Give what checks the server's certificate; ``None`` without encryption."""
        return ssl.create_default_context() if self.scheme == "https" else None

    def request(self, api: str, body: bytes) -> bytes:
        """Give the bytes of a whole HTTP request."""
        place = "/chat/completions" if api == CHAT else "/completions"
        lines = [
            f"POST {self.path}{place} HTTP/1.1",
            f"Host: {self.address}",
            "Accept: text/event-stream",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            "User-Agent: inferometer",
        ]
        if self.key:
            lines.append(f"Authorization: Bearer {self.key}")
        return "\r\n".join([*lines, "", ""]).encode("ascii") + body

    def without_key(self, text: str) -> str:
        """Give a text in which the key doesn't stand, should a server have repeated it."""
        return text.replace(self.key, "***") if self.key else text
