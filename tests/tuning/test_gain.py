"""Gain and validation: intervals that hold, pairs in turns, time that is kept."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.tuning import gain_of, measured_pairs
from inferometer.tuning.gain import FEWEST_PAIRS, fewest_pairs, signed_rank_p
from tests.tuning.machines import Machine


def pairs_of(ratios: list[float]) -> list[tuple[float, float]]:
    return [(2.0, 2.0 * ratio) for ratio in ratios]


def test_fewer_pairs_than_an_interval_needs_give_no_gain() -> None:
    assert gain_of(pairs_of([1.5] * (FEWEST_PAIRS - 1))) is None


def test_the_interval_of_six_pairs_is_from_the_least_to_the_largest() -> None:
    gain = gain_of(pairs_of([1.1, 1.2, 1.3, 1.4, 1.5, 1.6]))
    assert gain is not None
    assert gain.low == pytest.approx(1.1)
    assert gain.high == pytest.approx(1.6)
    assert gain.is_certain
    assert str(gain) == "1.34 [1.10, 1.60]"


def test_the_ranks_outside_are_those_of_the_published_table() -> None:
    """Wilcoxon's two-sided 5 % critical values: 0, 2, 3, 5, 8 for n = 6 to 10."""
    for count, critical in ((6, 0), (7, 2), (8, 3), (9, 5), (10, 8)):
        ratios = [math.exp(2.0**number) for number in range(count)]
        gain = gain_of(pairs_of(ratios))
        assert gain is not None
        logs = [2.0**number for number in range(count)]
        means = sorted(
            (one + other) / 2 for place, one in enumerate(logs) for other in logs[place:]
        )
        assert math.log(gain.low) == pytest.approx(means[critical])
        assert math.log(gain.high) == pytest.approx(means[-1 - critical])


def test_one_disturbed_pair_of_many_hardly_matters() -> None:
    calm = [1.2 + 0.01 * number for number in range(11)]
    gain = gain_of(pairs_of([*calm, 0.3]))
    assert gain is not None
    assert gain.value == pytest.approx(1.24, abs=0.02)
    assert gain.low > 1.1


def test_the_interval_holds_as_often_as_it_says() -> None:
    generator = random.Random(5)
    held = 0
    for _ in range(400):
        ratios = [math.exp(generator.gauss(math.log(1.1), 0.2)) for _ in range(8)]
        gain = gain_of(pairs_of(ratios))
        assert gain is not None
        held += gain.low <= 1.1 <= gain.high
    assert 0.92 <= held / 400 <= 0.99


@given(seconds=st.floats(0.0, 60.0), overhead_s=st.floats(0.0, 2.0))
def test_validation_ends_in_time(seconds: float, overhead_s: float) -> None:
    machine = Machine(lambda _: 1.0, overhead_s=overhead_s)
    begun = machine.clock()
    pairs = measured_pairs(
        lambda each_s, number: machine.measure((0,), each_s, number),
        lambda each_s, number: machine.measure((1,), each_s, number),
        seconds,
        0.1,
        3.0,
        machine.clock,
    )
    # The first pair is always run: only it shows what loading costs.
    assert machine.clock() - begun <= max(seconds, 2 * machine.longest_trial_s) + 1e-6
    assert len(pairs) >= FEWEST_PAIRS or seconds < 14 * (0.1 + overhead_s) + 1.0


def test_pairs_are_run_in_turns_and_given_in_order() -> None:
    machine = Machine(lambda setup: 1.0 + setup[0])
    pairs = measured_pairs(
        lambda each_s, number: machine.measure((0,), each_s, number),
        lambda each_s, number: machine.measure((1,), each_s, number),
        20.0,
        0.1,
        3.0,
        machine.clock,
    )
    assert set(pairs) == {(1.0, 2.0)}
    order = [setup[0] for setup, _ in machine.measured[:8]]
    assert order == [0, 1, 1, 0, 0, 1, 1, 0]
    assert len(pairs) == 12


def test_a_winner_that_fails_when_loaded_anew_gives_no_pairs() -> None:
    machine = Machine(lambda setup: None if setup[0] else 1.0)
    pairs = measured_pairs(
        lambda each_s, number: machine.measure((0,), each_s, number),
        lambda each_s, number: machine.measure((1,), each_s, number),
        20.0,
        0.1,
        3.0,
        machine.clock,
    )
    assert pairs == []


@pytest.mark.parametrize(("confidence", "fewest"), [(0.95, 6), (0.99, 8), (1 - 0.05 / 3, 7)])
def test_a_higher_confidence_needs_more_pairs(confidence: float, fewest: int) -> None:
    assert fewest_pairs(confidence) == fewest
    assert gain_of(pairs_of([1.5] * (fewest - 1)), confidence) is None
    assert gain_of(pairs_of([1.5] * fewest), confidence) is not None


@given(
    ratios=st.lists(st.floats(0.5, 2.0), min_size=9, max_size=12, unique=True),
    confidence=st.sampled_from([0.9, 0.95, 0.99]),
)
def test_the_interval_leaves_1_out_exactly_where_the_p_value_is_small(
    ratios: list[float], confidence: float
) -> None:
    pairs = pairs_of(ratios)
    if any(a * b == 1.0 for a in ratios for b in ratios):
        return
    gain = gain_of(pairs, confidence)
    assert gain is not None
    claimed = gain.low > 1.0 or gain.high < 1.0
    assert claimed == (signed_rank_p(pairs) <= (1 - confidence) * (1 + 1e-9))


def test_p_values_are_those_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    generator = random.Random(3)
    for count in (6, 9, 14):
        ratios = [math.exp(generator.gauss(0.1, 0.2)) for _ in range(count)]
        expected = stats.wilcoxon([math.log(ratio) for ratio in ratios], method="exact").pvalue
        assert signed_rank_p(pairs_of(ratios)) == pytest.approx(expected)
