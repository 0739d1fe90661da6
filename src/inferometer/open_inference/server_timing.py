"""Server timing: what a server says its share of an answer's time was.

Our server sends the standard header ``Server-Timing`` with the metrics ``queue`` and
``infer``, in ms; over gRPC it is trailing metadata of the same name and text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["TIMING_HEADER", "ServerTiming", "read_timing", "timing_text"]

TIMING_HEADER = "server-timing"
_METRIC = re.compile(r"([\w.-]+)\s*(?:;[^,]*?)?;\s*dur\s*=\s*([0-9.]+)")


@dataclass(frozen=True)
class ServerTiming:
    """Time that a request waited for its batch, and that its batch took in the model, ns."""

    queue_ns: int
    infer_ns: int

    @property
    def total_ns(self) -> int:
        """The server's share."""
        return self.queue_ns + self.infer_ns


def timing_text(timing: ServerTiming) -> str:
    """Write the header's value."""
    return f"queue;dur={timing.queue_ns / 1e6:.6f}, infer;dur={timing.infer_ns / 1e6:.6f}"


def read_timing(text: str) -> ServerTiming | None:
    """Read the header's value; all metrics but ``queue`` are time of the model.

    ``None`` if it holds no durations.
    """
    found: dict[str, int] = {}
    for name, duration in _METRIC.findall(text):
        try:
            found[name] = found.get(name, 0) + round(float(duration) * 1e6)
        except ValueError:
            continue
    if not found:
        return None
    queue_ns = found.pop("queue", 0)
    return ServerTiming(queue_ns, found.pop("total", 0) or sum(found.values()))
