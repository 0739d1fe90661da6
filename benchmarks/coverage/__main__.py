"""Measure coverage: ``python -m benchmarks.coverage [GROUP ...] [--quick]``.

Every statement that the program makes with a probability is tried on made-up data whose
truth is known, as often as it takes to see whether it holds as often as it says. A check
is MET if it does within one point and one standard error of the simulation, or if it is
right more often for a reason that is stated.
"""

from __future__ import annotations

import argparse
import functools
import multiprocessing
import sys
import zlib

import numpy as np

from benchmarks.coverage.accuracy_checks import accuracy_checks
from benchmarks.coverage.held_out_checks import held_out_checks
from benchmarks.coverage.latency_checks import latency_checks, rate_checks
from benchmarks.coverage.ratio_checks import ratio_checks
from benchmarks.coverage.stopping_checks import bound_checks, precision_checks
from benchmarks.coverage.tally import Check, Experiment, Tally
from inferometer.loadgen.cores import usable_cores

_QUICK_SHARE = 1 / 12
_FEWEST = 20
_PARTS = 4


@functools.cache
def all_experiments() -> list[Experiment]:
    """Give every experiment; those on held-out processes come last."""
    return [
        *latency_checks(),
        *rate_checks(),
        *precision_checks(),
        *bound_checks(),
        *accuracy_checks(),
        *ratio_checks(),
        *held_out_checks(),
    ]


def tallies(experiment: Experiment, runs: int, part: int = 0) -> list[Tally]:
    """Run trials, tallied by check; the seed is the first one's name, so that each stands alone."""
    first = experiment.checks[0]
    source = np.random.default_rng([zlib.crc32(f"{first.group} {first.name}".encode()), part])
    counts = np.zeros((len(experiment.checks), 3), np.int64)
    for number, outcome in experiment.trials(source, runs):
        counts[number] += (outcome.is_right, 1, outcome.is_open)
    return [Tally(*map(int, row)) for row in counts]


def _part(job: tuple[int, int, int]) -> tuple[int, list[Tally]]:
    """Run a part of the experiment with a number: they don't travel to a process themselves."""
    number, runs, part = job
    return number, tallies(all_experiments()[number], runs, part)


def main() -> None:
    options = _parse()
    chosen = {
        number: one
        for number, one in enumerate(all_experiments())
        if not options.groups or {check.group for check in one.checks} & set(options.groups)
    }
    jobs = [
        (number, _runs(one, options), part)
        for number, one in chosen.items()
        for part in range(_PARTS)
    ]
    found: dict[int, list[list[Tally]]] = {number: [] for number in chosen}
    with multiprocessing.Pool(usable_cores()) as pool:
        for done, (number, part) in enumerate(pool.imap_unordered(_part, jobs), 1):
            found[number].append(part)
            print(f"\r{done} of {len(jobs)} parts", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    rows = [
        (check, _added([part[place] for part in found[number]]))
        for number, one in chosen.items()
        for place, check in enumerate(one.checks)
        if not options.groups or check.group in options.groups
    ]
    _report(rows, options)


def _added(parts: list[Tally]) -> Tally:
    return Tally(*(sum(getattr(p, name) for p in parts) for name in ("right", "total", "open")))


def _report(rows: list[tuple[Check, Tally]], options: argparse.Namespace) -> None:
    """Print the checks by group, and how many are missed."""
    for group in dict.fromkeys(check.group for check, _ in rows):
        print(_heading(group, markdown=options.markdown))
        for check, whole in rows:
            if check.group == group:
                print(_line(check, whole, markdown=options.markdown))
    missed = sum(not whole.is_met(check) for check, whole in rows)
    print(f"\nchecks missed: {missed} of {len(rows)}")


def _runs(experiment: Experiment, options: argparse.Namespace) -> int:
    share = _QUICK_SHARE if options.quick else options.trials
    return -(-max(_FEWEST, round(experiment.runs * share)) // _PARTS)


def _heading(group: str, *, markdown: bool) -> str:
    if not markdown:
        return f"\n{group}"
    return f"\n| {group} | stated | measured | ± | open | |\n|---|---|---|---|---|---|"


def _line(check: Check, found: Tally, *, markdown: bool) -> str:
    verdict = "MET" if found.is_met(check) else "MISSED"
    error = found.simulation_error(check.stated)
    cells = [
        f"{check.stated:.0%}",
        f"{found.measured:.1%}",
        f"{error:.1%}",
        f"{found.open / found.total:.0%}" if found.open else "",
        verdict,
    ]
    if markdown:
        return f"| {' | '.join([check.name, *cells])} |".replace("|  |", "| |")
    return f"  {check.name:<68} {cells[0]:>4} {cells[1]:>6} ± {cells[2]:<5} {cells[3]:>4} {verdict}"


def _parse() -> argparse.Namespace:
    groups = list(dict.fromkeys(c.group for one in all_experiments() for c in one.checks))
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.coverage", description=f"groups: {', '.join(groups)}"
    )
    parser.add_argument("groups", nargs="*", metavar="GROUP")
    parser.add_argument("--quick", action="store_true", help="one in twelve of the trials")
    parser.add_argument("--trials", type=float, default=1.0, metavar="SHARE", help="of all trials")
    parser.add_argument("--markdown", action="store_true", help="print tables for a page")
    options = parser.parse_args()
    unknown = set(options.groups) - set(groups)
    if unknown:
        parser.error(f"no group {', '.join(sorted(unknown))}; there are {', '.join(groups)}")
    return options


if __name__ == "__main__":
    main()
