"""Choice: which options meet the needs, and which of them no other one beats in everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inferometer.comparing import Option
from inferometer.sweeping.figure import FIGURES, Figure
from inferometer.sweeping.need import Answer, Need

__all__ = ["Choice", "Row", "choose"]

_BEST_FIRST = (Answer.MET, Answer.OPEN, Answer.UNKNOWN, Answer.MISSED)


@dataclass(frozen=True)
class Row:
    """An option with what is known of it.

    error:
        Why it could not be measured; empty if it could.
    answers:
        One for each need, in their order.
    is_best:
        Whether no other option is at least as good in every figure and better in one.
    """

    option: Option
    figures: Mapping[str, Figure]
    error: str = ""
    warnings: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()
    is_best: bool = False

    @property
    def answer(self) -> Answer:
        """The worst of its answers; that needs are met where there are none."""
        if self.error:
            return Answer.UNKNOWN
        return max(self.answers, key=_BEST_FIRST.index, default=Answer.MET)


@dataclass(frozen=True)
class Choice:
    """All options, those that meet the needs first, and of them those that nothing beats."""

    rows: tuple[Row, ...]
    needs: tuple[Need, ...]

    @property
    def meeting(self) -> tuple[Row, ...]:
        """The options that meet every need with certainty."""
        return tuple(row for row in self.rows if not row.error and row.answer is Answer.MET)

    @property
    def figures(self) -> tuple[str, ...]:
        """Names of the figures that any option has."""
        return tuple(name for name in FIGURES if any(name in row.figures for row in self.rows))

    @property
    def sentence(self) -> str:
        """What comes out, in a sentence."""
        measured = [row for row in self.rows if not row.error]
        if not measured:
            return "no option could be measured"
        best = [row.option.label for row in self.rows if row.is_best]
        if not self.needs:
            return f"nothing beats {_listed(best)} in everything at once"
        if not self.meeting:
            maybe = [row.option.label for row in measured if row.answer is Answer.OPEN]
            return "no option surely meets all needs" + (
                f"; within their intervals, {_listed(maybe)} may" if maybe else ""
            )
        names = [row.option.label for row in self.meeting]
        chosen = [row.option.label for row in self.meeting if row.is_best]
        said = f"{_listed(names)} {'meets' if len(names) == 1 else 'meet'} all needs"
        return f"{said}; of these, nothing beats {_listed(chosen)}" if len(names) > 1 else said


def choose(rows: Sequence[Row], needs: Sequence[Need]) -> Choice:
    """Answer each need for each option, find those that nothing beats, and sort them.

    Options are beaten by their values; the intervals of close ones may well overlap. Only
    options that aren't known to miss a need take part.
    """
    answered = [
        Row(
            row.option,
            row.figures,
            row.error,
            row.warnings,
            tuple(need.answer(row.figures.get(need.kind.name)) for need in needs),
        )
        for row in rows
    ]
    able = [row for row in answered if not row.error and row.answer is not Answer.MISSED]
    pool = [row for row in able if row.answer is Answer.MET] or able
    names = _common(pool)
    best = {id(row) for row in pool if not any(_beats(other, row, names) for other in pool)}
    marked = [
        Row(row.option, row.figures, row.error, row.warnings, row.answers, id(row) in best)
        for row in answered
    ]
    marked.sort(key=lambda row: (bool(row.error), _BEST_FIRST.index(row.answer), not row.is_best))
    return Choice(tuple(marked), tuple(needs))


def _common(rows: Sequence[Row]) -> list[str]:
    """Give the figures that all rows have; by others they can't be set against each other."""
    return [name for name in FIGURES if rows and all(name in row.figures for row in rows)]


def _beats(first: Row, second: Row, names: Sequence[str]) -> bool:
    gains = [_goodness(first, name) - _goodness(second, name) for name in names]
    return all(gain >= 0 for gain in gains) and any(gain > 0 for gain in gains)


def _goodness(row: Row, name: str) -> float:
    figure = row.figures[name]
    return figure.value if figure.kind.higher_is_better else -figure.value


def _listed(names: Sequence[str]) -> str:
    if not names:
        return "none"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
