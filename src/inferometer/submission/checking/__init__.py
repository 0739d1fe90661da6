"""Checking a submission tree: everything recomputed that can be, nothing believed."""

from inferometer.submission.checking.answers import AnswerBatch, read_answers
from inferometer.submission.checking.check import (
    SUPPORTED_ROUNDS,
    CheckError,
    check_tree,
    round_of,
)
from inferometer.submission.checking.options import CheckOptions
from inferometer.submission.checking.outcome import Check, Outcome, ResultReport, TreeReport
from inferometer.submission.checking.published import (
    PublishedResult,
    PublishedTree,
    published_verdict,
)
from inferometer.submission.checking.result import check_result
from inferometer.submission.checking.truth import Truth

__all__ = [
    "SUPPORTED_ROUNDS",
    "AnswerBatch",
    "Check",
    "CheckError",
    "CheckOptions",
    "Outcome",
    "PublishedResult",
    "PublishedTree",
    "ResultReport",
    "TreeReport",
    "Truth",
    "check_result",
    "check_tree",
    "published_verdict",
    "read_answers",
    "round_of",
]
