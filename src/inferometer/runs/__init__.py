"""Runs: a workload, a backend and scenarios become a folder of recordings and results."""

from inferometer.runs.agreement import REFERENCE_BACKEND, Agreement, agreements
from inferometer.runs.by_the_book import breaches, for_division_and_area
from inferometer.runs.effort import Effort
from inferometer.runs.environment import Check, check_environment
from inferometer.runs.folder import RunFolderError, load_session, load_sessions
from inferometer.runs.formats import FormatComparison, compare_formats
from inferometer.runs.measure import Measurement, MeasurementError, measure
from inferometer.runs.paired import PairedDifference, paired_difference
from inferometer.runs.recorder import recover_journal, recover_test
from inferometer.runs.request import (
    SERVING_KINDS,
    Isolation,
    Listener,
    RunRequest,
    ServingOptions,
    SystemOptions,
    threads_of,
)
from inferometer.runs.result import Session, TestResult
from inferometer.runs.resuming import can_be_resumed, keep_suite, resumed_requests
from inferometer.runs.rules import RUN_RULES
from inferometer.runs.runner import Runner
from inferometer.runs.script import run_script
from inferometer.runs.settings_file import parse_assignment, read_settings_file
from inferometer.runs.supervised import LOAD_LIMIT_S, run_supervised
from inferometer.runs.system import describe_system, usable_cores

__all__ = [
    "LOAD_LIMIT_S",
    "REFERENCE_BACKEND",
    "RUN_RULES",
    "SERVING_KINDS",
    "Agreement",
    "Check",
    "Effort",
    "FormatComparison",
    "Isolation",
    "Listener",
    "Measurement",
    "MeasurementError",
    "PairedDifference",
    "RunFolderError",
    "RunRequest",
    "Runner",
    "ServingOptions",
    "Session",
    "SystemOptions",
    "TestResult",
    "agreements",
    "breaches",
    "can_be_resumed",
    "check_environment",
    "compare_formats",
    "describe_system",
    "for_division_and_area",
    "keep_suite",
    "load_session",
    "load_sessions",
    "measure",
    "paired_difference",
    "parse_assignment",
    "read_settings_file",
    "recover_journal",
    "recover_test",
    "resumed_requests",
    "run_script",
    "run_supervised",
    "threads_of",
    "usable_cores",
]
