"""Truth: how often whole runs pass at each rate, by brute force."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.simulated_systems import Reals, SimulatedSystem
from inferometer.capacity.reading import Bound

__all__ = ["Truth", "bound_of", "passes", "read_truth", "truth_of", "write_truth"]

_FILE = Path(__file__).with_name("search_truth.json")
_RATES = 25
_SPAN = 6.0


@dataclass(frozen=True)
class Truth:
    """Pass shares of whole runs by the logarithm of the rate, never rising."""

    log_rates: Reals
    pass_shares: Reals

    def pass_share(self, rate: float) -> float:
        """Give how often a whole run at a rate passes."""
        return float(np.interp(math.log(rate), self.log_rates, self.pass_shares))

    def capacity(self, pass_share: float) -> float:
        """Give the highest rate at which so many whole runs pass."""
        return float(np.exp(np.interp(-pass_share, -self.pass_shares, self.log_rates)))


def bound_of(system: SimulatedSystem) -> Bound:
    return Bound(int(system.bound_s * 1e9), system.percentile, is_early_stopping=False)


def passes(system: SimulatedSystem, rate: float, random: np.random.Generator) -> bool:
    """Run once in full length and tell whether the bound is kept."""
    latency = system.run(rate, system.whole_s, random).latency_ns
    slow = int((latency > int(system.bound_s * 1e9)).sum())
    return slow <= bound_of(system).allowed(len(latency))


def truth_of(system: SimulatedSystem, runs: int, seed: int) -> Truth:
    """Find where the pass share falls, then count passes at rates across the fall."""
    random = np.random.default_rng(seed)

    def share(log_rate: float, count: int) -> float:
        return sum(passes(system, math.exp(log_rate), random) for _ in range(count)) / count

    ends = [
        _crossing(lambda at: share(at, max(20, runs // 4)), math.log(system.guess), level)
        for level in (0.9, 0.5, 0.1)
    ]
    width = max(ends[2] - ends[0], 0.004)
    log_rates = np.linspace(ends[1] - _SPAN / 2 * width, ends[1] + _SPAN / 3 * width, _RATES)
    return Truth(log_rates, _falling(np.array([share(at, runs) for at in log_rates])))


def _crossing(share_at: Callable[[float], float], start: float, level: float) -> float:
    """Halve an interval of the logarithm around the start until it is narrow."""
    low, high = start - 0.7, start + 0.5
    for _ in range(9):
        middle = (low + high) / 2
        if share_at(middle) >= level:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _falling(values: Reals) -> Reals:
    """Give the nearest sequence that never rises, by pooling neighbours that do."""
    blocks: list[list[float]] = []
    for value in values.tolist():
        blocks.append([value, 1.0])
        while len(blocks) > 1 and blocks[-2][0] < blocks[-1][0]:
            last, before = blocks.pop(), blocks.pop()
            count = last[1] + before[1]
            blocks.append([(last[0] * last[1] + before[0] * before[1]) / count, count])
    return np.repeat([value for value, _ in blocks], [int(count) for _, count in blocks])


def write_truth(systems: Sequence[SimulatedSystem], runs: int, seed: int = 7) -> None:
    """Compute the truth of each system and keep it in the file beside this module."""
    known = json.loads(_FILE.read_text("utf-8")) if _FILE.exists() else {}
    for system in systems:
        found = truth_of(system, runs, seed)
        known[system.name] = {
            "runs_a_rate": runs,
            "log_rates": [round(value, 6) for value in found.log_rates.tolist()],
            "pass_shares": [round(value, 6) for value in found.pass_shares.tolist()],
        }
        print(f"{system.name}: {found.capacity(0.9):.4g} to {found.capacity(0.1):.4g}", flush=True)
        _FILE.write_text(json.dumps(known, indent=1) + "\n", "utf-8")


def read_truth(system: SimulatedSystem) -> Truth:
    """Read what `write_truth` computed."""
    values = json.loads(_FILE.read_text("utf-8"))[system.name]
    return Truth(np.array(values["log_rates"]), np.array(values["pass_shares"]))
