"""Published verdict: what the v0.5 round's own checker says of a tree, its slips included."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from inferometer.loadgen import Scenario
from inferometer.logs import ACCURACY_TEXT, DETAIL_LOG, SUMMARY_LOG
from inferometer.rounds import Benchmark, Round
from inferometer.submission.checking.published_descriptions import (
    measurement_errors,
    system_errors,
)
from inferometer.submission.checking.published_files import lines_of, need_text
from inferometer.submission.places import ResultPlace
from inferometer.submission.tree import Tree, TreeError, shown

__all__ = ["PublishedResult", "PublishedTree", "published_verdict"]

_VALID = re.compile(r"Result\s+is\s*:\s+VALID")
_FIGURE = re.compile(r"\s*([\w\s.()/]+)\s*:\s*([\w+.]+)")
_ACCURACY = {
    "classification": re.compile(r"accuracy=([\d.]+)"),
    "detection": re.compile(r"mAP=([\d.]+)"),
    "translation": re.compile(r"BLEU:\s*([\d.]+)"),
}
_HEADLINES = {
    "Single": "90th percentile latency (ns)",
    "Multi": "Samples per query",
    "Server": "Scheduled samples per second",
    "Offline": "Samples per second",
}
"""Headline by the first word of the scenario, which is all that the checker takes of it."""

_SEEDS = ("qsl_rng_seed", "sample_index_rng_seed", "schedule_rng_seed")


@dataclass(frozen=True)
class PublishedResult:
    """The verdict on one result: what is bad about it; nothing if it passes."""

    place: ResultPlace
    reasons: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """Whether the result passes."""
        return not self.reasons


@dataclass(frozen=True)
class PublishedTree:
    """The verdict on a tree: each result, and errors that stop the tree, but no result.

    ``exit_code`` is that of the published checker; it is 0 for a tree without results.
    """

    results: tuple[PublishedResult, ...]
    errors: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """What the published checker ends with."""
        return 1 if self.errors or not all(result.is_good for result in self.results) else 0

    def to_mapping(self) -> dict[str, Any]:
        """Give plain names and values, ready for JSON."""
        return {
            "exit_code": self.exit_code,
            "errors": list(self.errors),
            "results": [
                {"result": shown(str(r.place)), "is_good": r.is_good, "reasons": list(r.reasons)}
                for r in self.results
            ],
        }


def published_verdict(
    tree: Tree, places: Sequence[ResultPlace], round_: Round, submitter: str | None
) -> PublishedTree:
    """Say what the published v0.5 checker of November 2019 says of a tree.

    Source: its behaviour, as laid down in the specification of this project. What it would
    follow or open and this program doesn't, such as links, counts as missing; where it would
    stop with an exception, the result, or the tree, is bad.
    """
    results = []
    errors = _submitter_errors(tree, submitter) + _model_errors(tree, round_, submitter)
    for place in places:
        if place.division not in round_.divisions:
            continue
        reasons = tuple(_result_reasons(tree, place, round_))
        results.append(PublishedResult(place, reasons))
        if not reasons:
            errors += system_errors(tree, place, round_)
            errors += measurement_errors(tree, place, round_)
    return PublishedTree(tuple(results), tuple(dict.fromkeys(errors)))


def _submitter_errors(tree: Tree, submitter: str | None) -> list[str]:
    return [
        f"{shown(division)}/{shown(name)} has no results folder"
        for division in ("closed", "open")
        for name in tree.folders(division)
        if submitter in (None, name) and not tree.has_folder(division, name, "results")
    ]


def _model_errors(tree: Tree, round_: Round, submitter: str | None) -> list[str]:
    """Say which folders of the closed division without any scenario are of no model."""
    return [
        f"{shown('/'.join((*results, system, name)))} is no model of the closed division"
        for one in tree.folders("closed")
        if submitter in (None, one)
        for results in [("closed", one, "results")]
        for system in tree.folders(*results)
        for name in tree.folders(*results, system)
        if name not in round_.benchmarks and not tree.folders(*results, system, name)
    ]


def _result_reasons(tree: Tree, place: ResultPlace, round_: Round) -> list[str]:
    benchmark = round_.benchmark_of(place.benchmark)
    if place.division == "closed" and place.benchmark not in round_.benchmarks:
        return [f"{place.benchmark} is no model of the closed division"]
    reasons = []
    if not tree.has_file(*place.submitter_parts, "systems", f"{place.system}.json"):
        reasons.append(f"there is no systems/{place.system}.json")
    reasons += _accuracy_reasons(tree, (*place.parts, "accuracy"), benchmark, round_)
    runs = _runs(tree, place, 5 if place.scenario == Scenario.SERVER.value else 1)
    for run in runs:
        reasons += _run_reasons(tree, run, benchmark, round_)
    return [shown(reason) for reason in reasons]


def _runs(tree: Tree, place: ResultPlace, count: int) -> list[tuple[str, ...]]:
    """Give the folders that count as runs: another spelling goes, or the performance folder."""
    performance = (*place.parts, "performance")
    for pattern in ("run_{}", "run{}"):
        if tree.has_folder(*performance, pattern.format(1)):
            return [(*performance, pattern.format(n)) for n in range(1, count + 1)]
    return [performance]


def _accuracy_reasons(
    tree: Tree, folder: tuple[str, ...], benchmark: Benchmark | None, round_: Round
) -> list[str]:
    if not tree.has_file(*folder, ACCURACY_TEXT):
        return [f"there is no accuracy/{ACCURACY_TEXT}"]
    reasons = _file_reasons(tree, folder, round_.files.accuracy, round_)
    if benchmark is None:
        return reasons
    try:
        found = _first_number(lines_of(tree, *folder, ACCURACY_TEXT), _ACCURACY[benchmark.task])
        need_text(tree, *folder, DETAIL_LOG)
    except (TreeError, ValueError) as error:
        return [*reasons, f"accuracy gives no result: {error}"]
    if found is None:
        return [*reasons, f"{ACCURACY_TEXT} states no accuracy"]
    if found < benchmark.target_value:
        reasons.append(f"accuracy {found:g} is below {benchmark.target_value:g}")
    return reasons


def _first_number(lines: Sequence[str], pattern: re.Pattern[str]) -> float | None:
    matches = (pattern.match(line) for line in lines)
    return next((float(match[1]) for match in matches if match), None)


def _file_reasons(
    tree: Tree, folder: tuple[str, ...], required: Sequence[str], round_: Round
) -> list[str]:
    """Compare names as the checker does: extras hide missing ones, and nothing isn't missed."""
    names = [name for name in tree.files(*folder) if name not in round_.files.ignored]
    if not tree.files(*folder):
        return []
    longer, shorter = (names, required) if len(names) > len(required) else (required, names)
    different = sorted(set(longer) - set(shorter))
    return [f"{folder[-1]} has other files: {', '.join(different)}"] if different else []


