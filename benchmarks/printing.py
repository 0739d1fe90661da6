"""Printing: medians, spread and paired ratios of a case, and whether its bars are met."""

from __future__ import annotations

import statistics

from benchmarks.cases import Bar, Case
from benchmarks.harness import Numbers

__all__ = ["Turns", "print_case"]

Turns = dict[str, list[Numbers]]


def print_case(name: str, case: Case, turns: Turns) -> int:
    """Print a case; give how many of its bars are missed."""
    repeats = max(map(len, turns.values()), default=0)
    print(f"{name}: {case.title}  (median of {repeats}, least to most in brackets)")
    names = dict.fromkeys(number for side in turns.values() for one in side for number in one)
    for number in names:
        cells = [f"{side} {_spread(values, number)}" for side, values in turns.items() if values]
        print(f"  {number:<26} {'   '.join(cells)}")
        for line in _ratios(number, turns):
            print(f"  {'':<26} {line}")
    missed = 0
    for bar in case.bars:
        value = _value(bar, turns)
        if value is not None:
            met = (bar.least is None or value >= bar.least) and (
                bar.most is None or value <= bar.most
            )
            missed += not met
            print(f"  bar: {_bar_text(bar)}: {value:.3g}, {'met' if met else 'MISSED'}")
    print(flush=True)
    return missed


def _spread(values: list[Numbers], number: str) -> str:
    found = [one[number] for one in values if number in one]
    if not found:
        return "-"
    middle = statistics.median(found)
    return f"{_short(middle)} [{_short(min(found))}–{_short(max(found))}]"


def _ratios(number: str, turns: Turns) -> list[str]:
    """Give the last side's number over each other side's, turn by turn."""
    if len(turns) < 2:
        return []
    *others, last = turns
    cells = []
    for side in others:
        pairs = _pairs(number, turns[side], turns[last])
        if pairs:
            spread = f"[{min(pairs):.3g}–{max(pairs):.3g}]"
            cells.append(f"{last}/{side} {statistics.median(pairs):.3g}× {spread}")
    return ["   ".join(cells)] if cells else []


def _pairs(number: str, below: list[Numbers], above: list[Numbers]) -> list[float]:
    return [
        b[number] / a[number]
        for a, b in zip(below, above, strict=True)
        if a.get(number) and number in b
    ]


def _value(bar: Bar, turns: Turns) -> float | None:
    if bar.side not in turns or (bar.over is not None and bar.over not in turns):
        return None
    if bar.over is None:
        return statistics.median(one[bar.number] for one in turns[bar.side])
    pairs = _pairs(bar.number, turns[bar.side], turns[bar.over])
    if not pairs:
        return None
    ratio = statistics.median(pairs)
    return 1 / ratio if bar.share else ratio


def _bar_text(bar: Bar) -> str:
    limit = f"at least {bar.least:g}" if bar.least is not None else f"at most {bar.most:g}"
    if bar.over is None:
        return f"{bar.number}, {bar.side}, {limit}"
    first, second = (bar.side, bar.over) if bar.share else (bar.over, bar.side)
    return f"{bar.number}, {first}/{second}, {limit}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
