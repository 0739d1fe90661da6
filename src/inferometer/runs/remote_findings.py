"""Findings of models on servers: what was sent again or failed, and whose the time was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from inferometer.loadgen import Finding, Rule, Severity

__all__ = ["REMOTE_RULES", "findings_of_remote"]

_RETRIED = Rule(
    "remote.retried",
    "Requests were sent to the server again",
    Severity.WARNING,
    "their latency counts from the scheduled time; find out why the server didn't answer at once",
)
_FAULTS = {
    "connection-lost": Rule(
        "remote.connection-lost",
        "The connection to the server was lost",
        Severity.ERROR,
        "see in the server's log why it ended, and run again",
    ),
    "unreachable": Rule(
        "remote.unreachable",
        "The server can't be reached any more",
        Severity.ERROR,
        "see whether the server still runs, and run again",
    ),
    "timeout": Rule(
        "remote.timeout",
        "The server didn't answer in time",
        Severity.ERROR,
        "lower the load, or raise the limit: --backend-option timeout_s=SECONDS",
    ),
    "busy": Rule(
        "remote.busy",
        "The server refused requests because it was busy",
        Severity.ERROR,
        "keep fewer in flight (--backend-option connections=N), lower the load, or let requests "
        "be sent again (--backend-option retries=N), which is put on record",
    ),
    "failed": Rule(
        "remote.failed",
        "The server answered requests with an error",
        Severity.ERROR,
        "mend what the server says, and run again",
    ),
}
_SHARES = Rule(
    "remote.shares",
    "Where the time of requests went",
    Severity.INFO,
    "the network's share has the client's and the server's work on messages in it",
)

REMOTE_RULES = (*_FAULTS.values(), _RETRIED, _SHARES)
"""Everything that may be found about requests to a server."""


def findings_of_remote(notes: Mapping[str, Any]) -> list[Finding]:
    """Give what a recording's notes say of the requests to servers."""
    parts: Mapping[str, Mapping[str, Any]] = notes.get("remote", {})
    retried, failed = Counter[str](), Counter[str]()
    for part in parts.values():
        retried.update(part["retried"])
        failed.update(part["failed"])
    first = next((part["first_fault"] for part in parts.values() if "first_fault" in part), "")
    found = [
        Finding(_FAULTS.get(kind, _FAULTS["failed"]), f"{_requests(count)}; the first: {first}")
        for kind, count in failed.items()
    ]
    if retried:
        why = ", ".join(f"{kind} {count:,}" for kind, count in retried.items())
        seen = f"{_requests(retried.total())} ({why}); the first: {first}"
        found.append(Finding(_RETRIED, seen))
    for name, part in parts.items():
        found += _shares(part, f"{name}: " if len(parts) > 1 else "")
    return found


def _requests(count: int) -> str:
    return f"{count:,} request{'' if count == 1 else 's'}"


def _shares(part: Mapping[str, Any], prefix: str) -> list[Finding]:
    whole, server = part.get("round_trip_ns"), part.get("server_ns")
    if not whole or not server:
        return []
    whole_ns, server_ns, queue_ns = (
        values["mean"] for values in (whole, server, part["server_queue_ns"])
    )
    network_ns = max(0, whole_ns - server_ns)
    seen = (
        f"{prefix}of a mean of {whole_ns / 1e6:.3f} ms from sending to the answer, the server took "
        f"{server_ns / 1e6:.3f} ms ({queue_ns / 1e6:.3f} of it in its queue), the network "
        f"{network_ns / 1e6:.3f} ms ({network_ns / max(whole_ns, 1):.0%})"
    )
    return [Finding(_SHARES, seen)]
