"""Leaderboard: one self-contained page in which people pick results by what they need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inferometer.loadgen import Rule, write_atomically
from inferometer.report.leaderboard_charts import kinds_chart, matrix_chart
from inferometer.report.leaderboard_wording import (
    accuracy_cell,
    bound_cell,
    latency_cell,
    metric_cell,
    model_cell,
    place_cell,
    warnings_of,
)
from inferometer.report.templating import page_environment, page_script
from inferometer.submission.published import PROCESSOR_KINDS, Need, ResultRow, chosen

__all__ = ["leaderboard_html", "write_leaderboard"]

_NONE = "not told"


@dataclass(frozen=True)
class _Choice:
    """A menu of the page: the attribute of rows that it picks by, and what it offers."""

    name: str
    label: str
    options: tuple[str, ...]


@dataclass(frozen=True)
class _Oddity:
    """A rule that something was found by, and how often."""

    rule: Rule
    count: int


def write_leaderboard(rows: Sequence[ResultRow], path: Path) -> Path:
    """Write the page for some results into one file; give its path."""
    write_atomically(path, leaderboard_html(rows).encode("utf-8"))
    return path


def leaderboard_html(rows: Sequence[ResultRow]) -> str:
    """Give the page: a form, the results in one table, two pictures, and what was odd.

    Every row stands in the page as text; the script only hides, sorts and counts. Without it,
    all rows are shown. Nothing is loaded from anywhere.
    """
    environment = page_environment()
    script, script_hash = page_script("leaderboard.js")
    ordered = chosen(rows, Need())
    published = [row for row in ordered if not row.is_own]
    benchmark, scenario = _first_choice(ordered)
    return environment.get_template("leaderboard.html.j2").render(
        script=script,
        script_hash=script_hash,
        rows=[_line(row) for row in ordered],
        own_count=len(ordered) - len(published),
        published_count=len(published),
        rounds=sorted({row.round for row in published}),
        submitter_count=len({row.submitter for row in published}),
        benchmarks=_distinct(ordered, "benchmark"),
        scenarios=_distinct(ordered, "scenario"),
        benchmark=benchmark,
        scenario=scenario,
        choices=_choices(ordered),
        **_pictures(published),
        oddities=_oddities(ordered),
    )


def _first_choice(rows: Sequence[ResultRow]) -> tuple[str, str]:
    """Give the benchmark and scenario that most results have."""
    counts = Counter((row.benchmark, row.scenario) for row in rows)
    return counts.most_common(1)[0][0] if counts else ("", "")


def _distinct(rows: Sequence[ResultRow], name: str) -> tuple[str, ...]:
    return tuple(sorted({str(getattr(row, name) or _NONE) for row in rows}))


def _choices(rows: Sequence[ResultRow]) -> list[_Choice]:
    kinds = {row.processor_kind for row in rows}
    return [
        _Choice("kind", "Processor", tuple(kind for kind in PROCESSOR_KINDS if kind in kinds)),
        _Choice("framework", "Framework", _distinct(rows, "framework_family")),
        _Choice("precision", "Number format", _distinct(rows, "precision")),
        _Choice("division", "Division", _distinct(rows, "division")),
        _Choice("status", "Availability", _distinct(rows, "status")),
        _Choice("submitter", "Submitter", _distinct(rows, "submitter")),
    ]


def _line(row: ResultRow) -> dict[str, Any]:
    """Give a row as texts, and as the values that the script picks and sorts by."""
    has_accelerator = bool(row.accelerator) and row.accelerator_count != 0
    return {
        "row": row,
        "result": metric_cell(row),
        "latency": latency_cell(row),
        "bound": bound_cell(row),
        "accuracy": accuracy_cell(row),
        "warnings": warnings_of(row),
        "place": place_cell(row, " · "),
        "model": model_cell(row),
        "runs": f"worst of {row.run_count} runs" if (row.run_count or 0) > 1 else "",
        "data": {
            "benchmark": row.benchmark,
            "scenario": row.scenario,
            "kind": row.processor_kind,
            "framework": row.framework_family,
            "precision": row.precision,
            "division": row.division or _NONE,
            "status": row.status or _NONE,
            "submitter": row.submitter,
            "accelerator": "with" if has_accelerator else "without",
            "metric": row.metric or "",
            "value": _plain(row.metric_value),
            "better": {True: "more", False: "less", None: ""}[row.higher_is_better],
            "latency": _plain(row.latency_ms),
            "accuracy": _plain(row.accuracy),
            "reached": {True: "yes", False: "no", None: ""}[row.meets_target],
            "valid": "no" if row.is_valid is False else "yes",
            "system": f"{row.submitter} {row.title}",
            "hardware": f"{row.processor_kind} {row.hardware}",
        },
    }


def _plain(value: float | None) -> str:
    """Write a number as scripts read it; nothing for none."""
    return "" if value is None else repr(value)


def _pictures(rows: Sequence[ResultRow]) -> dict[str, Any]:
    """Give the two pictures of published entries, with the numbers that they draw."""
    by_kind = Counter(row.processor_kind for row in rows)
    kinds = [kind for kind in PROCESSOR_KINDS if by_kind[kind]]
    pairs: Mapping[tuple[str, str], int] = Counter(
        (row.framework_family, row.processor_kind) for row in rows
    )
    by_family = Counter(row.framework_family for row in rows)
    families = sorted(by_family, key=lambda family: (-by_family[family], family.lower()))
    return {
        "kinds": kinds,
        "families": families,
        "by_kind": by_kind,
        "by_family": by_family,
        "pairs": pairs,
        "kinds_svg": kinds_chart({kind: by_kind[kind] for kind in kinds}),
        "matrix_svg": matrix_chart(families, kinds, pairs),
    }


def _oddities(rows: Sequence[ResultRow]) -> list[_Oddity]:
    """Count the findings by rule, the most frequent first."""
    counts = Counter(found.rule for row in rows for found in row.findings)
    return [_Oddity(rule, count) for rule, count in counts.most_common()]
