"""Run the benchmarks: ``python -m benchmarks [CASE ...] [--repeats N] [--json FILE]``.

Every measurement runs in a process of its own. The sides of a case take turns, so that
what the machine does meanwhile hits all of them; ratios are paired within a turn, and
medians are what counts. ``--peer`` and ``--drop-in`` name any two modules that have the
published API. p99.9, maxima and absolute times are printed and never judged.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.cases import CASES, DROP_IN, NATIVE, PEER, Case
from benchmarks.harness import Numbers
from benchmarks.printing import Turns, print_case

PEER_MODULE = "mlperf_loadgen"
DROP_IN_MODULE = "inferometer.mlperf_loadgen"


def main() -> None:
    options = _parse()
    if options.one:
        print(json.dumps(_sides(CASES[options.one[0]], options)[options.one[1]]()))
        return
    if importlib.util.find_spec(options.peer) is None:
        print(f"no module {options.peer}: only our sides are measured (make bench installs it)\n")
    results: dict[str, Turns] = {}
    missed = 0
    for name in options.cases or CASES:
        sides = [side for side in _sides(CASES[name], options) if _is_wanted(side, options)]
        turns: Turns = {side: [] for side in sides}
        for turn in range(options.repeats):
            for side in sides if turn % 2 == 0 else reversed(sides):
                turns[side].append(_measure(name, side, options))
        results[name] = turns
        missed += print_case(name, CASES[name], turns)
    print(f"bars missed: {missed}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=f"cases: {', '.join(CASES)}"
    )
    parser.add_argument("cases", nargs="*", choices=[[], *CASES], metavar="CASE")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write every measurement to this file")
    parser.add_argument("--peer", default=PEER_MODULE, help="module to compare with")
    parser.add_argument("--drop-in", default=DROP_IN_MODULE, help="module to measure")
    parser.add_argument(
        "--sides", nargs="+", help=f"only these: {NATIVE}, {DROP_IN}, {PEER}", metavar="SIDE"
    )
    parser.add_argument("--one", nargs=2, metavar=("CASE", "SIDE"), help=argparse.SUPPRESS)
    return parser.parse_args()


def _sides(case: Case, options: argparse.Namespace) -> dict[str, Callable[[], Numbers]]:
    sides = dict(case.own)
    if case.api is not None:
        api = case.api
        for side, module in ((DROP_IN, options.drop_in), (PEER, options.peer)):
            sides[side] = functools.partial(_with_module, api, module)
    return sides


def _with_module(api: Callable[..., Numbers], module: str) -> Numbers:
    return api(importlib.import_module(module))


def _is_wanted(side: str, options: argparse.Namespace) -> bool:
    if options.sides:
        return side in options.sides
    return side != PEER or importlib.util.find_spec(options.peer) is not None


def _measure(name: str, side: str, options: argparse.Namespace) -> Numbers:
    command = [sys.executable, "-m", "benchmarks", "--one", name, side]
    command += ["--peer", options.peer, "--drop-in", options.drop_in]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name}, {side} failed:\n{done.stderr}")
    numbers: Numbers = json.loads(done.stdout.splitlines()[-1])
    return numbers


if __name__ == "__main__":
    main()
