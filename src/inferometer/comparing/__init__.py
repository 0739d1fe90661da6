"""Comparing: options or recorded runs set against each other, with what speaks against it."""

from inferometer.comparing.comparison import (
    Comparison,
    GroupResult,
    OptionResult,
    ScenarioResult,
)
from inferometer.comparing.findings import COMPARISON_RULES
from inferometer.comparing.folder import (
    ComparisonFolderError,
    is_comparison,
    read_plan,
    write_plan,
)
from inferometer.comparing.int8 import make_int8
from inferometer.comparing.measuring import measure_plan
from inferometer.comparing.option import (
    Option,
    OptionError,
    option_of,
    parse_option,
    with_labels,
    with_option,
)
from inferometer.comparing.pair import AccuracyPair, PairResult
from inferometer.comparing.plan import Candidate, Group, Plan, confidence_of, usual_blocks
from inferometer.comparing.ratio import Basis, Ratio, paired_ratio, single_ratio, unpaired_ratio
from inferometer.comparing.recorded import compare_folders, load_comparison

__all__ = [
    "COMPARISON_RULES",
    "AccuracyPair",
    "Basis",
    "Candidate",
    "Comparison",
    "ComparisonFolderError",
    "Group",
    "GroupResult",
    "Option",
    "OptionError",
    "OptionResult",
    "PairResult",
    "Plan",
    "Ratio",
    "ScenarioResult",
    "compare_folders",
    "confidence_of",
    "is_comparison",
    "load_comparison",
    "make_int8",
    "measure_plan",
    "option_of",
    "paired_ratio",
    "parse_option",
    "read_plan",
    "single_ratio",
    "unpaired_ratio",
    "usual_blocks",
    "with_labels",
    "with_option",
    "write_plan",
]
