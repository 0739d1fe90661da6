"""Tasks: samples, preprocessing, model, post-processing and score."""

from inferometer.workloads.protocol import (
    AccuracyResult,
    InputLibrary,
    ScoredAnswer,
    Workload,
    WorkloadError,
    WorkloadInfo,
)
from inferometer.workloads.registry import get_workload, workload_names

__all__ = [
    "AccuracyResult",
    "InputLibrary",
    "ScoredAnswer",
    "Workload",
    "WorkloadError",
    "WorkloadInfo",
    "get_workload",
    "workload_names",
]
