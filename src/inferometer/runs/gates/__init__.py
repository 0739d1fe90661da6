"""Gates: conditions that make a run fail, held against what was measured."""

from inferometer.runs.gates.condition import Condition, GateError
from inferometer.runs.gates.figure import FigureName, Quantity, figure_name
from inferometer.runs.gates.holding import check_baseline, check_scope, hold_gates
from inferometer.runs.gates.parsing import parse_condition
from inferometer.runs.gates.reading import Reading, applies, read_figure
from inferometer.runs.gates.result import GateOutcome, GateResult
from inferometer.runs.gates.rules import GATE_RULES

__all__ = [
    "GATE_RULES",
    "Condition",
    "FigureName",
    "GateError",
    "GateOutcome",
    "GateResult",
    "Quantity",
    "Reading",
    "applies",
    "check_baseline",
    "check_scope",
    "figure_name",
    "hold_gates",
    "parse_condition",
    "read_figure",
]
