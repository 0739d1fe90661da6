"""Account of language model requests: what was sent again, what failed, who counted tokens."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

from inferometer.serving.llm.fault import LlmFault
from inferometer.serving.llm.streamed_answer import StreamedAnswer

__all__ = ["LlmAccount"]


class LlmAccount:
    """Counts what happens to requests; `notes` tells it, and begins anew."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begin()

    def _begin(self) -> None:
        self._retried: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._ended: Counter[str] = Counter()
        self._counted_by: Counter[str] = Counter()
        self._first_fault = ""
        self._sums: Counter[str] = Counter()
        self._most_in_flight = 0

    def note_in_flight(self, count: int) -> None:
        """Take in how many requests are on their way."""
        self._most_in_flight = max(self._most_in_flight, count)

    def note_answer(self, answer: StreamedAnswer) -> None:
        """Take in a whole answer."""
        with self._lock:
            self._ended[answer.finish_reason or "not told"] += 1
            self._counted_by["chunks" if answer.usage_tokens is None else "usage"] += 1
            self._sums["output"] += answer.token_count
            self._sums["chunks"] += answer.chunks
            if answer.prompt_tokens is not None:
                self._sums["prompt"] += answer.prompt_tokens
                self._sums["prompts"] += 1

    def note_retry(self, fault: LlmFault) -> None:
        """Take in that a request is sent again."""
        with self._lock:
            self._retried[fault.kind.value] += 1
            self._first_fault = self._first_fault or str(fault)

    def note_failure(self, fault: LlmFault) -> int:
        """Take in that a request is given up; give how many are by now."""
        with self._lock:
            if not self._failed:
                self._first_fault = str(fault)
            self._failed[fault.kind.value] += 1
            return self._failed.total()

    def notes(self) -> dict[str, Any]:
        """Give everything since the last time, ready for JSON, and begin anew."""
        with self._lock:
            sums = self._sums
            found: dict[str, Any] = {
                "answered": self._ended.total(),
                "retried": dict(self._retried),
                "failed": dict(self._failed),
                "first_fault": self._first_fault,
                "finish_reasons": dict(self._ended),
                "tokens_counted_by": dict(self._counted_by),
                "output_tokens": sums["output"],
                "chunks": sums["chunks"],
                "prompt_tokens": sums["prompt"] if sums["prompts"] else None,
                "prompts_counted": sums["prompts"],
                "most_in_flight": self._most_in_flight,
            }
            self._begin()
        return found
