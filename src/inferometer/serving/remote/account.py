"""Account of remote calls: what was sent again, what failed, and whose time it was."""

from __future__ import annotations

import threading
from array import array
from collections import Counter
from typing import Any

import numpy as np

from inferometer.loadgen import LatencySummary
from inferometer.serving.remote.fault import RemoteFault

__all__ = ["Account"]


class Account:
    """Counts what happens to requests; `notes` tells it, and begins anew.

    Of answered requests it keeps, as 8 bytes each, the time from sending to the answer and
    the part of it that the server said was its own.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begin()

    def _begin(self) -> None:
        self._retried: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._first = ""
        self._round_trip_ns, self._server_ns, self._queue_ns = array("q"), array("q"), array("q")
        self.note_answer = self._round_trip_ns.append

    def note_shares(self, round_trip_ns: int, queue_ns: int, server_ns: int) -> None:
        """Take in an answer's times where the server tells its share."""
        with self._lock:
            self._round_trip_ns.append(round_trip_ns)
            self._queue_ns.append(queue_ns)
            self._server_ns.append(server_ns)

    def note_retry(self, fault: RemoteFault) -> None:
        """Take in that a request is sent again."""
        with self._lock:
            self._retried[fault.kind.value] += 1
            self._first = self._first or str(fault)

    def note_failure(self, fault: RemoteFault) -> None:
        """Take in that a request is given up."""
        with self._lock:
            self._failed[fault.kind.value] += 1
            if len(self._failed) == 1 and self._failed.total() == 1:
                self._first = str(fault)

    def notes(self) -> dict[str, Any]:
        """Give everything since the last time, ready for JSON, and begin anew."""
        with self._lock:
            found: dict[str, Any] = {
                "answered": len(self._round_trip_ns),
                "retried": dict(self._retried),
                "failed": dict(self._failed),
            }
            if self._first:
                found["first_fault"] = self._first
            whole = np.array(self._round_trip_ns, np.int64)
            server = np.array(self._server_ns, np.int64)
            queue = np.array(self._queue_ns, np.int64)
            self._begin()
        found["round_trip_ns"] = _summary(whole)
        if len(server) and len(server) == len(whole):
            found["server_ns"] = _summary(server)
            found["server_queue_ns"] = _summary(queue)
            found["network_ns"] = _summary(whole - server)
        return found


def _summary(values: np.ndarray[Any, np.dtype[np.int64]]) -> dict[str, int]:
    summary = LatencySummary.of(values)
    if summary is None:
        return {}
    p50, p99 = np.percentile(values, (50, 99), method="higher")
    return {"mean": summary.mean_ns, "p50": int(p50), "p99": int(p99)}
