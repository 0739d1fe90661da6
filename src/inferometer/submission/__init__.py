"""Submissions: trees of results on disk, built, checked, audited, and read back in."""

from inferometer.submission.places import DIVISIONS, ResultPlace, result_places, scenario_of
from inferometer.submission.tree import Tree, TreeError, TreeProblem

__all__ = [
    "DIVISIONS",
    "ResultPlace",
    "Tree",
    "TreeError",
    "TreeProblem",
    "result_places",
    "scenario_of",
]
