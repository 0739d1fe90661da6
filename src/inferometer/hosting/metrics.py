"""Metrics: what a server has done, as Prometheus reads it and as the statistics extension."""

from __future__ import annotations

import bisect
import threading
from collections import Counter
from typing import Any

from inferometer.open_inference import ServerTiming

__all__ = ["METRICS_TYPE", "ModelMetrics", "metrics_text"]

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class _Histogram:
    """Counts of values up to each bound, and their sum."""

    def __init__(self, bounds: tuple[float, ...]):
        self.bounds, self.counts, self.sum = bounds, [0] * (len(bounds) + 1), 0.0

    def add(self, value: float) -> None:
        self.counts[bisect.bisect_left(self.bounds, value)] += 1
        self.sum += value

    def lines(self, name: str, labels: str) -> list[str]:
        found, below = [], 0
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self.counts, strict=True):
            below += count
            found.append(f'{name}_bucket{{{labels},le="{bound}"}} {below}')
        return [*found, f"{name}_sum{{{labels}}} {self.sum:g}", f"{name}_count{{{labels}}} {below}"]


class ModelMetrics:
    """What was asked of one model, and how it went; any thread may add to it."""

    def __init__(self, name: str):
        self.name = name
        self._lock = threading.Lock()
        self._requests: Counter[int] = Counter()
        self._rows = 0
        self._queue, self._infer = _Histogram(_SECONDS), _Histogram(_SECONDS)
        self._batch_rows, self._batch = _Histogram(_SIZES), _Histogram(_SECONDS)
        self.in_flight = 0

    def begin(self, limit: int) -> bool:
        """Count a request in; False if so many are in flight already."""
        with self._lock:
            if self.in_flight >= limit:
                return False
            self.in_flight += 1
            return True

    def end(self) -> None:
        """Count a request out."""
        with self._lock:
            self.in_flight -= 1

    def note_request(self, status: int, rows: int = 0, timing: ServerTiming | None = None) -> None:
        """Take in a request with its HTTP status, and where its time went if it was answered."""
        with self._lock:
            self._requests[status] += 1
            if timing is not None:
                self._rows += rows
                self._queue.add(timing.queue_ns / 1e9)
                self._infer.add(timing.infer_ns / 1e9)

    def note_batch(self, rows: int, took_ns: int) -> None:
        """Take in a call of the model."""
        with self._lock:
            self._batch_rows.add(rows)
            self._batch.add(took_ns / 1e9)

    def lines(self) -> dict[str, list[str]]:
        """Give the lines of each metric."""
        labels = f'model="{self.name}"'
        with self._lock:
            return {
                "requests_total": [
                    f'inferometer_requests_total{{{labels},code="{code}"}} {count}'
                    for code, count in sorted(self._requests.items())
                ],
                "samples_total": [f"inferometer_samples_total{{{labels}}} {self._rows}"],
                "requests_in_flight": [
                    f"inferometer_requests_in_flight{{{labels}}} {self.in_flight}"
                ],
                **{
                    name: histogram.lines(f"inferometer_{name}", labels)
                    for name, histogram in (
                        ("queue_seconds", self._queue),
                        ("inference_seconds", self._infer),
                        ("batch_samples", self._batch_rows),
                        ("batch_seconds", self._batch),
                    )
                },
            }

    def statistics(self, version: str) -> dict[str, Any]:
        """Give the model's entry of the statistics extension; times are sums, ns."""
        with self._lock:
            answered = sum(self._queue.counts)
            failed = sum(self._requests.values()) - answered
            queue_ns, infer_ns = int(self._queue.sum * 1e9), int(self._infer.sum * 1e9)
            return {
                "name": self.name,
                "version": version,
                "inference_count": self._rows,
                "execution_count": sum(self._batch.counts),
                "inference_stats": {
                    "success": {"count": answered, "ns": queue_ns + infer_ns},
                    "fail": {"count": failed, "ns": 0},
                    "queue": {"count": answered, "ns": queue_ns},
                    "compute_infer": {"count": answered, "ns": infer_ns},
                },
            }


_DESCRIBED = {
    "requests_total": ("counter", "Requests by HTTP status."),
    "samples_total": ("counter", "Samples answered."),
    "requests_in_flight": ("gauge", "Requests that are being answered."),
    "queue_seconds": ("histogram", "Time of requests until their batch ran."),
    "inference_seconds": ("histogram", "Time of requests in the model."),
    "batch_samples": ("histogram", "Samples in one call of the model."),
    "batch_seconds": ("histogram", "Time of one call of the model."),
}


def metrics_text(models: list[ModelMetrics]) -> str:
    """Write all metrics in Prometheus's text format, version 0.0.4."""
    by_model = [model.lines() for model in models]
    lines = []
    for name, (kind, text) in _DESCRIBED.items():
        lines += [f"# HELP inferometer_{name} {text}", f"# TYPE inferometer_{name} {kind}"]
        for model in by_model:
            lines += model[name]
    return "\n".join(lines) + "\n"