def _run_reasons(
    tree: Tree, folder: tuple[str, ...], benchmark: Benchmark | None, round_: Round
) -> list[str]:
    name = "/".join(folder[6:])
    if not tree.has_folder(*folder):
        return [f"there is no {name}"]
    reasons = _file_reasons(tree, folder, round_.files.performance, round_)
    try:
        lines = lines_of(tree, *folder, SUMMARY_LOG)
        need_text(tree, *folder, DETAIL_LOG)
        figures = _figures(lines)
        is_valid = any(_VALID.match(line) for line in lines)
        count = int(figures["performance_sample_count"])
        seeds = [int(figures[seed]) for seed in _SEEDS]
        float(figures[_HEADLINES[figures["Scenario"]]])
    except (TreeError, KeyError, ValueError) as error:
        return [*reasons, f"{name} gives no result: {error}"]
    del seeds  # They have to be there, but needn't be right.
    if not is_valid:
        reasons.append(f"{name} isn't VALID")
    if benchmark is not None and count < benchmark.performance_sample_count:
        reasons.append(f"{name} has a performance_sample_count of {count}")
    return reasons


def _figures(lines: Sequence[str]) -> dict[str, str]:
    found = {}
    for line in lines:
        match = _FIGURE.match(line)
        if match:
            found[match[1].strip()] = match[2].strip()
    return found
