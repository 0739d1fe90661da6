"""Host options: where a server listens, and how much it takes."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from inferometer.loadgen import InferometerError

__all__ = ["LOOPBACK", "TOKEN_VARIABLE", "HostOptions", "HostingError", "Refusal"]

LOOPBACK = "127.0.0.1"
TOKEN_VARIABLE = "INFEROMETER_SERVE_TOKEN"
"""Names the environment variable with the token that requests then have to bring."""


class HostingError(InferometerError):
    """A server can't be started as it was asked for."""


class Refusal(InferometerError):  # noqa: N818
    """A request isn't answered; ``status`` is the HTTP status that says so."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class HostOptions:
    """Where a server listens, and how much it takes.

    port, grpc_port:
        0 takes any that is free; ``None`` leaves gRPC out.
    workers, max_batch_size, max_wait_ms:
        How the requests of a model come together in batches.
    max_body_bytes:
        Largest request.
    max_in_flight:
        Most requests at once; a further one is told at once that the server is busy.
    body_timeout_s:
        Longest that a client may take to send a request's body.
    stop_timeout_s:
        Longest that what is being answered may take when the server is to stop.
    certificate, key:
        PEM files; with them, the server speaks TLS only.
    token:
        What requests for models have to bring; empty for nothing.
    """

    host: str = LOOPBACK
    port: int = 8000
    grpc_port: int | None = None
    workers: int = 1
    max_batch_size: int = 32
    max_wait_ms: float = 0.0
    max_body_bytes: int = 64 << 20
    max_in_flight: int = 256
    body_timeout_s: float = 30.0
    stop_timeout_s: float = 30.0
    certificate: Path | None = None
    key: Path | None = None
    token: str = field(default_factory=lambda: os.environ.get(TOKEN_VARIABLE, ""), repr=False)

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise HostingError("TLS takes both a certificate and its key")
        for path in filter(None, (self.certificate, self.key)):
            if not path.is_file():
                raise HostingError(f"{path}: there is no such file")
