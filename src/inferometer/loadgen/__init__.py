"""The load generator: settings, plan, issue, recording, verdict.

It knows no model, no file format and no table of rules. Everything before and after the
timed part is a pure function of data::

    Settings --plan--> Plan --issue--> Recording --judge--> Verdict
"""

from inferometer.loadgen.arrays import ArrayStore, MemoryStore
from inferometer.loadgen.atomic_file import atomic_file, write_atomically
from inferometer.loadgen.bound_decision import BoundAnswer, BoundDecision
from inferometer.loadgen.bound_rule import BoundRule, answer_of_latencies
from inferometer.loadgen.clock import Clock, MonotonicClock, VirtualClock
from inferometer.loadgen.early_stopping import EarlyStoppingEstimate, total_needed
from inferometer.loadgen.effective import EffectiveSettings, derive
from inferometer.loadgen.errors import (
    InferometerError,
    PlanError,
    RecordingError,
    ResponseError,
    SettingsError,
    nearest_name,
)
from inferometer.loadgen.findings import (
    RULES,
    Finding,
    Rule,
    Severity,
    finding,
    findings_of_incidents,
    findings_of_messages,
)
from inferometer.loadgen.incident import Incident, IncidentKind
from inferometer.loadgen.journal import (
    Journal,
    abandoned_journals,
    is_alive,
    is_journal,
    recover,
)
from inferometer.loadgen.judging import judge, series_effective
from inferometer.loadgen.ledger import Ledger
from inferometer.loadgen.looks import Looks
from inferometer.loadgen.own_core import CoreError, keep_core, kept_core
from inferometer.loadgen.phases import PhaseSplit, PhaseTimes
from inferometer.loadgen.plan import LoadableSet, Plan, loadable_sets, make_plan
from inferometer.loadgen.precision_rule import PrecisionRule
from inferometer.loadgen.process_state import TimingOptions
from inferometer.loadgen.query import Query, Responses, SampleLibrary, SystemUnderTest, name_of
from inferometer.loadgen.recording import Message, Recording, SeriesRecord, Step
from inferometer.loadgen.responses import Response, ResponseReader, ResponseWriter
from inferometer.loadgen.run_options import RunOptions, RunOutcome, SeriesProgress
from inferometer.loadgen.session import run_test
from inferometer.loadgen.settings import Settings
from inferometer.loadgen.statistics import (
    CONFIDENCE,
    Interval,
    percentile,
    percentile_interval,
    proportion_interval,
    rate_interval,
    required_samples,
    series_interval,
)
from inferometer.loadgen.stop_checks import StopRule
from inferometer.loadgen.stop_outlook import StopOutlook
from inferometer.loadgen.verdict import (
    PERCENTILES,
    BoundCheck,
    Goodput,
    LatencySummary,
    Metric,
    Rates,
    Stopping,
    TokenSummary,
    Verdict,
)
from inferometer.loadgen.vocabulary import Era, IntegerFlavour, Mode, Scenario

__all__ = [
    "CONFIDENCE",
    "PERCENTILES",
    "RULES",
    "ArrayStore",
    "BoundAnswer",
    "BoundCheck",
    "BoundDecision",
    "BoundRule",
    "Clock",
    "CoreError",
    "EarlyStoppingEstimate",
    "EffectiveSettings",
    "Era",
    "Finding",
    "Goodput",
    "Incident",
    "IncidentKind",
    "InferometerError",
    "IntegerFlavour",
    "Interval",
    "Journal",
    "LatencySummary",
    "Ledger",
    "LoadableSet",
    "Looks",
    "MemoryStore",
    "Message",
    "Metric",
    "Mode",
    "MonotonicClock",
    "PhaseSplit",
    "PhaseTimes",
    "Plan",
    "PlanError",
    "PrecisionRule",
    "Query",
    "Rates",
    "Recording",
    "RecordingError",
    "Response",
    "ResponseError",
    "ResponseReader",
    "ResponseWriter",
    "Responses",
    "Rule",
    "RunOptions",
    "RunOutcome",
    "SampleLibrary",
    "Scenario",
    "SeriesProgress",
    "SeriesRecord",
    "Settings",
    "SettingsError",
    "Severity",
    "Step",
    "StopOutlook",
    "StopRule",
    "Stopping",
    "SystemUnderTest",
    "TimingOptions",
    "TokenSummary",
    "Verdict",
    "VirtualClock",
    "abandoned_journals",
    "answer_of_latencies",
    "atomic_file",
    "derive",
    "finding",
    "findings_of_incidents",
    "findings_of_messages",
    "is_alive",
    "is_journal",
    "judge",
    "keep_core",
    "kept_core",
    "loadable_sets",
    "make_plan",
    "name_of",
    "nearest_name",
    "percentile",
    "percentile_interval",
    "proportion_interval",
    "rate_interval",
    "recover",
    "required_samples",
    "run_test",
    "series_effective",
    "series_interval",
    "total_needed",
    "write_atomically",
]
