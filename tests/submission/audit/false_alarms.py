"""Counts false alarms: honest systems with heavy noise, audited many times on the virtual clock.

Run it as ``python -m tests.submission.audit.false_alarms SYSTEMS NOISE STALLS``, such as
``100 0.3 0.02``.
"""

from __future__ import annotations

import sys
from collections import Counter

from inferometer.loadgen import Scenario
from inferometer.submission.audit import Bench, run_probes
from tests.submission.audit.honest import Honest, Simulated

SCENARIOS = (Scenario.SINGLE_STREAM, Scenario.SERVER, Scenario.OFFLINE)
FIRST_SEED = 1000


def count(systems: int, noise: float, stalls: float) -> Counter[str]:
    """Audit so many honest systems; count the outcomes, and print what isn't a pass."""
    outcomes: Counter[str] = Counter()
    for seed in range(FIRST_SEED, FIRST_SEED + systems):
        subject = Simulated(Honest, seed=seed, noise=noise, stalls=stalls)
        for one in run_probes(Bench(subject), SCENARIOS):
            outcomes[one.outcome.value] += 1
            if one.outcome.value != "pass":
                print(seed, one.audit, one.outcome.value, one.seen, flush=True)
    return outcomes


if __name__ == "__main__":
    print(dict(count(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))))
