"""Endpoints of language models: where one is, and the secret that it asks for."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

from inferometer.loadgen import SettingsError
from inferometer.serving.llm.options import CHAT
from inferometer.serving.server_url import ServerUrl, UrlForm

__all__ = ["KEY_VARIABLES", "LlmEndpoint"]

KEY_VARIABLES = ("INFEROMETER_API_KEY", "OPENAI_API_KEY")
"""Environment variables with the key; the first that is there counts, an empty one for none."""

_FORM = UrlForm(
    ports={"http": 80, "https": 443},
    fault=SettingsError,
    wanted="endpoint; write http://HOST:PORT/v1 or https://",
    owner="an endpoint",
    secret=f"key into {KEY_VARIABLES[0]}",
)
_PATHS = ("/chat/completions", "/completions")


@dataclass(frozen=True)
class LlmEndpoint(ServerUrl):
    """Where an endpoint is: its base URL, with or without ``/v1``.

    key:
        Sent as ``Authorization: Bearer`` with each request; never shown or recorded.
    """

    key: str = field(default="", repr=False)

    @classmethod
    def read(cls, url: str, environment: Mapping[str, str] = os.environ) -> LlmEndpoint:
        """Read a base URL, and the key from the environment.

        Raises `SettingsError` for what is no URL, and for one with a secret in it, which
        would be put on record.
        """
        read = _FORM.read(url)
        path = read.path
        for ending in _PATHS:
            path = path.removesuffix(ending)
        key = next((environment[name] for name in KEY_VARIABLES if name in environment), "")
        _FORM.check_secret(key, "the API key")
        return cls(read.scheme, read.host, read.port, path or "/v1", key)

    def ssl_context(self) -> ssl.SSLContext | None:
        """Give what checks the server's certificate; ``None`` without encryption."""
        return ssl.create_default_context() if self.is_secure else None

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
