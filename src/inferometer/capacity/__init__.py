"""Capacity: the highest load that keeps a latency bound, with few runs and an honest doubt."""

from inferometer.capacity.belief import Belief, believe
from inferometer.capacity.bench import SearchError
from inferometer.capacity.find import SEARCH, Wishes, find
from inferometer.capacity.found import Found, Trial
from inferometer.capacity.observation import Observation
from inferometer.capacity.question import Question
from inferometer.capacity.reading import Bound, observation_of
from inferometer.capacity.search import Estimate, Goal, Outcome, Search

__all__ = [
    "SEARCH",
    "Belief",
    "Bound",
    "Estimate",
    "Found",
    "Goal",
    "Observation",
    "Outcome",
    "Question",
    "Search",
    "SearchError",
    "Trial",
    "Wishes",
    "believe",
    "find",
    "observation_of",
]
