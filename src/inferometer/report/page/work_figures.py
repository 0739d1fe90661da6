"""Work figures: what a system tells of its work, batch by batch and stage by stage."""

from __future__ import annotations

import numpy as np

from inferometer.loadgen import PhaseTimes, Scenario, SeriesRecord
from inferometer.report.page.batch_sizes import BatchSizes
from inferometer.report.page.budget import Budget
from inferometer.report.page.figure import Figure
from inferometer.report.page.ladder import Ladder
from inferometer.report.page.stage_windows import StageWindows
from inferometer.report.page.work_charts import shares_chart, sizes_chart, stacked_chart
from inferometer.runs import TestResult

__all__ = ["work_figures"]

_DRAWN = 100
_STAGES = 4


def work_figures(test: TestResult, series: SeriesRecord, budget: Budget) -> list[Figure]:
    """Draw batch sizes and the time by stage; nothing where the system didn't tell.

    In Offline the wait is left out: everything is issued at the start.
    """
    times = PhaseTimes.of(series)
    if times is None:
        return []
    with_wait = test.scenario is not Scenario.OFFLINE
    figures = []
    sizes = BatchSizes.of(series)
    if sizes is not None and sizes.sizes[-1] > 1:
        figures.append(_batches(sizes))
    figures.append(_over_time(times, with_wait))
    figures.append(_distributions(times, with_wait, budget))
    return figures


def _batches(found: BatchSizes) -> Figure:
    return Figure(
        "Batch sizes",
        f"Samples answered by one call of the model, {found.mean:.3g} on average.",
        sizes_chart(found),
        {
            "kind": "sizes",
            "sizes": found.sizes.tolist(),
            "batches": found.batches.tolist(),
        },
    )


def _over_time(times: PhaseTimes, with_wait: bool) -> Figure:
    drawn = StageWindows.of(times, with_wait=with_wait, most=_DRAWN)
    full = StageWindows.of(times, with_wait=with_wait)
    ends = np.append(drawn.first_ns[1:], times.began_ns.max())
    middles = ((drawn.first_ns + ends) / 2 / 1e9).tolist()
    counts = np.full(len(ends), drawn.per)
    counts[-1] = drawn.count - drawn.per * (len(ends) - 1)
    means = {name: (sums / counts).tolist() for name, sums in drawn.sums_ns.items()}
    return Figure(
        "Time by stage, over time",
        "Mean time of a sample in each stage; the samples of a batch share its work, and each "
        "counts with all of it.",
        stacked_chart(middles, means),
        {"kind": "stages", "end": int(times.began_ns.max()), **full.to_page()},
    )


def _distributions(times: PhaseTimes, with_wait: bool, budget: Budget) -> Figure:
    stages = times.by_name(with_wait=with_wait)
    ladders = {name: Ladder.of(values, budget.rungs // _STAGES) for name, values in stages.items()}
    return Figure(
        "Time by stage, distribution",
        "Which share of the samples spent at most so long in each stage.",
        shares_chart(ladders),
        {
            "kind": "distribution",
            "views": ["cdf", "tail"],
            "name": "time",
            "noun": "samples",
            "ladders": [
                {"name": name, "css": name, **ladder.to_page()} for name, ladder in ladders.items()
            ],
            "markers": [],
            "interval": None,
        },
    )
