"""Audits: whether a system under test earns its numbers.

The published tests, as a round has them, and probes of our own where those are weak. Both run
the system through the load generator; what they come to is a pure function of recordings,
answers and log files.
"""

from inferometer.submission.audit.audit_run import (
    AuditError,
    AuditPlan,
    AuditReport,
    audit_names,
    run_audit,
)
from inferometer.submission.audit.bench import Bench
from inferometer.submission.audit.effort import AuditEffort
from inferometer.submission.audit.logged_answers import AnswerCheck, compare_logs
from inferometer.submission.audit.performance_check import (
    PerformanceCheck,
    check_performance,
    check_repetition,
)
from inferometer.submission.audit.probes import PROBES, run_probes
from inferometer.submission.audit.published_folders import (
    AuditFolder,
    FolderCheck,
    audit_folders,
    check_folder,
)
from inferometer.submission.audit.result import AuditResult, Outcome
from inferometer.submission.audit.scores import Score, ScoreError, read_score
from inferometer.submission.audit.subject import Running, Seeds, Sizes, Subject
from inferometer.submission.audit.weights import compare_weights

__all__ = [
    "PROBES",
    "AnswerCheck",
    "AuditEffort",
    "AuditError",
    "AuditFolder",
    "AuditPlan",
    "AuditReport",
    "AuditResult",
    "Bench",
    "FolderCheck",
    "Outcome",
    "PerformanceCheck",
    "Running",
    "Score",
    "ScoreError",
    "Seeds",
    "Sizes",
    "Subject",
    "audit_folders",
    "audit_names",
    "check_folder",
    "check_performance",
    "check_repetition",
    "compare_logs",
    "compare_weights",
    "read_score",
    "run_audit",
    "run_probes",
]
