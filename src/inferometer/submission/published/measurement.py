"""Measurement description: in which number format the weights were, as the submitter says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from inferometer.loadgen import Finding
from inferometer.rounds import Round
from inferometer.submission.places import ResultPlace
from inferometer.submission.published.findings import odd
from inferometer.submission.published.values import name_like, text_of
from inferometer.submission.published.vocabulary import UNKNOWN, precision_of
from inferometer.submission.tree import Tree, TreeError, shown

__all__ = ["MeasurementFacts", "read_measurement"]

_FOLDER = "measurements"
_WEIGHTS = "weight_data_types"
_START = "starting_weights_filename"


@dataclass(frozen=True)
class MeasurementFacts:
    """What a description says of the weights, and what was odd about it."""

    precision: str
    written: str | None
    findings: tuple[Finding, ...]


def read_measurement(tree: Tree, place: ResultPlace, rules: Round | None) -> MeasurementFacts:
    """Read the description that belongs to a result, where either layout has it.

    Files that aren't such descriptions, such as a submitter's own ``config.json``, are passed
    over. Folders may be spelled like another name of the benchmark, or in another case.
    """
    found: list[Finding] = []
    described = [*_described(tree, place, rules, found)]
    if not described:
        if not any(one.rule.id == "published.measurement-damaged" for one in found):
            found.append(odd("published.measurement-missing", str(place)))
        return MeasurementFacts(UNKNOWN, None, tuple(found))
    told = sorted({precision_of(text_of(v.get(_WEIGHTS)), text_of(v.get(_START)))
                   for v in described})  # fmt: skip
    written = text_of(described[0].get(_WEIGHTS))
    if len(told) > 1:
        found.append(odd("published.measurement-ambiguous", ", ".join(told)))
    elif told == [UNKNOWN]:
        found.append(odd("published.precision-unknown", repr(written) if written else "not told"))
    return MeasurementFacts(told[0] if len(told) == 1 else UNKNOWN, written, tuple(found))


def _described(
    tree: Tree, place: ResultPlace, rules: Round | None, found: list[Finding]
) -> Iterator[Mapping[str, Any]]:
    """Give every description among the JSON files of the folders that may hold it."""
    for parts in _folders(tree, place, rules, found):
        for name in tree.files(*parts):
            if not name.lower().endswith(".json"):
                continue
            try:
                values = tree.json(*parts, name)
            except TreeError as error:
                found.append(odd("published.measurement-damaged", str(error)))
                continue
            if isinstance(values, dict) and _WEIGHTS in values:
                yield values


def _folders(
    tree: Tree, place: ResultPlace, rules: Round | None, found: list[Finding]
) -> Iterator[tuple[str, ...]]:
    """Give the folders that may hold the description: the result's own, and measurements/."""
    yield place.parts
    parts: tuple[str, ...] = (*place.submitter_parts, _FOLDER)
    for wanted in (place.system, place.benchmark, place.scenario):
        name = name_like(tree.folders(*parts), wanted)
        if name is None and wanted == place.benchmark:
            name = _same_benchmark(tree.folders(*parts), wanted, rules)
        if name is None:
            return
        parts = (*parts, name)
    if parts[-3:] != (place.system, place.benchmark, place.scenario):
        found.append(odd("published.measurement-elsewhere", shown("/".join(parts))))
    yield parts


def _same_benchmark(names: list[str], wanted: str, rules: Round | None) -> str | None:
    """Give the folder whose name means the same benchmark in the round."""
    meant = rules.benchmark_of(wanted) if rules else None
    if rules is None or meant is None:
        return None
    return next((n for n in names if (same := rules.benchmark_of(n)) and same.name == meant.name),
                None)  # fmt: skip
