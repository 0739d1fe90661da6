"""Building submissions: recorded runs become the tree that a published round asks for."""

from inferometer.submission.building.build import Submission, build_submission
from inferometer.submission.building.candidate import load_runs
from inferometer.submission.building.describing import description_of_machine
from inferometer.submission.building.request import (
    RefusedError,
    SubmissionError,
    SubmissionRequest,
)

__all__ = [
    "RefusedError",
    "Submission",
    "SubmissionError",
    "SubmissionRequest",
    "build_submission",
    "description_of_machine",
    "load_runs",
]
