"""How often a difference is claimed where there is none: ``python -m benchmarks.same``.

Compares a backend with itself for real, again and again, each time as `inferometer compare`
does it: fresh processes, interleaved, in random order. At most one trial in twenty may claim
a difference; beside the count stands what chance alone exceeds once in a hundred times.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from pathlib import Path
from typing import Any

from inferometer.cli.output import SilentListener
from inferometer.comparing import (
    Candidate,
    Group,
    Plan,
    load_comparison,
    measure_plan,
    usual_blocks,
)
from inferometer.loadgen import Scenario
from inferometer.runs import RunRequest
from inferometer.workloads import WorkloadOptions

_ALLOWED = 0.05


def main() -> None:
    options = _parse()
    results = []
    for number in range(options.trials):
        results.append(trial(options, number))
        claimed = [one for one in results if one["claimed"]]
        print(
            f"trial {number + 1}: {results[-1]['ratio']:.3f} "
            f"[{results[-1]['low']:.3f}, {results[-1]['high']:.3f}]"
            f"{'  CLAIMED' if results[-1]['claimed'] else ''}"
            f"   so far {len(claimed)} of {len(results)}",
            flush=True,
        )
    count = sum(one["claimed"] for one in results)
    print(
        f"{options.workload}, {options.backend}, {options.scenario}: a difference was claimed in "
        f"{count} of {len(results)} trials of {options.options} alike; by chance at most "
        f"{most_by_chance(len(results))} (1 % level)"
    )
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.same")
    parser.add_argument("--workload", default="pocket-mobilenet")
    parser.add_argument("--backend", default="onnxruntime")
    parser.add_argument("--scenario", default="SingleStream")
    parser.add_argument("--options", type=int, default=2, help="how many alike are compared")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--blocks", type=int, help="[default: as `inferometer compare`]")
    parser.add_argument("--seconds", type=float, default=0.3, help="length of each test")
    parser.add_argument("--json", type=Path, help="write every trial to this file")
    return parser.parse_args()


def trial(options: argparse.Namespace, number: int) -> dict[str, Any]:
    """Compare a backend with itself once; give the widest ratio and whether any was claimed."""
    scenario = Scenario(options.scenario)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        request = RunRequest(
            options.workload,
            folder,
            # The accuracy doesn't matter here; a part of the data set is enough.
            workload_options=WorkloadOptions(count=256),
            backend=options.backend,
            scenarios=(scenario,),
        )
        candidates = tuple(
            Candidate(f"{options.backend} ({place + 1})", {}, request)
            for place in range(options.options)
        )
        plan = Plan((Group("same", candidates),), (scenario,), 1, options.seconds, seed=number)
        blocks = options.blocks or usual_blocks(plan.confidence)
        plan = Plan(plan.groups, plan.scenarios, blocks, plan.seconds, plan.seed)
        measure_plan(plan, folder, SilentListener())
        (found,) = load_comparison(folder).groups[0].scenarios
    ratios = [pair.ratio for pair in found.pairs if pair.ratio is not None]
    widest = max(ratios, key=lambda ratio: abs(math.log(ratio.value)))
    return {
        "ratio": widest.value,
        "low": math.nan if widest.low is None else widest.low,
        "high": math.nan if widest.high is None else widest.high,
        "claimed": any(pair.shows_difference for pair in found.pairs),
    }


def most_by_chance(trials: int) -> int:
    """Give the count that the allowed rate exceeds in at most one of a hundred times."""
    total = 0.0
    for count in range(trials + 1):
        total += math.comb(trials, count) * _ALLOWED**count * (1 - _ALLOWED) ** (trials - count)
        if total >= 0.99:
            return count
    return trials


if __name__ == "__main__":
    main()
