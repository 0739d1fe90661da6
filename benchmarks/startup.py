"""Start-up: what a test and an import cost before anything is measured."""

from __future__ import annotations

import statistics
import subprocess
import sys
from functools import partial
from typing import Any

from benchmarks.harness import Numbers, respond, run_api

__all__ = ["import_api", "start_api"]

TESTS = 25
QUERIES = 100
IMPORTS = 5


def start_api(lg: Any) -> Numbers:
    """`StartTest` with a hundred queries and nothing to wait for."""
    settings = {"min_query_count": QUERIES, "single_stream_expected_latency_ns": 10_000}
    spent = [
        run_api(lg, "SingleStream", partial(respond, lg), settings) / 1e6 for _ in range(TESTS)
    ]
    return {"first_test_ms": spent[0], "later_tests_ms": statistics.median(spent[1:])}


def import_api(lg: Any) -> Numbers:
    """Importing the module in a fresh interpreter, the least of a few."""
    code = (
        "import time; begun = time.perf_counter_ns(); "
        f"import {lg.__name__}; print(time.perf_counter_ns() - begun)"
    )
    spent = [
        int(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
        for _ in range(IMPORTS)
    ]
    return {"import_ms": min(spent) / 1e6}
