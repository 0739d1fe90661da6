"""Metrics: the text that Prometheus reads, to the letter, and the statistics extension."""

from __future__ import annotations

from inferometer.hosting.metrics import ModelMetrics, metrics_text
from inferometer.open_inference import ServerTiming


def _metrics() -> ModelMetrics:
    metrics = ModelMetrics("m")
    metrics.begin(10)
    metrics.note_request(200, 3, ServerTiming(2_000_000, 30_000_000))
    metrics.note_request(400)
    metrics.note_batch(3, 30_000_000)
    return metrics


def test_the_text_is_prometheus_text() -> None:
    lines = metrics_text([_metrics()]).splitlines()
    assert lines[:11] == [
        "# HELP inferometer_requests_total Requests by HTTP status.",
        "# TYPE inferometer_requests_total counter",
        'inferometer_requests_total{model="m",code="200"} 1',
        'inferometer_requests_total{model="m",code="400"} 1',
        "# HELP inferometer_samples_total Samples answered.",
        "# TYPE inferometer_samples_total counter",
        'inferometer_samples_total{model="m"} 3',
        "# HELP inferometer_requests_in_flight Requests that are being answered.",
        "# TYPE inferometer_requests_in_flight gauge",
        'inferometer_requests_in_flight{model="m"} 1',
        "# HELP inferometer_queue_seconds Time of requests until their batch ran.",
    ]
    batch = [line for line in lines if line.startswith("inferometer_batch_samples")]
    assert batch[:3] == [
        'inferometer_batch_samples_bucket{model="m",le="1"} 0',
        'inferometer_batch_samples_bucket{model="m",le="2"} 0',
        'inferometer_batch_samples_bucket{model="m",le="4"} 1',
    ]
    assert batch[-3:] == [
        'inferometer_batch_samples_bucket{model="m",le="+Inf"} 1',
        'inferometer_batch_samples_sum{model="m"} 3',
        'inferometer_batch_samples_count{model="m"} 1',
    ]


def test_statistics_are_sums() -> None:
    assert _metrics().statistics("1") == {
        "name": "m",
        "version": "1",
        "inference_count": 3,
        "execution_count": 1,
        "inference_stats": {
            "success": {"count": 1, "ns": 32_000_000},
            "fail": {"count": 1, "ns": 0},
            "queue": {"count": 1, "ns": 2_000_000},
            "compute_infer": {"count": 1, "ns": 30_000_000},
        },
    }


def test_no_more_than_the_limit_are_counted_in() -> None:
    metrics = ModelMetrics("m")
    assert [metrics.begin(2) for _ in range(3)] == [True, True, False]
    metrics.end()
    assert metrics.begin(2)
