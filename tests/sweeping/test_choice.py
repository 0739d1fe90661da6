"""Choices: needs answered by whole intervals, and options that nothing beats."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.comparing import Option
from inferometer.loadgen import Interval
from inferometer.sweeping import FIGURES, Answer, Figure, Need, Price, Row, choose


def figure(name: str, value: float, half: float = 0.0, *, is_valid: bool = True) -> Figure:
    interval = Interval(value - half, value + half) if half else None
    return Figure(FIGURES[name], value, interval, is_valid=is_valid)


def row(name: str, **values: float) -> Row:
    figures = {key.replace("_", " "): value for key, value in values.items()}
    return Row(
        Option(name, {"backend": name}), {key: figure(key, value) for key, value in figures.items()}
    )


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("SingleStream latency <= 2 ms", 2e6),
        ("singlestream  latency<=2000us", 2e6),
        ("Offline throughput >= 1000 /s", 1000),
        ("accuracy >= 92.5 %", 0.925),
        ("accuracy >= 23.9", 23.9),
        ("size <= 4 MiB", 4 * 2**20),
        ("energy <= 2.5 mJ", 2.5e-3),
        ("cost <= 1e-2", 0.01),
    ],
)
def test_needs_are_read_in_their_units(text: str, limit: float) -> None:
    assert Need.parse(text, "here").limit == pytest.approx(limit)


@pytest.mark.parametrize(
    ("value", "half", "is_valid", "answer"),
    [
        (1.0e6, 0.5e6, True, Answer.MET),
        (1.9e6, 0.5e6, True, Answer.OPEN),
        (2.1e6, 0.5e6, True, Answer.OPEN),
        (3.0e6, 0.5e6, True, Answer.MISSED),
        (1.0e6, 0.5e6, False, Answer.OPEN),
        (2.0e6, 0.0, True, Answer.MET),
    ],
)
def test_a_need_is_met_by_the_whole_interval(
    value: float, half: float, is_valid: bool, answer: Answer
) -> None:
    need = Need.parse("SingleStream latency <= 2 ms", "here")
    assert need.answer(figure("SingleStream latency", value, half, is_valid=is_valid)) is answer


def test_what_is_not_measured_is_not_known() -> None:
    need = Need.parse("energy <= 2 J", "here")
    assert need.answer(None) is Answer.UNKNOWN
    found = choose([row("a", accuracy=0.9)], [need])
    assert found.meeting == ()
    assert "no option surely meets all needs" in found.sentence


def test_those_that_meet_the_needs_come_first_and_the_best_of_them_are_marked() -> None:
    rows = [
        row("slow", accuracy=0.95, SingleStream_latency=9e6),
        row("good", accuracy=0.92, SingleStream_latency=1e6),
        row("fine", accuracy=0.93, SingleStream_latency=1.5e6),
        row("worse", accuracy=0.92, SingleStream_latency=1.7e6),
        Row(Option("broken", {"backend": "broken"}), {}, "no such backend"),
    ]
    found = choose(rows, [Need.parse("SingleStream latency <= 2 ms", "here")])
    assert [one.option.label for one in found.rows] == ["good", "fine", "worse", "slow", "broken"]
    assert [one.option.label for one in found.rows if one.is_best] == ["good", "fine"]
    assert (
        found.sentence == "good, fine and worse meet all needs; of these, nothing beats "
        "good and fine"
    )


def test_only_figures_that_all_have_decide_what_is_beaten() -> None:
    rows = [
        row("a", accuracy=0.9, SingleStream_latency=1e6, energy=1.0),
        row("b", accuracy=0.9, SingleStream_latency=2e6),
    ]
    assert [one.is_best for one in choose(rows, []).rows] == [True, False]


values = st.floats(0.1, 10, allow_nan=False)


@given(st.lists(st.tuples(values, values), min_size=1, max_size=12))
def test_nothing_beats_the_best_and_something_beats_every_other(
    pairs: list[tuple[float, float]],
) -> None:
    rows = [
        row(str(number), accuracy=a, SingleStream_latency=b) for number, (a, b) in enumerate(pairs)
    ]
    found = choose(rows, [])
    points = {
        one.option.label: (
            one.figures["accuracy"].value,
            -one.figures["SingleStream latency"].value,
        )
        for one in found.rows
    }
    for one in found.rows:
        mine = points[one.option.label]
        is_beaten = any(
            other != mine and other[0] >= mine[0] and other[1] >= mine[1]
            for other in points.values()
        )
        assert one.is_best is not is_beaten


def test_cost_is_the_price_of_the_time_that_a_million_takes() -> None:
    assert Price(3.6).per_million(1000.0) == pytest.approx(1.0)
