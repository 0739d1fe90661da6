"""Run the benchmarks: ``python -m benchmarks [CASE ...] [--repeats N] [--json FILE]``.

Every measurement runs in a process of its own. The sides of a case take turns, so that
what the machine does meanwhile hits both; ratios are paired within a turn, and medians
are what counts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks import peer
from benchmarks.cases import BARS, CASES, TITLES, Numbers

Turns = dict[str, list[Numbers]]


def main() -> None:
    options = _parse()
    if options.one:
        case, side = options.one
        print(json.dumps(CASES[case][side]()))
        return
    if not peer.available():
        print(f"{peer.NAME} isn't installed: only our side is measured\n")
    results: dict[str, Turns] = {}
    for case in options.cases or CASES:
        sides = [side for side in CASES[case] if side != "peer" or peer.available()]
        turns: Turns = {side: [] for side in sides}
        for turn in range(options.repeats):
            for side in sides if turn % 2 == 0 else reversed(sides):
                turns[side].append(_measure(case, side))
        results[case] = turns
        _print(case, turns)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("cases", nargs="*", choices=[[], *CASES], metavar="CASE")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", nargs=2, metavar=("CASE", "SIDE"), help=argparse.SUPPRESS)
    return parser.parse_args()


def _measure(case: str, side: str) -> Numbers:
    command = [sys.executable, "-m", "benchmarks", "--one", case, side]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{case}, {side} failed:\n{done.stderr}")
    numbers: Numbers = json.loads(done.stdout.splitlines()[-1])
    return numbers


def _print(case: str, turns: Turns) -> None:
    sides = list(turns)
    print(f"{TITLES[case]}  (median of {len(turns[sides[0]])}, least to most in brackets)")
    for name in turns[sides[0]][0]:
        cells = []
        for side in sides:
            values = [numbers[name] for numbers in turns[side]]
            middle = statistics.median(values)
            cells.append(f"{side} {_short(middle)} [{_short(min(values))}–{_short(max(values))}]")
        ratio = _paired_ratio(name, turns)
        if ratio is not None:
            cells.append(f"{sides[1]}/ours {ratio:.3g}×")
        print(f"  {name:<28} {'   '.join(cells)}{_judge(case, name, turns)}")
    print(flush=True)


def _paired_ratio(name: str, turns: Turns) -> float | None:
    """Give the median of the other side's number over ours, turn by turn."""
    if len(turns) < 2:
        return None
    ours, other = turns.values()
    pairs = [b[name] / a[name] for a, b in zip(ours, other, strict=True) if a[name]]
    return statistics.median(pairs) if pairs else None


def _judge(case: str, name: str, turns: Turns) -> str:
    bar = BARS.get((case, name))
    if bar is None:
        return ""
    kind, limit = bar
    ours = statistics.median(numbers[name] for numbers in next(iter(turns.values())))
    if kind == "ours at most":
        return f"   bar {limit:g}: {'met' if ours <= limit else 'MISSED'}"
    ratio = _paired_ratio(name, turns)
    if ratio is None:
        return ""
    share = 1 / ratio
    met = share <= limit if kind.endswith("most") else share >= limit
    return f"   ours/other {share:.3g}, bar {limit:g}: {'met' if met else 'MISSED'}"


def _short(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


if __name__ == "__main__":
    main()
