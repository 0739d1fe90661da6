"""Faults of remote calls: what kept a request from being answered."""

from __future__ import annotations

import enum

from inferometer.loadgen import InferometerError

__all__ = ["FaultKind", "RemoteFault"]


class FaultKind(enum.Enum):
    """Why a request wasn't answered."""

    UNREACHABLE = "unreachable"
    CONNECTION_LOST = "connection-lost"
    TIMEOUT = "timeout"
    BUSY = "busy"
    FAILED = "failed"


class RemoteFault(InferometerError):  # noqa: N818
    """A request that a remote server didn't answer; ``kind`` says why."""

    def __init__(self, message: str, kind: FaultKind = FaultKind.FAILED):
        super().__init__(message)
        self.kind = kind

    @property
    def is_worth_a_retry(self) -> bool:
        """Whether the same request may well be answered if it is sent again."""
        return self.kind is not FaultKind.FAILED
