"""Sweep page: one self-contained file with the table, the pictures, and what is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from inferometer.loadgen import write_atomically
from inferometer.report.sweep_chart import pareto_chart
from inferometer.report.sweep_wording import ANSWER_WORDS, figure_text, range_text
from inferometer.report.templating import page_environment
from inferometer.sweeping import Choice, Matrix, Row

__all__ = ["sweep_html", "write_sweep"]

_QUALITY = "accuracy"
_FEWEST = 2
_AGAINST_EACH_OTHER = (
    ("SingleStream latency", "Offline throughput"),
    ("Server latency", "cost"),
    ("SingleStream latency", "cost"),
)


@dataclass(frozen=True)
class _Picture:
    title: str
    svg: Markup


def write_sweep(choice: Choice, matrix: Matrix, path: Path) -> Path:
    """Write the page of a sweep into one file; give its path."""
    write_atomically(path, sweep_html(choice, matrix).encode("utf-8"))
    return path


def sweep_html(choice: Choice, matrix: Matrix) -> str:
    """Give the page. It holds no script, and nothing is loaded from anywhere."""
    numbered = dict(enumerate((row for row in choice.rows if not row.error), start=1))
    currency = matrix.price.currency if matrix.price else ""
    return (
        page_environment()
        .get_template("sweep.html.j2")
        .render(
            choice=choice,
            matrix=matrix,
            rows=[_line(number, row, choice, currency) for number, row in numbered.items()],
            failed=[row for row in choice.rows if row.error],
            pictures=_pictures(numbered, choice, currency),
            currency=currency,
        )
    )


def _line(number: int, row: Row, choice: Choice, currency: str) -> dict[str, Any]:
    cells = []
    for name in choice.figures:
        figure = row.figures.get(name)
        cells.append(
            None
            if figure is None
            else {
                "value": figure_text(figure, currency),
                "range": range_text(figure, currency),
                "note": figure.note,
                "is_valid": figure.is_valid,
            }
        )
    answers = [
        (need.text, ANSWER_WORDS[answer])
        for need, answer in zip(choice.needs, row.answers, strict=True)
    ]
    return {
        "number": number,
        "row": row,
        "cells": cells,
        "answer": ANSWER_WORDS[row.answer],
        "answers": answers,
    }


def _pictures(rows: dict[int, Row], choice: Choice, currency: str) -> list[_Picture]:
    """Draw the accuracy against each other figure, and some figures against each other."""
    pairs = [(name, _QUALITY) for name in choice.figures if name != _QUALITY]
    pairs += _AGAINST_EACH_OTHER
    return [
        _Picture(f"{y} against {x}", pareto_chart(rows, x, y, choice.needs, currency))
        for x, y in pairs
        if _have_both(list(rows.values()), x, y) >= _FEWEST
    ]


def _have_both(rows: Sequence[Row], x: str, y: str) -> int:
    return sum(x in row.figures and y in row.figures for row in rows)
