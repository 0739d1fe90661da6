"""Tasks: samples, preprocessing, model, post-processing and score."""

from inferometer.workloads.protocol import (
    MODEL,
    AccuracyResult,
    CalibrationSet,
    InputLibrary,
    Predictor,
    ScoredAnswer,
    Workload,
    WorkloadError,
    WorkloadInfo,
    WorkloadOptions,
    in_unit,
)
from inferometer.workloads.registry import (
    POCKET_SUITE,
    get_workload,
    suite_names,
    suite_or_workload,
    workload_names,
)

__all__ = [
    "MODEL",
    "POCKET_SUITE",
    "AccuracyResult",
    "CalibrationSet",
    "InputLibrary",
    "Predictor",
    "ScoredAnswer",
    "Workload",
    "WorkloadError",
    "WorkloadInfo",
    "WorkloadOptions",
    "get_workload",
    "in_unit",
    "suite_names",
    "suite_or_workload",
    "workload_names",
]
