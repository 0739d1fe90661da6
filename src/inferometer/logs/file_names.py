"""File names: what the published LoadGen calls the logs of a test."""

from __future__ import annotations

__all__ = ["ACCURACY_LOG", "ACCURACY_TEXT", "DETAIL_LOG", "LOG_FILES", "SUMMARY_LOG", "TRACE_LOG"]

SUMMARY_LOG = "mlperf_log_summary.txt"
DETAIL_LOG = "mlperf_log_detail.txt"
ACCURACY_LOG = "mlperf_log_accuracy.json"
TRACE_LOG = "mlperf_log_trace.json"

LOG_FILES = {
    "summary": SUMMARY_LOG,
    "detail": DETAIL_LOG,
    "accuracy": ACCURACY_LOG,
    "trace": TRACE_LOG,
}
"""The file of each kind of log."""

ACCURACY_TEXT = "accuracy.txt"
"""What a scorer says of the accuracy log stands in this file beside it."""
