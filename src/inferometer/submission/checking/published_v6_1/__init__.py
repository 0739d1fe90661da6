"""Published verdict of v6.1: what the round's own checker says of a tree, its slips included."""

from inferometer.submission.checking.published_v6_1.case import Case
from inferometer.submission.checking.published_v6_1.compliance import reasons_of_test
from inferometer.submission.checking.published_v6_1.files import StopsError
from inferometer.submission.checking.published_v6_1.verdict import published_verdict_v6_1

__all__ = ["Case", "StopsError", "published_verdict_v6_1", "reasons_of_test"]
