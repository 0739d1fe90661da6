"""Server URLs: where a server is, read from what a user writes, which holds no secret."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

__all__ = ["ServerUrl", "UrlForm"]


@dataclass(frozen=True)
class ServerUrl:
    """Where a server is; the path has no slash at its end."""

    scheme: str
    host: str
    port: int
    path: str = ""

    @property
    def is_secure(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme.endswith("s")

    @property
    def address(self) -> str:
        """Host and port, as they stand in URLs and headers."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.address}{self.path}"


@dataclass(frozen=True)
class UrlForm:
    """How the URLs of one kind of server are written.

    ports:
        The usual port of each scheme.
    fault:
        Makes the error for what is written otherwise.
    wanted:
        What a URL has to be, as an error says it.
    owner:
        What the server is called.
    secret:
        What belongs into the environment, and into which variable.
    """

    ports: Mapping[str, int]
    fault: Callable[[str], Exception]
    wanted: str
    owner: str
    secret: str

    def read(self, url: str) -> ServerUrl:
        """Read a URL, without a scheme as HTTP.

        Raises the fault for what is none, and for one with a password in it, which would be
        put on record.
        """
        parts = urlsplit(url if "://" in url else f"http://{url}")
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in self.ports or not parts.hostname or port == -1:
            raise self.fault(f"{url!r} is no {self.wanted}")
        if parts.username or parts.password or parts.query:
            raise self.fault(
                f"the URL of {self.owner} is put on record, so it can't hold a secret; put the "
                f"{self.secret}"
            )
        usual = self.ports[parts.scheme]
        return ServerUrl(
            parts.scheme, parts.hostname, usual if port is None else port, parts.path.rstrip("/")
        )

    def check_secret(self, secret: str, name: str) -> None:
        """Raise the fault for a secret that can't be sent in a header."""
        if not (secret.isascii() and (not secret or secret.isprintable())):
            raise self.fault(f"{name} holds more than printable ASCII characters")
