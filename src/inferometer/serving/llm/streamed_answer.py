"""Streamed answer: the text of a model as it comes, and how many tokens it has."""

from __future__ import annotations

import json
from typing import Any

from inferometer.serving.llm.event_stream import EventStream
from inferometer.serving.llm.fault import LlmFault, LlmFaultKind

__all__ = ["StreamedAnswer"]

_DONE = b"[DONE]"
_SHOWN_CHARACTERS = 400
_TEXTS = ("content", "reasoning_content", "reasoning", "refusal")


class StreamedAnswer:
    """The answer to one request, taken from the body of its response.

    chunks:
        Messages so far that brought text. A message may bring several tokens.
    usage_tokens, prompt_tokens:
        Tokens as the server counts them; ``None`` if it doesn't say.
    finish_reason:
        Why the model ended, such as ``stop`` or ``length``; empty before.
    is_done:
        Whether the answer is whole.
    """

    def __init__(self) -> None:
        self._events = EventStream()
        self._text: list[str] = []
        self.chunks = 0
        self.usage_tokens: int | None = None
        self.prompt_tokens: int | None = None
        self.finish_reason = ""
        self.is_done = False

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._text)

    @property
    def token_count(self) -> int:
        """Tokens of the answer: as the server counts them, or else its messages with text."""
        return self.chunks if self.usage_tokens is None else self.usage_tokens

    def feed(self, piece: bytes) -> None:
        """Take a piece of the body.

        Raises `LlmFault` for an error that the server tells in the stream, and for what is no
        such message.
        """
        for name, data in self._events.feed(piece):
            if self.is_done:
                return
            if data.strip() == _DONE:
                self.is_done = True
            else:
                self._take(name, data)

    def end(self) -> None:
        """Take the end of the body; raise `LlmFault` if the answer isn't whole by then."""
        # Some servers leave the last mark out, but then say why the model ended.
        if not (self.is_done or self.finish_reason):
            raise LlmFault(
                f"the stream ended before the answer did, after {self.chunks} messages with text",
                LlmFaultKind.IN_STREAM,
            )
        self.is_done = True

    def _take(self, name: str, data: bytes) -> None:
        try:
            message = json.loads(data)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            raise LlmFault(f"the server sent what is no JSON object: {_shown(data)}")
        if name == "error" or message.get("error"):
            text = f"the server reported an error in the stream: {_shown(data)}"
            raise LlmFault(text, LlmFaultKind.IN_STREAM)
        self._take_usage(message.get("usage"))
        choices = message.get("choices")
        if isinstance(choices, list) and choices and isinstance(choices[0], dict):
            self._take_choice(choices[0])

    def _take_usage(self, usage: Any) -> None:
        if isinstance(usage, dict):
            self.usage_tokens = _count(usage.get("completion_tokens"), self.usage_tokens)
            self.prompt_tokens = _count(usage.get("prompt_tokens"), self.prompt_tokens)

    def _take_choice(self, choice: dict[str, Any]) -> None:
        delta = choice.get("delta")
        if isinstance(delta, dict):
            pieces = [delta.get(name) for name in _TEXTS]
            calls = delta.get("tool_calls")
        else:
            pieces, calls = [choice.get("text")], None
        found = [piece for piece in pieces if isinstance(piece, str) and piece]
        self._text += found
        self.chunks += bool(found or calls)
        if choice.get("finish_reason"):
            self.finish_reason = str(choice["finish_reason"])


def _count(value: Any, before: int | None) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if is_count else before


def _shown(data: bytes) -> str:
    return data[:_SHOWN_CHARACTERS].decode("utf-8", "replace")
