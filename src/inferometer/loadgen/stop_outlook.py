"""Stop outlook: how many queries a run still needs before its rule ends it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from inferometer.loadgen.effective import EffectiveSettings
from inferometer.loadgen.plan import Plan
from inferometer.loadgen.vocabulary import Mode, Scenario

__all__ = ["StopOutlook", "planned_outlook"]


@dataclass(frozen=True)
class StopOutlook:
    """What a rule expects of the run that it may end.

    needed_queries:
        How many queries it takes altogether; ``None`` while that isn't known.
    longest_s:
        When the run ends at the latest, in s after its start.
    """

    needed_queries: int | None
    longest_s: float

    def left_s(self, issued: int, elapsed_s: float) -> float | None:
        """Estimate the time left at the present pace, in s; ``None`` while it isn't known."""
        left_s = max(0.0, self.longest_s - elapsed_s)
        if self.needed_queries is None or not issued:
            return None if self.needed_queries is None else left_s
        more = max(0, self.needed_queries - issued)
        return min(left_s, more * elapsed_s / issued)


def planned_outlook(
    effective: EffectiveSettings, plan: Plan, issued: int, elapsed_s: float
) -> StopOutlook:
    """Say what a series that no rule ends needs: what is planned, or its minimums."""
    if plan.scenario is Scenario.SERVER:
        return StopOutlook(plan.query_count, plan.duration_ns / 1e9)
    if plan.mode is Mode.ACCURACY:
        return StopOutlook(plan.query_count, math.inf)
    if plan.scenario is Scenario.OFFLINE or not issued or not elapsed_s:
        return StopOutlook(None, math.inf)
    in_time = math.ceil(effective.target_duration_ms / 1e3 * issued / elapsed_s)
    return StopOutlook(max(effective.min_query_count, in_time), math.inf)
