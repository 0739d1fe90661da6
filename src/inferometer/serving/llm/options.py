"""Options of the client: what is asked of the model, and how requests are sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from inferometer.loadgen import SettingsError

__all__ = ["CHAT", "COMPLETIONS", "LlmOptions"]

CHAT = "chat"
COMPLETIONS = "completions"


@dataclass(frozen=True)
class LlmOptions:
    """What is asked of the model, and how requests are sent.

    api:
        ``chat`` for ``/v1/chat/completions``, ``completions`` for ``/v1/completions``.
    max_tokens:
        Most tokens of an answer; ``None`` leaves it to the server.
    body:
        Further fields of each request, such as ``temperature`` or ``ignore_eos``.
    asks_usage:
        Ask the server to count the tokens (``stream_options.include_usage``).
    in_flight:
        Most requests on their way at once; what exceeds it waits, and waits in the latency.
    timeout_s:
        Longest that a whole answer may take.
    retries:
        How often a request is sent again of which nothing has come; each time is recorded.
    max_failed:
        Requests of a test that may fail before it ends; they count as answered with nothing.

    Raises `SettingsError` for a value out of range.
    """

    model: str
    api: str = CHAT
    max_tokens: int | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    asks_usage: bool = True
    in_flight: int = 1024
    timeout_s: float = 600.0
    retries: int = 0
    max_failed: int = 0

    def __post_init__(self) -> None:
        if self.api not in (CHAT, COMPLETIONS):
            raise SettingsError(f"api is {self.api!r}; it takes {CHAT} or {COMPLETIONS}")
        if self.in_flight < 1 or self.timeout_s <= 0 or self.retries < 0 or self.max_failed < 0:
            raise SettingsError(
                f"{self}: in_flight has to be at least 1, timeout_s above 0, retries and "
                "max_failed at least 0"
            )
        taken = sorted({"model", "stream", "stream_options", "messages", "prompt"} & set(self.body))
        if taken:
            raise SettingsError(
                f"the body's {', '.join(taken)} can't be set; they are the client's"
            )

    def request_body(self, prompt: Mapping[str, Any]) -> dict[str, Any]:
        """Give the JSON of a request, from the fields that belong to one prompt."""
        found: dict[str, Any] = {"model": self.model, "stream": True, **self.body}
        if self.asks_usage:
            found["stream_options"] = {"include_usage": True}
        if self.max_tokens is not None:
            found["max_tokens"] = self.max_tokens
        return {**found, **prompt}
