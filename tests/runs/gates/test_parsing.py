"""Conditions of gates: what they say, what they may not say, and that text never crashes them."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.loadgen import PERCENTILES, Scenario
from inferometer.runs.gates import Condition, GateError, parse_condition
from inferometer.runs.gates.condition import Amount, Certainty, Comparator, Limit
from inferometer.runs.gates.figure import EXAMPLES, FigureName, Quantity, figure_name
from tests.support import ROOT

P99 = FigureName("latency", "p", 0.99)


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("p99 > 15 ms", Condition(P99, Comparator.ABOVE, Limit(Amount(15.0, "ms")))),
        ("P99>=15ms", Condition(P99, Comparator.AT_LEAST, Limit(Amount(15.0, "ms")))),
        (
            "surely server p99 > 1_500 µs",
            Condition(
                P99,
                Comparator.ABOVE,
                Limit(Amount(1500.0, "µs")),
                Certainty.SURELY,
                Scenario.SERVER,
            ),
        ),
        (
            'pocket-mobilenet "my backend" Offline samples_per_s < 1e3',
            Condition(
                FigureName("throughput"),
                Comparator.BELOW,
                Limit(Amount(1000.0, "")),
                scenario=Scenario.OFFLINE,
                names=("pocket-mobilenet", "my backend"),
            ),
        ),
        (
            "possibly accuracy <= 92.5%",
            Condition(
                FigureName("accuracy"),
                Comparator.AT_MOST,
                Limit(Amount(92.5, "%")),
                Certainty.POSSIBLY,
            ),
        ),
        (
            "p99.9 > baseline",
            Condition(FigureName("latency", "p", 0.999), Comparator.ABOVE, Limit(None, 1.0)),
        ),
        ("p99 > baseline*1.1", Condition(P99, Comparator.ABOVE, Limit(None, 1.1))),
        ("p99 > baseline + 10 %", Condition(P99, Comparator.ABOVE, Limit(None, 1.1))),
        (
            "p99 > Baseline + 2 ms",
            Condition(P99, Comparator.ABOVE, Limit(Amount(2.0, "ms"), 1.0)),
        ),
        (
            "accuracy < baseline - 1 %",
            Condition(FigureName("accuracy"), Comparator.BELOW, Limit(Amount(-1.0, "%"), 1.0)),
        ),
        (
            "errors > 0",
            Condition(FigureName("findings.errors"), Comparator.ABOVE, Limit(Amount(0.0, ""))),
        ),
        (
            "lateness_max > 1 s",
            Condition(FigureName("lateness", "max"), Comparator.ABOVE, Limit(Amount(1.0, "s"))),
        ),
    ],
)
def test_conditions(text: str, condition: Condition) -> None:
    assert parse_condition(text) == condition
    assert parse_condition(str(condition)) == condition


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", 1, "a comparator is missing; write for instance p99 > 15 ms"),
        ("p99", 4, "a comparator is missing"),
        ("> 15 ms", 1, "the figure is missing: one of p50, p90"),
        ("p99 = 15 ms", 5, "'=' is no comparator; write >, >=, < or <="),
        ("p99 => 15 ms", 5, "'=>' is no comparator"),
        ("p99 > 15", 9, "p99 is a time; write its unit, ns, us, µs, μs, ms, s: for instance 15 ms"),
        ("p99 > 15 mss", 10, "not 'mss'; did you mean 'ms'?"),
        ("p99 > 15 %", 10, "p99 is a time, and its units are ns"),
        ("p99 > 1,000 ms", 8, "write large numbers as 1000 or 1_000"),
        ("p99 > fast", 7, "a number, or baseline, is expected, and 'fast' is there"),
        ("p99 >", 6, "a number, or baseline, is expected, and nothing is there"),
        ("p99 > -1 ms", 7, "and '-1' is there"),
        ("p99 > 1e999 ms", 7, "the number is too large"),
        ("p99 > 10 ms < 5 ms", 10, "not 'ms < 5 ms'"),
        ("queries < 5 ms", 13, "queries is a count, and it has no unit: not 'ms'"),
        ("throughputt < 5", 1, "there is no figure 'throughputt'; did you mean 'throughput'?"),
        ("latency > 5 ms", 1, "there is no figure 'latency'"),
        ("Server p100 > 5 ms", 8, "there is no figure 'p100'"),
        ("p0 > 5 ms", 1, "there is no figure 'p0'"),
        ("ttft_p98 > 5 ms", 1, "there is no figure 'ttft_p98'; did you mean 'ttft_p99'?"),
        ("Server Offline p99 > 5 ms", 8, "only one scenario may be named"),
        ("a b c p99 > 5 ms", 5, "only one workload, one backend and one scenario"),
        ("Server surely p99 > 5 ms", 8, "'surely' goes first"),
        ("p99 > baseline 1.1", 16, "after baseline comes *, + or -"),
        ("p99 > baseline * 0", 19, "its share has to be above 0"),
        ("p99 > baseline - 200%", 22, "its share has to be above 0"),
        ("p99 > baseline * 1.1 ms", 22, "'ms' is too much"),
        ("p99 + 1 > 5 ms", 5, "'+' has no meaning here"),
        ('"p99 > 5 ms', 1, "'\"' has no meaning here"),
        ("p" * 501, 1, "it is longer than 500 characters"),
    ],
)
def test_errors_name_the_place_and_the_remedy(text: str, place: int, message: str) -> None:
    with pytest.raises(GateError) as error:
        parse_condition(text)
    assert f"at character {place}: " in str(error.value)
    assert message in str(error.value)


@given(st.text() | st.lists(st.sampled_from([*EXAMPLES, "Server", "x", "surely", ">", "<=", '"',
    "baseline", "*", "+", "-", "1.1", "15", "ms", "%", "/s"])).map(" ".join))  # fmt: skip
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(GateError):
        condition = parse_condition(text)
        assert parse_condition(str(condition)) == condition


_positive = st.floats(1e-6, 1e12)


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    figure = figure_name(draw(st.sampled_from(EXAMPLES)))
    assert figure is not None
    amount = Amount(draw(_positive), draw(st.sampled_from(list(figure.quantity.units))))
    if figure.quantity is Quantity.TIME:
        assert amount.unit
    limit = draw(st.sampled_from([Limit(amount), Limit(amount, 1.0), Limit(None, draw(_positive))]))
    return Condition(
        figure,
        draw(st.sampled_from(Comparator)),
        limit,
        draw(st.sampled_from(Certainty)),
        draw(st.none() | st.sampled_from(Scenario)),
        tuple(draw(st.lists(st.text().map(lambda name: name.replace('"', "")), max_size=2))),
    )


@given(conditions())
def test_what_is_written_is_read_back(condition: Condition) -> None:
    text = str(condition)
    if len(text) <= 500:
        assert parse_condition(text) == condition


def test_every_example_is_a_figure_and_every_percentile_may_be_asked_for() -> None:
    for name in EXAMPLES:
        assert figure_name(name) is not None, name
    for fraction in PERCENTILES:
        assert str(FigureName("latency", "p", fraction)) == f"p{fraction * 100:g}"
    assert str(figure_name("p99.95")) == "p99.95"


@pytest.mark.parametrize("name", ["README.md", "docs/ci.md", "docs/command-line.md"])
def test_conditions_in_the_documents_can_be_read(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    found = re.findall(r'--fail-if "([^"]+)"', text)
    assert found or name == "docs/command-line.md"
    for condition in found:
        parse_condition(condition)
