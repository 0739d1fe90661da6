"""Pairs of tests: the same one on the published package and on ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.mlperf_loadgen.harness import (
    NO_WHEEL,
    OURS,
    Seen,
    logs_in,
    run,
    settings_for,
)

WHEEL: Any = pytest.importorskip("mlperf_loadgen", reason=NO_WHEEL)


def run_pair(
    folder: Path, asked: dict[str, Any], total: int, performance: int, **logged: Any
) -> tuple[Seen, Seen]:
    """One test on the published package and on ours."""
    pair = []
    for name, lg in (("published", WHEEL), ("ours", OURS)):
        where = folder / name
        where.mkdir(exist_ok=True)
        logs = logs_in(lg, where, **{"enable_trace": False, **logged})
        settings = settings_for(lg, **asked)
        pair.append(run(lg, where, settings, total=total, performance=performance, logs=logs))
    return pair[0], pair[1]


def logged(seen: Seen) -> list[tuple[int, int, str]]:
    return sorted((one["seq_id"], one["qsl_idx"], one["data"]) for one in seen.answers)
