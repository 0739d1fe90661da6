"""Plan: who is compared with whom, in which order, how often, and how sure it has to be."""

from __future__ import annotations

import dataclasses
import itertools
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inferometer.loadgen import CONFIDENCE, Mode, Scenario
from inferometer.runs import Effort, RunRequest
from inferometer.tuning.gain import fewest_pairs

__all__ = ["Candidate", "Group", "Plan", "confidence_of", "usual_blocks"]

_SPARE_BLOCKS = 4
_FEWEST_USUAL = 12
_SEED_BITS = 63
_LOOKS = 3


def confidence_of(comparisons: int, looks: int = 1) -> float:
    """Give the confidence of each interval, so that all of them hold together at 95 %.

    What 95 % leaves is shared out evenly (Bonferroni) among everything that one command
    compares, and every look at which it might stop.
    """
    return 1 - (1 - CONFIDENCE) / max(1, comparisons * looks)


def usual_blocks(confidence: float) -> int:
    """Give how many blocks are run unless told: four more than have an interval at all.

    With those, a few runs that were disturbed don't decide where an interval ends.
    """
    return max(_FEWEST_USUAL, fewest_pairs(confidence) + _SPARE_BLOCKS)


@dataclass(frozen=True)
class Candidate:
    """One side of a comparison: its label, what it was asked to be, and how to run it."""

    label: str
    asked: Mapping[str, str]
    request: RunRequest

    def place(self, number: int) -> str:
        """Give the name of its folder; ``number`` keeps alike labels apart."""
        slug = re.sub(r"[^a-z0-9]+", "-", self.label.lower()).strip("-")[:40]
        return f"{number + 1}-{slug}" if slug else str(number + 1)


@dataclass(frozen=True)
class Group:
    """Candidates that are compared with each other, usually on one workload.

    server_target_qps:
        The Server rate of all of them; found before the first block unless it was given.
    failed:
        Candidates that can't be measured, by label, and why.
    """

    name: str
    candidates: tuple[Candidate, ...]
    server_target_qps: float | None = None
    failed: Mapping[str, str] = field(default_factory=dict)

    @property
    def running(self) -> list[Candidate]:
        """Those that can be measured."""
        return [one for one in self.candidates if one.label not in self.failed]


@dataclass(frozen=True)
class Plan:
    """Everything that is decided before anything is compared.

    blocks:
        Of a look: in each block every candidate runs once, in a random order.
    looks:
        How often it may be looked whether the intervals are narrow enough to stop.
    precision:
        Half the width of an interval, as a share, at which it stops; ``None`` for one look.
    seconds:
        Length of each test.
    budget_s:
        Time for everything; fewer blocks are run if they take longer.
    orders:
        The order of the labels in each block that is finished, by group.
    """

    groups: tuple[Group, ...]
    scenarios: tuple[Scenario, ...]
    blocks: int
    seconds: float
    seed: int
    precision: float | None = None
    budget_s: float | None = None
    command: str = ""
    started_at: str = ""
    orders: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)

    @property
    def looks(self) -> int:
        """How often it is looked at most."""
        return 1 if self.precision is None else _LOOKS

    @property
    def comparisons(self) -> int:
        """How many pairs are compared, over all groups and scenarios."""
        pairs = sum(len(list(itertools.combinations(group.candidates, 2))) for group in self.groups)
        return pairs * len(self.scenarios)

    @property
    def confidence(self) -> float:
        """Confidence of each single interval."""
        return confidence_of(self.comparisons, self.looks)

    def order_of(self, group: Group, block: int) -> list[Candidate]:
        """Give the candidates of a group in the order of a block, drawn anew for each block."""
        order = group.running
        random.Random(f"{self.seed}/{group.name}/{block}").shuffle(order)  # noqa: S311
        return order

    def request_for(
        self, candidate: Candidate, group: Group, block: int, output: Path
    ) -> RunRequest:
        """Give the request of one run: performance alone, as long as every other one.

        Samples and arrivals are drawn anew for each block, and are the same for all in it.
        """
        settings = _BlockSettings(
            candidate.request.settings, f"{self.seed}/{block}", group.server_target_qps
        )
        return dataclasses.replace(
            candidate.request,
            output=output,
            scenarios=self.scenarios,
            modes=(Mode.PERFORMANCE,),
            effort=Effort(budget_s=self.seconds, least_s=self.seconds, precision=1e-4),
            settings=settings,
            session_id=f"{group.name}/{block}/{candidate.label}",
            command=self.command,
        )


@dataclass(frozen=True)
class _BlockSettings:
    """Settings of a block; a class, so that another process can be given it."""

    base: Any
    seed: str
    server_target_qps: float | None

    def __call__(self, scenario: Scenario) -> Mapping[str, Any]:
        """Give what overrides the settings of a scenario."""
        draw = random.Random(self.seed)  # noqa: S311
        seeds = {
            name: draw.getrandbits(_SEED_BITS)
            for name in ("qsl_rng_seed", "sample_index_rng_seed", "schedule_rng_seed")
        }
        rate = {}
        if scenario is Scenario.SERVER and self.server_target_qps is not None:
            rate["server_target_qps"] = self.server_target_qps
        return {**seeds, **rate, **self.base(scenario)}
