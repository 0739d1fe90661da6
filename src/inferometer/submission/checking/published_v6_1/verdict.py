"""Verdict: what the v6.1 round's own checker says of a tree, its slips included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from inferometer.rounds import Benchmark, Round
from inferometer.submission.checking.published import PublishedResult, PublishedTree
from inferometer.submission.checking.published_v6_1.accuracy import PATTERNS, accuracy_reasons
from inferometer.submission.checking.published_v6_1.case import Case, benchmark_named
from inferometer.submission.checking.published_v6_1.compliance import compliance_reasons
from inferometer.submission.checking.published_v6_1.descriptions import (
    check_table_row,
    measurement_reasons,
    system_reasons,
)
from inferometer.submission.checking.published_v6_1.files import StopsError, json_of, log_of
from inferometer.submission.checking.published_v6_1.performance import (
    headline,
    performance_reasons,
)
from inferometer.submission.places import DIVISIONS, ResultPlace
from inferometer.submission.tree import Tree, shown

__all__ = ["published_verdict_v6_1"]

_MAPPING = "model_mapping.json"
_DETAIL = "mlperf_log_detail.txt"
_STOPS = "the checker stops: "


def published_verdict_v6_1(
    tree: Tree,
    places: Sequence[ResultPlace],
    round_: Round,
    submitter: str | None,
    *,
    is_demo: bool = False,
) -> PublishedTree:
    """Say what the published v6.1 checker of August 2026 says of a tree.

    ``is_demo`` stands for its option that lets the data set be of any size. Where it stops with
    an exception, and so says nothing of any result, the result at which it stops is bad, and
    ``errors`` say where; the others are judged all the same. Tasks other than classification
    and detection, and power, are never called good.

    Source: its behaviour, as laid down in the specification of this project and seen on trees.
    What it would follow and this program doesn't, such as links, counts as missing.
    """
    errors = list(_submitter_errors(tree, round_, submitter))
    results = []
    for place in places:
        try:
            reasons = list(_result_reasons(tree, place, round_, is_demo=is_demo))
        except StopsError as error:
            reasons = [f"{_STOPS}{error}"]
            errors.append(reasons[0])
        results.append(PublishedResult(place, tuple(shown(reason) for reason in reasons)))
    return PublishedTree(tuple(results), tuple(dict.fromkeys(map(shown, errors))))


def _submitter_errors(tree: Tree, round_: Round, submitter: str | None) -> Iterator[str]:
    """Say where the checker stops before it comes to a result."""
    for division in DIVISIONS:
        for name in tree.folders(division):
            if submitter not in (None, name):
                continue
            if not tree.has_folder(division, name, "results"):
                yield f"{_STOPS}{division}/{name} has no results folder"
            try:
                _mapping(tree, division, name)
                for system in tree.folders(division, name, "results"):
                    _check_kinds(tree, (division, name, "results", system), round_)
            except StopsError as error:
                yield f"{_STOPS}{error}"


def _check_kinds(tree: Tree, parts: tuple[str, str, str, str], round_: Round) -> None:
    """Raise `StopsError` if a system has a benchmark that isn't for its kind, or no description."""
    division, submitter, _, name = parts
    system = _system(tree, division, submitter, name)
    if division != "open":
        for benchmark in tree.folders(*parts):
            _required(benchmark, benchmark_named(benchmark, {}, round_), system, round_)


def _required(
    name: str, benchmark: Benchmark | None, system: Mapping[str, Any], round_: Round
) -> tuple[tuple[str, ...], ...]:
    """Give the scenarios that a benchmark is submitted in on such a system."""
    kind = system.get("system_type")
    is_kind = kind in round_.system_keys.values["system_type"]
    groups = benchmark.required_for(str(kind)) if benchmark and is_kind else ()
    if not groups:
        raise StopsError(f"{shown(name)} isn't for a system of type {kind}")
    return groups


def _result_reasons(
    tree: Tree, place: ResultPlace, round_: Round, *, is_demo: bool
) -> Iterator[str]:
    mapping = _mapping(tree, place.division, place.submitter)
    system = _system(tree, place.division, place.submitter, place.system)
    benchmark = benchmark_named(place.benchmark, mapping, round_)
    if place.division != "open":
        yield from _scenario_reasons(tree, place, benchmark, system, round_)
    if benchmark is None:
        yield f"{place.benchmark} stands for no benchmark of {round_.name}"
        return
    if benchmark.task not in PATTERNS:
        yield f"results of {benchmark.task} can't be judged here"
        return
    case = Case(tree, place, round_, benchmark, system, is_demo)
    run = log_of(tree, *place.parts, "performance", "run_1", _DETAIL)
    accuracy = log_of(tree, *place.parts, "accuracy", _DETAIL)
    if run is None or accuracy is None:
        raise StopsError(f"{place} has no detail log of performance or accuracy run")
    measurements = None
    if tree.has_file(*place.parts, round_.files.description):
        measurements = json_of(tree, *place.parts, round_.files.description)
    reasons = [*performance_reasons(run, case), *accuracy_reasons(accuracy, case)]
    reasons += [*system_reasons(case), *measurement_reasons(measurements, case)]
    reasons += compliance_reasons(case)
    if tree.has_folder(*place.parts, "performance", "power"):
        reasons.append("power can't be judged here")
    if not reasons:
        check_table_row(case)
        if not headline(run, case):
            reasons.append("its figure is 0, which is no result")
    yield from reasons


def _mapping(tree: Tree, division: str, submitter: str) -> Any:
    """Read which benchmarks an open submission's names stand for."""
    where = (division, submitter, _MAPPING)
    if division != "open" or not tree.has_file(*where):
        return {}
    return json_of(tree, *where)


def _system(tree: Tree, division: str, submitter: str, system: str) -> Any:
    """Read the description of a system."""
    where = (division, submitter, "systems", f"{system}.json")
    if not tree.has_file(*where):
        raise StopsError(f"there is no {shown('/'.join(where))}")
    found = json_of(tree, *where)
    if not isinstance(found, dict):
        raise StopsError(f"{shown('/'.join(where))} is no object")
    return found


def _scenario_reasons(
    tree: Tree,
    place: ResultPlace,
    benchmark: Benchmark | None,
    system: Mapping[str, Any],
    round_: Round,
) -> Iterator[str]:
    """Say which scenarios of a benchmark are missing, or none that its kind of system has."""
    groups = _required(place.benchmark, benchmark, system, round_)
    wanted = {group[0].lower() for group in groups if len(group) == 1}
    choices = [[name.lower() for name in group] for group in groups if len(group) > 1]
    there = {name.lower() for name in tree.folders(*place.parts[:-1])}
    missing = sorted(wanted - there)
    missing += [" or ".join(choice) for choice in choices if there.isdisjoint(choice)]
    if missing:
        yield f"{place.benchmark} lacks {', '.join(missing)}"
    unknown = sorted(there - wanted - {name for choice in choices for name in choice})
    if unknown:
        yield f"{place.benchmark} has {', '.join(unknown)}, which it isn't run in there"
