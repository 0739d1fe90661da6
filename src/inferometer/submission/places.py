"""Places of results in a tree: division, submitter, system, benchmark, scenario."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from inferometer.loadgen import Scenario
from inferometer.submission.tree import Tree

__all__ = ["DIVISIONS", "ResultPlace", "result_places", "scenario_of"]

DIVISIONS = ("closed", "open", "network")
"""Folders at the root of a tree that hold submissions."""

_RESULTS = "results"
_SCENARIOS = {
    scenario.value.lower(): scenario
    for scenario in Scenario
    if scenario is not Scenario.MULTI_STREAM_FREE
}


@dataclass(frozen=True, order=True)
class ResultPlace:
    """Where one result lies: names as the tree has them."""

    division: str
    submitter: str
    system: str
    benchmark: str
    scenario: str

    @property
    def parts(self) -> tuple[str, ...]:
        """The folder of the result, below the root."""
        return (*self.submitter_parts, _RESULTS, self.system, self.benchmark, self.scenario)

    @property
    def submitter_parts(self) -> tuple[str, ...]:
        """The folder of the submitter, below the root."""
        return (self.division, self.submitter)

    def __str__(self) -> str:
        return "/".join(self.parts)


def result_places(tree: Tree) -> Iterator[ResultPlace]:
    """Give every scenario folder below ``<division>/<submitter>/results``, sorted."""
    for division in DIVISIONS:
        for submitter in tree.folders(division):
            results = (division, submitter, _RESULTS)
            for system in tree.folders(*results):
                for benchmark in tree.folders(*results, system):
                    for scenario in tree.folders(*results, system, benchmark):
                        yield ResultPlace(division, submitter, system, benchmark, scenario)


def scenario_of(name: str) -> Scenario | None:
    """Give the scenario that a folder, or a log, names in any spelling; ``None`` if none."""
    plain = name.lower().replace(" ", "").replace("-", "").replace("_", "")
    return _SCENARIOS.get(plain)
