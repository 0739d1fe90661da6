"""Endpoints: where a server is, how it is reached, and the secrets from the environment."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from inferometer.serving.remote.fault import FaultKind, RemoteFault
from inferometer.serving.server_url import ServerUrl, UrlForm

__all__ = ["CA_VARIABLE", "TOKEN_VARIABLE", "Endpoint", "RemoteOptions"]

TOKEN_VARIABLE = "INFEROMETER_REMOTE_TOKEN"
"""Names the environment variable with the token that is sent as ``Authorization: Bearer``."""

CA_VARIABLE = "INFEROMETER_REMOTE_CA"
"""Names the environment variable with a file of certificates to trust beside the system's."""

_FORM = UrlForm(
    ports={"http": 80, "https": 443, "grpc": 8001, "grpcs": 443},
    fault=RemoteFault,
    wanted="server's URL; write http://HOST:PORT, https://, grpc:// or grpcs://",
    owner="a server",
    secret=f"token into {TOKEN_VARIABLE}",
)


@dataclass(frozen=True)
class RemoteOptions:
    """How requests are sent.

    connections:
        Most requests in flight at once; with HTTP each has a connection of its own.
    timeout_s:
        Longest that connecting, and an answer once its request is sent, may take.
    retries:
        How often a request is sent again that got no answer, or was told that the server is
        busy; each time is put on record.
    is_binary:
        Send and ask for tensors in binary, over HTTP; else as JSON.
    """

    connections: int = 64
    timeout_s: float = 60.0
    retries: int = 0
    is_binary: bool = True


@dataclass(frozen=True)
class Endpoint(ServerUrl):
    """Where a server is.

    token:
        Is sent with each request; never shown.
    """

    token: str = field(default="", repr=False)
    ca_file: Path | None = None

    @classmethod
    def read(cls, url: str, environment: Mapping[str, str] = os.environ) -> Endpoint:
        """Read a URL, and what belongs to it from the environment.

        Raises `RemoteFault` for what is none, and for one with a password in it, which would
        be put on record.
        """
        read = _FORM.read(url)
        ca_file = environment.get(CA_VARIABLE)
        token = environment.get(TOKEN_VARIABLE, "")
        _FORM.check_secret(token, TOKEN_VARIABLE)
        return cls(
            read.scheme,
            read.host,
            read.port,
            read.path,
            token,
            Path(ca_file) if ca_file else None,
        )

    @property
    def is_grpc(self) -> bool:
        """Whether the server is spoken to by gRPC."""
        return self.scheme.startswith("grpc")

    def ssl_context(self) -> ssl.SSLContext | None:
        """Give what checks the server's certificate; ``None`` without encryption."""
        if not self.is_secure:
            return None
        context = ssl.create_default_context()
        if self.ca_file is not None:
            try:
                context.load_verify_locations(self.ca_file)
            except (OSError, ssl.SSLError) as error:
                raise self._unusable(error) from error
        return context

    def ca_bytes(self) -> bytes | None:
        """Give the certificates to trust, for gRPC; ``None`` for the library's own."""
        if self.ca_file is None:
            return None
        try:
            return self.ca_file.read_bytes()
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> RemoteFault:
        return RemoteFault(
            f"{CA_VARIABLE} names {self.ca_file}, which can't be used: {error}",
            FaultKind.UNREACHABLE,
        )
