"""Tuning: good settings for a workload, backend and scenario, found in bounded time."""

from inferometer.tuning.applying import differences, with_tuned
from inferometer.tuning.candidates import Space, axes_of, described, spelled_out
from inferometer.tuning.capacity import find_capacity
from inferometer.tuning.gain import Gain, gain_of
from inferometer.tuning.search import Axis, Found, Limits, Search
from inferometer.tuning.tune import tune
from inferometer.tuning.tuned import Outcome, TunedScenario, Tuning
from inferometer.tuning.tuned_file import (
    TunedFile,
    TunedFileError,
    read_tuned_file,
    write_tuned_file,
)
from inferometer.tuning.validate import measured_pairs

__all__ = [
    "Axis",
    "Found",
    "Gain",
    "Limits",
    "Outcome",
    "Search",
    "Space",
    "TunedFile",
    "TunedFileError",
    "TunedScenario",
    "Tuning",
    "axes_of",
    "described",
    "differences",
    "find_capacity",
    "gain_of",
    "measured_pairs",
    "read_tuned_file",
    "spelled_out",
    "tune",
    "with_tuned",
    "write_tuned_file",
]
