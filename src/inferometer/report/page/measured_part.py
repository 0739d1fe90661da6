"""Measured part: what the page tells of one test."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inferometer.loadgen import Goodput, LatencySummary, Scenario, SeriesRecord, Verdict
from inferometer.report.page.asked import asked_of
from inferometer.report.page.budget import Budget
from inferometer.report.page.figures import figures_of
from inferometer.report.page.flat_rows import flat_rows
from inferometer.report.page.packing import page_json
from inferometer.report.page.raw_rows import raw_rows
from inferometer.report.page.slowest import slowest_of
from inferometer.report.summary import phases_text
from inferometer.runs import TestResult
from inferometer.workloads.detection.scoring import COUNTS

__all__ = ["context_rows", "measured_part"]


def measured_part(
    test: TestResult, anchor: str, beside: Path | None, budget: Budget
) -> dict[str, Any]:
    """Give the values of the template for a test. Links are relative to ``beside``."""
    series = test.recording.performance
    figures = figures_of(test, budget)
    has_rows = series is not None and series.query_count > 0 and budget.has_raw
    rows = raw_rows(series) if series is not None and has_rows and figures else None
    charts = [figure.chart for figure in figures]
    return {
        "test": test,
        "verdict": test.verdict,
        "anchor": anchor,
        "kind": test.title.split()[-1],
        "figures": figures,
        "data": page_json({"name": anchor, "raw": rows, "charts": charts}) if figures else None,
        "percentiles": _percentiles(test.verdict),
        "slowest": _slowest(test, series),
        "phases": phases_text(test),
        "settings": test.recording.settings.to_mapping(),
        "timing": dict(series.timing) if series is not None else {},
        "serving": flat_rows(test.recording.notes.get("serving", {})),
        "context": context_rows(test.recording.notes.get("context")),
        "files": _files(test.folder, beside),
        "asked": asked_of(test),
        "has_rows": rows is not None,
        "details": _details(test),
        "energy": _energy(test),
    }


def context_rows(context: Any) -> list[tuple[str, str]]:
    """Give what is known of the surroundings, if anything is."""
    return flat_rows(context) if isinstance(context, Mapping) else []


def _energy(test: TestResult) -> list[tuple[str, str]]:
    """Tell what parts of the machine took, where they count it."""
    usage = test.energy if test.verdict is not None else None
    if usage is None:
        return []
    return [
        ("component energy a sample", f"{usage.joules_per_sample:.4g} J"),
        (f"mean power of {', '.join(usage.parts_j)}", f"{usage.watts:.3g} W"),
    ]


def _slowest(test: TestResult, series: SeriesRecord | None) -> list[Any]:
    if series is None or test.verdict is None or test.scenario is Scenario.OFFLINE:
        return []
    return slowest_of(series) if series.query_count else []


def _details(test: TestResult) -> list[tuple[str, float]]:
    """Give the further figures of an accuracy; what couldn't be computed, below 0, stays out."""
    found = test.accuracy.details if test.accuracy else {}
    return [(name, value) for name, value in found.items() if value >= 0 and name not in COUNTS]


def _percentiles(verdict: Verdict | None) -> list[tuple[str, LatencySummary]]:
    if verdict is None:
        return []
    shown: list[tuple[str, LatencySummary | None]] = []
    if verdict.scenario.is_multi_stream:
        shown.append(("query latency", verdict.query_latency))
    elif verdict.scenario is not Scenario.OFFLINE:
        shown.append(("latency", verdict.sample_latency))
    if verdict.scenario is Scenario.SERVER:
        shown.append(("generator's lateness", verdict.lateness))
    if verdict.tokens is not None:
        shown.append(("time to first token", verdict.tokens.first_token))
        shown.append(("time per output token", verdict.tokens.per_token))
        shown += _from_sending(verdict.tokens.goodput)
    return [(name, summary) for name, summary in shown if summary is not None]


def _from_sending(goodput: Goodput | None) -> list[tuple[str, LatencySummary | None]]:
    """Give what counts from when each request was sent, where it isn't shown already."""
    if goodput is None or not goodput.from_sending:
        return []
    return [
        ("request, from sending it", goodput.whole),
        ("time to first token, from sending", goodput.first_token),
        ("time per output token", goodput.per_token),
    ]


def _files(folder: Path | None, beside: Path | None) -> list[tuple[str, str]]:
    if folder is None or not folder.is_dir():
        return []
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    base = os.path.relpath(folder, beside) if beside is not None else str(folder)
    return [(name, f"{base}/{name}".replace(os.sep, "/")) for name in names]
