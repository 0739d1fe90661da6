"""Capacity: the highest load that keeps a latency bound, with few runs and an honest doubt."""

from inferometer.capacity.asked import SEARCH, Asked, Wishes
from inferometer.capacity.belief import Belief, believe
from inferometer.capacity.bench import SearchError
from inferometer.capacity.curve import log_share_and_slope
from inferometer.capacity.find import find, go_on, show
from inferometer.capacity.found import Found
from inferometer.capacity.observation import Observation
from inferometer.capacity.question import Question
from inferometer.capacity.reading import Bound, observation_of
from inferometer.capacity.search import Estimate, Goal, Outcome, Search
from inferometer.capacity.trial import Trial
from inferometer.capacity.verifying import Verified, Verifying, least_pass_share

__all__ = [
    "SEARCH",
    "Asked",
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
    "Verified",
    "Verifying",
    "Wishes",
    "believe",
    "find",
    "go_on",
    "least_pass_share",
    "log_share_and_slope",
    "observation_of",
    "show",
]
