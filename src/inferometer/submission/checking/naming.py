"""Naming: which benchmark and scenarios the folders of a tree stand for."""

from __future__ import annotations

from collections.abc import Sequence

from inferometer.loadgen import Scenario
from inferometer.rounds import Benchmark, Round
from inferometer.submission.checking.notebook import Notebook
from inferometer.submission.places import ResultPlace, scenario_of
from inferometer.submission.tree import Tree, TreeError

__all__ = ["benchmark_of", "check_names", "check_required_scenarios"]

_MAPPING = "model_mapping.json"


def benchmark_of(tree: Tree, place: ResultPlace, round_: Round) -> Benchmark | None:
    """Give the benchmark that a result is of; ``None`` for one of the submitter's own.

    Later rounds map names of the open division to benchmarks in a file; v0.5 knows spellings.
    """
    if place.benchmark in round_.benchmarks or round_.era.is_v05:
        return round_.benchmark_of(place.benchmark)
    if place.division != "open":
        return round_.benchmark_of(place.benchmark)
    return round_.benchmarks.get(_mapped(tree, place))


def _mapped(tree: Tree, place: ResultPlace) -> str:
    where = (*place.submitter_parts, _MAPPING)
    try:
        found = tree.json(*where)
    except TreeError:
        return ""
    name = found.get(place.benchmark) if isinstance(found, dict) else None
    return name if isinstance(name, str) else ""


def check_names(
    place: ResultPlace, benchmark: Benchmark | None, round_: Round, notebook: Notebook
) -> Scenario | None:
    """Check the names of a result's folders; give its scenario if it is one."""
    where = place.parts[:-1]
    seen = f"{place.benchmark}, for {benchmark.name}" if benchmark else place.benchmark
    if place.division != "open":
        is_official = place.benchmark in round_.benchmarks
        notebook.judge("tree.unknown-benchmark", where, is_official, seen)
    elif round_.era.is_v05:
        notebook.judge("tree.own-benchmark", where, benchmark is not None, seen)
    else:
        is_mapped = benchmark is not None
        told = seen if is_mapped else f"no benchmark for it in {_MAPPING}"
        notebook.judge("tree.no-model-mapping", where, is_mapped, told)
    scenario = scenario_of(place.scenario)
    is_known = scenario in round_.scenarios
    notebook.judge("tree.unknown-scenario", place.parts, is_known, place.scenario)
    if scenario is None or not is_known:
        return None
    # Later rounds take small letters too, and no other spelling.
    spellings = {scenario.value} | (set() if round_.era.is_v05 else {scenario.value.lower()})
    is_spelt = place.scenario in spellings
    notebook.judge("tree.scenario-spelling", place.parts, is_spelt, place.scenario)
    return scenario


def check_required_scenarios(
    tree: Tree, places: Sequence[ResultPlace], round_: Round, notebook: Notebook
) -> None:
    """Check that each benchmark of a system was run in all scenarios that its kind requires."""
    scenarios: dict[tuple[str, ...], set[str]] = {}
    for place in places:
        if place.division != "open" and place.benchmark in round_.benchmarks:
            found = scenario_of(place.scenario)
            name = found.value if found else place.scenario
            scenarios.setdefault(place.parts[:-1], set()).add(name)
    for parts, names in scenarios.items():
        benchmark = round_.benchmarks[parts[-1]]
        for group in benchmark.required_for(_system_type(tree, parts)):
            seen = " or ".join(group)
            notebook.judge("tree.scenario-missing", parts, bool(names & set(group)), seen)


def _system_type(tree: Tree, parts: tuple[str, ...]) -> str:
    try:
        found = tree.json(*parts[:2], "systems", f"{parts[3]}.json")
    except TreeError:
        return ""
    kind = found.get("system_type") if isinstance(found, dict) else None
    return kind.strip().lower() if isinstance(kind, str) else ""
