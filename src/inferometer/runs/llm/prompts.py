"""Prompts: what a language model is asked, from a file or made up."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import InferometerError

__all__ = ["PromptLibrary", "Prompts", "read_prompts", "synthetic_prompts"]

_TAKEN = ("messages", "prompt", "max_tokens")
_WORD_LISTS = (
    "river stone winter garden letter market silver window branch copper harbour paper",
    "morning engine valley candle bridge summer orange meadow planet needle forest basket",
)


@dataclass(frozen=True)
class Prompts:
    """Prompts with a name for reports.

    entries:
        For each prompt its fields: ``prompt`` (a text) or ``messages`` (a list as the chat
        API takes it), and perhaps ``max_tokens``.
    """

    name: str
    entries: tuple[Mapping[str, Any], ...]

    @property
    def sha256(self) -> str:
        """Hash of what is asked, to tell whether two runs asked the same."""
        text = json.dumps(self.entries, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def fields(self, index: int, *, is_chat: bool) -> dict[str, Any]:
        """Give the fields of a request; raise `InferometerError` if the API can't take them."""
        entry = dict(self.entries[index])
        if is_chat and "messages" not in entry:
            entry["messages"] = [{"role": "user", "content": entry.pop("prompt")}]
        if not is_chat and "prompt" not in entry:
            raise InferometerError(
                f"{self.name}: prompt {index + 1} is a list of messages, which only the chat API "
                "takes; leave out --api completions"
            )
        if not is_chat:
            entry.pop("messages", None)
        return entry


def read_prompts(path: Path) -> Prompts:
    """Read prompts from a file.

    ``.jsonl``: a JSON object a line with ``prompt`` or ``messages``, and perhaps
    ``max_tokens``; other fields are left out. Anything else: a prompt a line. Raises
    `InferometerError` naming the line that can't be read.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InferometerError(f"{path}: can't be read as text: {error}") from error
    is_json = path.suffix.lower() in (".jsonl", ".ndjson")
    entries = tuple(
        _entry(f"{path}:{number}", line) if is_json else {"prompt": line}
        for number, line in enumerate(lines, start=1)
        if line.strip()
    )
    if not entries:
        raise InferometerError(f"{path} holds no prompt; write one a line")
    return Prompts(str(path), entries)


def _entry(place: str, line: str) -> Mapping[str, Any]:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise InferometerError(f"{place}: not JSON: {error}") from error
    if not isinstance(value, dict):
        raise InferometerError(f"{place}: not a JSON object with prompt or messages")
    entry = {name: value[name] for name in _TAKEN if name in value}
    is_text = isinstance(entry.get("prompt"), str)
    is_chat = isinstance(entry.get("messages"), list)
    if not (is_text or is_chat):
        raise InferometerError(f"{place}: neither prompt (a text) nor messages (a list) is there")
    return entry


def synthetic_prompts(count: int, least_words: int, most_words: int, seed: int) -> Prompts:
    """Make prompts of so many words, evenly spread from the least to the most.

    The same seed gives the same ones. Each begins with a number of its own, so that no server
    can answer one from what it kept of another.
    """
    random = np.random.default_rng(seed)
    known = " ".join(_WORD_LISTS).split()
    lengths = random.integers(least_words, most_words, count, endpoint=True)
    entries = []
    for number, length in enumerate(lengths.tolist()):
        words = random.choice(known, max(0, length - 1)).tolist()
        entries.append({"prompt": " ".join([str(seed + number), *words])})
    span = f"{least_words}" if least_words == most_words else f"{least_words} to {most_words}"
    return Prompts(f"synthetic, {span} words, seed {seed}", tuple(entries))


class PromptLibrary:
    """Prompts as a sample library; loading makes the bytes of the requests."""

    def __init__(self, prompts: Prompts, body: Callable[[int], Mapping[str, Any]]):
        self.name = prompts.name
        self.total_sample_count = self.performance_sample_count = len(prompts.entries)
        self._body = body
        self._loaded: dict[int, bytes] = {}

    def load(self, indices: NDArray[np.int64]) -> None:
        """Make the requests; int64 [n]."""
        for index in np.unique(indices).tolist():
            self._loaded[index] = self.made(index)

    def unload(self, indices: NDArray[np.int64]) -> None:
        """Let the requests go."""
        for index in np.unique(indices).tolist():
            self._loaded.pop(index, None)

    def made(self, index: int) -> bytes:
        """Make the request of any prompt anew."""
        return json.dumps(self._body(index), ensure_ascii=False).encode()

    def body_of(self, index: int) -> bytes:
        """Give the request of a loaded prompt."""
        return self._loaded[index]
