"""Comparison on paper: one self-contained page, Markdown for a pull request, and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from inferometer.comparing import Basis, Comparison, GroupResult, ScenarioResult
from inferometer.loadgen import Severity, write_atomically
from inferometer.report.comparison_charts import SERIES, blocks_chart, forest_chart
from inferometer.report.comparison_wording import (
    accuracy_cell,
    accuracy_interval,
    baseline_of,
    held_text,
    how_text,
    option_interval,
    pair_cell,
    scenario_title,
    value_text,
)
from inferometer.report.templating import page_environment
from inferometer.runs.folder import write_json

__all__ = ["comparison_html", "comparison_markdown", "write_comparison"]

_PAGE, _MARKDOWN, _JSON = "comparison.html", "comparison.md", "comparison.json"
_UNSURE = {Basis.SINGLE: "single runs", Basis.TOO_FEW: "too few runs"}
_ESCAPED = str.maketrans({character: f"\\{character}" for character in "\\`*_{}[]<>|#!"})


def write_comparison(comparison: Comparison, folder: Path) -> Path:
    """Write page, Markdown and JSON into a folder; give the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / _JSON, comparison.to_mapping())
    write_atomically(folder / _MARKDOWN, comparison_markdown(comparison).encode("utf-8"))
    write_atomically(folder / _PAGE, comparison_html(comparison).encode("utf-8"))
    return folder / _PAGE


def comparison_html(comparison: Comparison) -> str:
    """Give the page. Every value is escaped; nothing is loaded from anywhere."""
    template = page_environment().get_template("comparison.html.j2")
    return template.render(
        comparison=comparison,
        how=how_text(comparison),
        held=held_text(comparison),
        groups=[_group(group) for group in comparison.groups],
        overview=_overview(comparison) if _is_worth_an_overview(comparison) else [],
        overview_labels=_labels(comparison),
    )


def _is_worth_an_overview(comparison: Comparison) -> bool:
    return sum(len(group.scenarios) for group in comparison.groups) > 2


def _labels(comparison: Comparison) -> list[str]:
    found = [option.label for group in comparison.groups for option in group.options]
    return list(dict.fromkeys(found))


def _overview(comparison: Comparison) -> list[dict[str, Any]]:
    """Give a row for each workload and scenario, with a cell for each option."""
    labels = _labels(comparison)
    return [
        {
            "group": number,
            "workload": group.name,
            "scenario": scenario.scenario.value,
            "metric": scenario.metric,
            "cells": [_overview_cell(group, scenario, label) for label in labels],
        }
        for number, group in enumerate(comparison.groups, start=1)
        for scenario in group.scenarios
    ]


def _overview_cell(group: GroupResult, scenario: ScenarioResult, label: str) -> dict[str, Any]:
    option = next((one for one in scenario.options if one.label == label), None)
    record = next((one for one in group.options if one.label == label), None)
    if option is None or record is None:
        return {"value": "–", "times": "", "word": "", "accuracy": ""}
    pair = baseline_of(scenario, label)
    word = ""
    if pair is not None:
        word = "no difference shown"
        if pair.shows_difference:
            word = "faster" if pair.first == label else "slower"
        elif pair.ratio is not None and pair.ratio.basis in _UNSURE:
            word = _UNSURE[pair.ratio.basis]
    times, interval = pair_cell(scenario, option)
    return {
        "value": value_text(option.value, scenario.unit),
        "times": f"{times} [{interval}]" if interval else times,
        "word": word,
        "accuracy": accuracy_cell(record),
    }


def _group(group: GroupResult) -> dict[str, Any]:
    records = {one.label: one for one in group.options}
    return {
        "group": group,
        "labels": [one.label for one in group.options if not one.failure],
        "accuracies": [
            (one.label, accuracy_cell(one), accuracy_interval(one)) for one in group.options
        ],
        "scenarios": [_scenario(one, records) for one in group.scenarios],
        "differing": [row for row in group.facts if row.differs],
        "same": [row for row in group.facts if not row.differs],
    }


def _scenario(scenario: ScenarioResult, records: dict[str, Any]) -> dict[str, Any]:
    rows = []
    for number, option in enumerate(scenario.options):
        times, interval = pair_cell(scenario, option)
        record = records[option.label]
        rows.append(
            {
                "series": number % SERIES,
                "label": option.label,
                "value": value_text(option.value, scenario.unit),
                "own_interval": option_interval(option, scenario.unit),
                "times": times,
                "interval": interval,
                "accuracy": accuracy_cell(record),
                "accuracy_interval": accuracy_interval(record),
                "runs": len(option.measurements),
                "invalid": sum(not run.is_valid for run in option.measurements),
            }
        )
    return {
        "scenario": scenario,
        "title": scenario_title(scenario),
        "rows": rows,
        "forest": forest_chart(scenario) if scenario.pairs else None,
        "blocks": blocks_chart(scenario)
        if any(len(one.measurements) > 1 for one in scenario.options)
        else None,
    }


def comparison_markdown(comparison: Comparison) -> str:
    """Give the comparison as Markdown: tables, sentences, findings; names stay text."""
    lines = [f"{_text(how_text(comparison))}"]
    for group in comparison.groups:
        lines += ["", f"## {_text(group.name)}", ""]
        if group.is_refused:
            lines += ["**Not comparable.**", ""]
        for scenario in group.scenarios:
            lines += [*_markdown_scenario(group, scenario), ""]
        lines += _markdown_findings(group)
    if comparison.comparisons > 1 and comparison.is_interleaved:
        lines += ["", _text(held_text(comparison))]
    return "\n".join(lines) + "\n"


def _markdown_scenario(group: GroupResult, scenario: ScenarioResult) -> Iterator[str]:
    records = {one.label: one for one in group.options}
    yield f"**{_text(scenario_title(scenario))}**"
    yield ""
    yield "| option | result | 95% interval | as fast as the first | accuracy |"
    yield "|---|---|---|---|---|"
    for option in scenario.options:
        times, interval = pair_cell(scenario, option)
        cells = (
            option.label,
            value_text(option.value, scenario.unit),
            option_interval(option, scenario.unit),
            f"{times} ({interval})" if interval else times,
            accuracy_cell(records[option.label]),
        )
        yield f"| {' | '.join(_text(cell) for cell in cells)} |"
    yield ""
    for pair in scenario.pairs:
        yield f"- {_text(pair.sentence)}"


def _markdown_findings(group: GroupResult) -> Iterator[str]:
    found = [*group.findings, *(one for s in group.scenarios for one in s.findings)]
    for one in dict.fromkeys(found):
        if one.rule.severity is not Severity.INFO:
            yield (
                f"- {one.rule.severity.value}: {_text(one.rule.title)} ({_text(one.seen)}); "
                f"{_text(one.rule.remedy)} `{one.rule.id}`"
            )


def _text(value: str) -> str:
    """Keep what names hold from being read as Markdown."""
    return " ".join(value.split()).translate(_ESCAPED)
