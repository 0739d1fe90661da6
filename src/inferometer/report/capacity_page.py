"""Capacity page: one self-contained file with the load that was found and what it rests on."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from inferometer.capacity import Found, Trial
from inferometer.loadgen import write_atomically
from inferometer.report.capacity_chart import capacity_chart, is_given
from inferometer.report.capacity_wording import (
    answer_of,
    found_lines,
    kind_of,
    title_of,
    word_of,
)
from inferometer.report.templating import page_environment

__all__ = ["capacity_html", "write_capacity"]


def write_capacity(found: Found, path: Path) -> Path:
    """Write the page of a search into one file; give its path."""
    write_atomically(path, capacity_html(found).encode("utf-8"))
    return path


def capacity_html(found: Found) -> str:
    """Give the page. It holds no script, and nothing is loaded from anywhere."""
    answer = answer_of(found)
    return (
        page_environment()
        .get_template("capacity.html.j2")
        .render(
            found=found,
            title=title_of(found),
            answer=answer,
            lines=[line for line in found_lines(found) if line != answer],
            chart=capacity_chart(found) if found.trials else None,
            rows=[_row(number, trial, found) for number, trial in enumerate(found.trials, 1)],
        )
    )


def _row(number: int, trial: Trial, found: Found) -> dict[str, Any]:
    one = trial.observation
    return {
        "number": number,
        "stage": trial.stage,
        "load": f"{one.load:,g}",
        "share": f"{one.share:.3f}" if math.isfinite(one.share) else "–",
        "queries": f"{one.queries:,} of {trial.whole_queries:,}",
        "seconds": f"{one.seconds:.1f}",
        "word": word_of(one),
        "kind": kind_of(one),
        "folder": str(trial.folder),
        "is_given": is_given(trial, found),
    }
