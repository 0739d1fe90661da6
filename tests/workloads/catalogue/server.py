"""A small web server for tests: ranges, cut connections, changed files, redirects."""

from __future__ import annotations

import hashlib
import http.server
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Site:
    """What a server gives, and how it misbehaves.

    cuts:
        Numbers of bytes of an answer after which connections are cut, one a request.
    statuses:
        Errors that requests are answered with first.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    knows_ranges: bool = True
    tag: str = '"{}"'
    sends_length: bool = True
    requests: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""

    def tag_of(self, content: bytes) -> str:
        return self.tag.format(hashlib.md5(content).hexdigest()) if self.tag else ""


class _Handler(http.server.BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        site = self.site
        site.requests.append((self.path, self.headers.get("Range", "")))
        if self.path in site.redirects:
            self.send_response(302)
            self.send_header("Location", site.redirects[self.path])
            self.end_headers()
            return
        if site.statuses or self.path not in site.files:
            self.send_error(site.statuses.pop(0) if site.statuses else 404)
            return
        content = site.files[self.path]
        tag, start = site.tag_of(content), self._start(content)
        if start is not None and start >= len(content):
            self.send_error(416)
            return
        self.send_response(200 if start is None else 206)
        if start is not None:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if tag:
            self.send_header("ETag", tag)
        body = content[start or 0 :]
        if site.sends_length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if site.cuts:
            body = body[: site.cuts.pop(0)]
        self.wfile.write(body)

    def _start(self, content: bytes) -> int | None:
        asked = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        same = self.headers.get("If-Range") == self.site.tag_of(content)
        return int(asked[1]) if asked and same and self.site.knows_ranges else None

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def serve(site: Site) -> Iterator[Site]:
    handler = type("Handler", (_Handler,), {"site": site})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        site.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
