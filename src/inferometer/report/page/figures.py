"""Figures: all charts of a test."""

from __future__ import annotations

from inferometer.loadgen import Scenario
from inferometer.report.page.budget import Budget
from inferometer.report.page.figure import Figure
from inferometer.report.page.latency_figures import latency_figures, lateness_figure
from inferometer.report.page.load_figures import load_figures
from inferometer.report.page.work_figures import work_figures
from inferometer.runs import TestResult

__all__ = ["figures_of"]


def figures_of(test: TestResult, budget: Budget) -> list[Figure]:
    """Draw what a performance test recorded; nothing where no query was answered."""
    series = test.recording.performance
    if series is None or test.verdict is None or not len(series.query_latency_ns):
        return []
    figures = []
    if test.scenario is not Scenario.OFFLINE:
        figures.extend(latency_figures(test, series, budget))
    figures.extend(load_figures(test, series))
    if test.scenario is Scenario.SERVER:
        figures.append(lateness_figure(series, budget))
    figures.extend(work_figures(test, series, budget))
    return figures
