"""Parsing: a condition's text becomes a value, or an error that says where and what to write.

condition   [surely | possibly] [workload] [backend] [scenario] figure comparator limit
comparator  >  >=  <  <=
limit       number [unit]
            baseline [* number | + number [unit] | - number [unit]]
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from inferometer.loadgen import Scenario, nearest_name
from inferometer.runs.gates.condition import (
    Amount,
    Certainty,
    Comparator,
    Condition,
    GateError,
    Limit,
)
from inferometer.runs.gates.figure import EXAMPLES, FigureName, Quantity, figure_name

__all__ = ["parse_condition"]

_SCENARIOS = {scenario.value.lower(): scenario for scenario in Scenario}
_CERTAINTIES = {c.value: c for c in Certainty if c.value}
_TOKEN = re.compile(
    r'\s*(?:"(?P<quoted>[^"]*)"|(?P<sign>[<>=!]+)|(?P<word>[^\s<>=!*+"]+)|(?P<odd>.))'
)
_NUMBER = re.compile(r"[0-9][0-9_]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+")
_BASELINE = re.compile(r"baseline(?![\w.])", re.IGNORECASE)
_MOST_NAMES = 2
_MOST_CHARACTERS = 500
_BASELINE_SIGNS = "*+-"


@dataclass(frozen=True)
class _Word:
    text: str
    at: int
    is_quoted: bool


def parse_condition(text: str) -> Condition:
    """Read a condition such as ``Server p99 > 15 ms``.

    Raises `GateError` that names the place, counted from 1, and says what to write.
    """
    if len(text) > _MOST_CHARACTERS:
        raise _wrong(text[:40] + "…", 0, f"it is longer than {_MOST_CHARACTERS} characters")
    words, comparator, rest_at = _split(text)
    if not words:
        raise _wrong(text, 0, f"the figure is missing: one of {', '.join(EXAMPLES[:8])}, …")
    *scope, last = words
    figure = _figure(text, last)
    certainty = Certainty.POINT
    if scope and not scope[0].is_quoted and scope[0].text.lower() in _CERTAINTIES:
        certainty = _CERTAINTIES[scope.pop(0).text.lower()]
    scenario, names = _scope(text, scope)
    limit = _LimitReader(text, rest_at, figure).limit()
    return Condition(figure, comparator, limit, certainty, scenario, names)


def _wrong(text: str, at: int, what: str) -> GateError:
    """Give the error for a place in the text; only its shown form may hold anything."""
    return GateError(f"condition {text!r}, at character {at + 1}: {what}")


def _split(text: str) -> tuple[list[_Word], Comparator, int]:
    """Give the words before the comparator, the comparator, and where the rest begins."""
    words: list[_Word] = []
    for token in _TOKEN.finditer(text):
        kind = str(token.lastgroup)
        place = token.start(kind)
        if kind == "sign":
            return words, _comparator(text, token["sign"], place), token.end()
        if kind == "odd":
            raise _wrong(text, place, f"{token['odd']!r} has no meaning here")
        words.append(_Word(token[kind], place, is_quoted=kind == "quoted"))
    raise _wrong(
        text, len(text.rstrip()), "a comparator is missing; write for instance p99 > 15 ms"
    )


def _comparator(text: str, sign: str, at: int) -> Comparator:
    try:
        return Comparator(sign)
    except ValueError:
        raise _wrong(text, at, f"{sign!r} is no comparator; write >, >=, < or <=") from None


def _figure(text: str, word: _Word) -> FigureName:
    figure = None if word.is_quoted else figure_name(word.text)
    if figure is not None:
        return figure
    hint = nearest_name(word.text.lower(), EXAMPLES)
    if not hint:
        hint = f"; write one of {', '.join(EXAMPLES)}, or any other percentile such as p99.5"
    raise _wrong(text, word.at, f"there is no figure {word.text!r}{hint}")


def _scope(text: str, words: list[_Word]) -> tuple[Scenario | None, tuple[str, ...]]:
    scenario = None
    names: list[str] = []
    for word in words:
        found = None if word.is_quoted else _SCENARIOS.get(word.text.lower())
        if not word.is_quoted and word.text.lower() in _CERTAINTIES:
            raise _wrong(text, word.at, f"{word.text!r} goes first, before what it is about")
        if found is None and len(names) == _MOST_NAMES:
            raise _wrong(
                text, word.at, "only one workload, one backend and one scenario may stand here"
            )
        if found is None:
            names.append(word.text)
        elif scenario is None:
            scenario = found
        else:
            raise _wrong(text, word.at, "only one scenario may be named; write a gate for each")
    return scenario, tuple(names)


class _LimitReader:
    """Reads what stands behind the comparator."""

    def __init__(self, text: str, at: int, figure: FigureName):
        self._text, self._at, self._figure = text, at, figure

    def limit(self) -> Limit:
        """Read the whole limit."""
        self._skip_space()
        found = _BASELINE.match(self._text, self._at)
        if not found:
            limit = Limit(self._amount())
        else:
            self._at = found.end()
            limit = self._relative()
        self._skip_space()
        if self._at < len(self._text):
            raise self._wrong(f"{self._text[self._at :]!r} is too much; the condition ends before")
        return limit

    def _wrong(self, what: str) -> GateError:
        return _wrong(self._text, self._at, what)

    def _skip_space(self) -> None:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1

    def _relative(self) -> Limit:
        self._skip_space()
        sign = self._text[self._at : self._at + 1]
        if not sign:
            return Limit(None, 1.0)
        if sign not in _BASELINE_SIGNS:
            raise self._wrong("after baseline comes *, + or -, as in baseline * 1.1")
        self._at += 1
        if sign == "*":
            self._skip_space()
            return Limit(None, self._factor(self._number()))
        amount = self._amount(is_difference=True)
        value = -amount.value if sign == "-" else amount.value
        if amount.unit == "%" and self._figure.quantity is not Quantity.SHARE:
            return Limit(None, self._factor(1.0 + value / 100))
        return Limit(Amount(value, amount.unit), 1.0)

    def _factor(self, factor: float) -> float:
        if factor <= 0:
            raise self._wrong("nothing is left of the baseline; its share has to be above 0")
        return factor

    def _number(self) -> float:
        found = _NUMBER.match(self._text, self._at)
        if not found:
            seen = self._text[self._at :].split(maxsplit=1)
            told = repr(seen[0]) if seen else "nothing"
            raise self._wrong(f"a number, or baseline, is expected, and {told} is there")
        value = float(found[0].replace("_", ""))
        if not math.isfinite(value):
            raise self._wrong("the number is too large")
        self._at = found.end()
        return value

    def _amount(self, *, is_difference: bool = False) -> Amount:
        self._skip_space()
        value = self._number()
        self._skip_space()
        place = self._at
        unit = self._text[place:].strip()
        self._at = len(self._text)
        known = list(self._figure.quantity.units)
        if is_difference and self._figure.quantity is not Quantity.SHARE:
            known.append("%")
        if unit in known:
            return Amount(value, unit)
        self._at = place
        raise self._wrong(self._unit_error(unit, value, [name for name in known if name]))

    def _unit_error(self, unit: str, value: float, known: list[str]) -> str:
        figure = f"{self._figure} is {self._figure.quantity.value}"
        if not unit:
            return f"{figure}; write its unit, {', '.join(known)}: for instance {value:g} ms"
        if unit.startswith(","):
            return "write large numbers as 1000 or 1_000"
        hint = nearest_name(unit.lower(), known)
        allowed = f"its units are {', '.join(known)}" if known else "it has no unit"
        return f"{figure}, and {allowed}: not {unit!r}{hint}"
