"""Published rounds as data: benchmarks, numbers, files, audits, and the catalogue of rules."""

from inferometer.rounds.area import Area
from inferometer.rounds.audit import Audit
from inferometer.rounds.benchmark import Benchmark, Limit, TokenBounds
from inferometer.rounds.free_settings import MORE_IS_ALLOWED, free_settings
from inferometer.rounds.query_counts import QueryCounts
from inferometer.rounds.round import Round, Seeds, load_round, round_names
from inferometer.rounds.rule import RoundNote, RoundRule, RuleKind, load_rules
from inferometer.rounds.scenarios import ScenarioRules
from inferometer.rounds.table import RoundError
from inferometer.rounds.tree_rules import RequiredFiles, SystemKeys

__all__ = [
    "MORE_IS_ALLOWED",
    "Area",
    "Audit",
    "Benchmark",
    "Limit",
    "QueryCounts",
    "RequiredFiles",
    "Round",
    "RoundError",
    "RoundNote",
    "RoundRule",
    "RuleKind",
    "ScenarioRules",
    "Seeds",
    "SystemKeys",
    "TokenBounds",
    "free_settings",
    "load_round",
    "load_rules",
    "round_names",
]
