"""Measure coverage: ``python -m benchmarks.coverage [GROUP ...] [--quick]``.

Every statement that the program makes with a probability is tried on made-up data whose
truth is known, as often as it takes to see whether it holds as often as it says. A check
is MET if it does within one point and two standard errors of the simulation.
"""

from __future__ import annotations

import argparse
import multiprocessing
import zlib
from collections.abc import Iterator

import numpy as np

from benchmarks.coverage.accuracy_checks import (
    accuracy_checks,
    difference_checks,
    gain_checks,
)
from benchmarks.coverage.latency_checks import latency_checks, rate_checks
from benchmarks.coverage.stopping_checks import bound_checks, precision_checks
from benchmarks.coverage.tally import Check, Tally
from inferometer.loadgen.cores import usable_cores

_QUICK_SHARE = 0.05
_FEWEST = 20
_PARTS = 4


def all_checks() -> Iterator[Check]:
    yield from latency_checks()
    yield from rate_checks()
    yield from precision_checks()
    yield from bound_checks()
    yield from accuracy_checks()
    yield from difference_checks()
    yield from gain_checks()


def tally(check: Check, runs: int, part: int = 0) -> Tally:
    """Run trials of a check; its seed is its name's, so that each can be run by itself."""
    source = np.random.default_rng([zlib.crc32(f"{check.group} {check.name}".encode()), part])
    outcomes = [outcome for _ in range(runs) for outcome in check.trial(source)]
    right, is_open = sum(o.is_right for o in outcomes), sum(o.is_open for o in outcomes)
    return Tally(right, len(outcomes), is_open)


def _part(job: tuple[int, int, int]) -> Tally:
    """Run trials of the check with a number: checks themselves don't travel to a process."""
    number, runs, part = job
    return tally(list(all_checks())[number], runs, part)


def main() -> None:
    options = _parse()
    chosen = {
        number: check
        for number, check in enumerate(all_checks())
        if not options.groups or check.group in options.groups
    }
    checks = list(chosen.values())
    jobs = [
        (number, _runs(check, options), part)
        for number, check in chosen.items()
        for part in range(_PARTS)
    ]
    with multiprocessing.Pool(usable_cores()) as pool:
        missed = _report(checks, pool.imap(_part, jobs), markdown=options.markdown)
    print(f"\nchecks missed: {missed} of {len(checks)}")


def _report(checks: list[Check], parts: Iterator[Tally], *, markdown: bool) -> int:
    """Print each check once its parts are there; give how many are missed."""
    missed, group = 0, ""
    for check in checks:
        mine = [next(parts) for _ in range(_PARTS)]
        whole = Tally(*(sum(getattr(p, name) for p in mine) for name in ("right", "total", "open")))
        missed += not whole.is_met(check)
        if check.group != group:
            group = check.group
            print(_heading(group, markdown=markdown))
        print(_line(check, whole, markdown=markdown), flush=True)
    return missed


def _runs(check: Check, options: argparse.Namespace) -> int:
    share = _QUICK_SHARE if options.quick else options.trials
    return -(-max(_FEWEST, round(check.runs * share)) // _PARTS)


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
        return f"| {' | '.join([check.name, *cells])} |"
    return f"  {check.name:<68} {cells[0]:>4} {cells[1]:>6} ± {cells[2]:<5} {cells[3]:>4} {verdict}"


def _parse() -> argparse.Namespace:
    groups = list(dict.fromkeys(check.group for check in all_checks()))
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.coverage", description=f"groups: {', '.join(groups)}"
    )
    parser.add_argument("groups", nargs="*", metavar="GROUP")
    parser.add_argument("--quick", action="store_true", help="a twentieth of the trials")
    parser.add_argument("--trials", type=float, default=1.0, metavar="SHARE", help="of all trials")
    parser.add_argument("--markdown", action="store_true", help="print tables for a page")
    options = parser.parse_args()
    unknown = set(options.groups) - set(groups)
    if unknown:
        parser.error(f"no group {', '.join(sorted(unknown))}; there are {', '.join(groups)}")
    return options


if __name__ == "__main__":
    main()
