"""Faults of language model requests: what kept one from being answered."""

from __future__ import annotations

import enum

from inferometer.loadgen import InferometerError

__all__ = ["LlmFault", "LlmFaultKind"]


class LlmFaultKind(enum.Enum):
    """Why a request wasn't answered in full."""

    UNREACHABLE = "unreachable"
    CONNECTION_LOST = "connection-lost"
    TIMEOUT = "timeout"
    BUSY = "busy"
    REFUSED = "refused"
    PROTOCOL = "protocol"
    IN_STREAM = "in-stream"
    EMPTY = "empty"


_WORTH_A_RETRY = (
    LlmFaultKind.UNREACHABLE,
    LlmFaultKind.CONNECTION_LOST,
    LlmFaultKind.BUSY,
)


class LlmFault(InferometerError):  # noqa: N818
    """A request that an endpoint didn't answer in full; ``kind`` says why."""

    def __init__(self, message: str, kind: LlmFaultKind = LlmFaultKind.PROTOCOL):
        super().__init__(message)
        self.kind = kind

    @property
    def is_worth_a_retry(self) -> bool:
        """Whether the same request may well be answered if it is sent again."""
        return self.kind in _WORTH_A_RETRY
