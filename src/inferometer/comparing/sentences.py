"""Sentences: what a comparison comes to, in words that claim no more than was shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferometer.comparing.ratio import Basis, Ratio
from inferometer.workloads import in_unit

if TYPE_CHECKING:
    from inferometer.comparing.pair import AccuracyPair

__all__ = ["accuracy_words", "interval_words", "p_words", "pair_sentence", "points", "times_words"]


def pair_sentence(first: str, second: str, ratio: Ratio | None, accuracy: str) -> str:
    """Say how two options compare; the faster one comes first where one is shown to be faster."""
    speed = "could not be compared" if ratio is None else _speed_words(first, second, ratio)
    if ratio is None:
        speed = f"{first} and {second} {speed}"
    return f"{speed}; {accuracy}" if accuracy else speed


def _speed_words(first: str, second: str, ratio: Ratio) -> str:
    interval = interval_words(ratio)
    match ratio.basis:
        case Basis.SINGLE:
            within = f" ({interval}, within the runs only)" if interval else ""
            return (
                f"{first} was {times_words(ratio.value)} as fast as {second} in one run "
                f"each{within}; whether that repeats isn't known"
            )
        case Basis.TOO_FEW:
            runs = f"{ratio.runs[0]} and {ratio.runs[1]} runs"
            return (
                f"{first} was {times_words(ratio.value)} as fast as {second}; {runs} are too few "
                "for an interval"
            )
        case _ if not ratio.shows_difference:
            return (
                f"no difference shown between {first} and {second} "
                f"({times_words(ratio.value)} as fast, {interval})"
            )
        case _ if ratio.value < 1:
            return _speed_words(second, first, ratio.turned())
        case _:
            return f"{first} is {times_words(ratio.value)} faster than {second} ({interval})"


def times_words(value: float) -> str:
    """Write how many times: three digits, and more where it is close to 1."""
    if 0.98 < value < 1.02 or value < 0.0995:
        return f"{value:.3f}×"
    if value < 9.995:
        return f"{value:.2f}×"
    return f"{value:,.1f}×" if value < 99.95 else f"{value:,.0f}×"


def interval_words(ratio: Ratio) -> str:
    """Write the interval of a ratio, with as many digits as tell its ends apart from 1."""
    if ratio.low is None or ratio.high is None:
        return ""
    digits = 2
    if abs(ratio.low - 1) < 0.02 or abs(ratio.high - 1) < 0.02 or ratio.high < 0.1:
        digits = 3
    return f"95% interval {ratio.low:.{digits}f} to {ratio.high:.{digits}f}"


def accuracy_words(pair: AccuracyPair | None) -> str:
    """Say whether the accuracies differ; empty where none was measured."""
    if pair is None:
        return ""
    unit = pair.first.unit
    both = f"{in_unit(pair.first.value, unit)} and {in_unit(pair.second.value, unit)}"
    if pair.difference is None:
        return f"accuracies {both}, which can't be paired"
    test = f"paired test, {p_words(pair.difference.p_value)}"
    if not pair.shows_difference:
        return f"same accuracy ({test})"
    size = points(abs(pair.difference.value), unit)
    word = "higher" if pair.difference.value > 0 else "lower"
    return f"the accuracy of the first is {size} {word} ({both}; {test})"


def points(value: float, unit: str) -> str:
    """Write a difference of accuracies: percentage points where they are percent."""
    return f"{value * 100:.2f} points" if unit == "%" else f"{value:.2f}{unit}"


def p_words(value: float) -> str:
    """Write a p-value; a tiny one only by what it is below."""
    if value < 0.001:
        return "p < 0.001"
    return f"p = {value:.2g}" if value < 0.995 else "p = 1"
