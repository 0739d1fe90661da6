"""The same option against itself: how often a difference is claimed, over whole pages.

The machine of these tests is bad on purpose: it drifts, has slow spells that last for several
runs, favours whoever comes first in a block, and now and then stalls a run.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

from inferometer.comparing.plan import confidence_of
from inferometer.comparing.ratio import paired_ratio, unpaired_ratio
from tests.comparing.options import compared, record

_PAGES = 250


def machine(generator: random.Random) -> Iterator[float]:
    """Give how fast a bad machine is from one run to the next."""
    drift, spell = generator.gauss(0, 0.01), 0.0
    number = 0
    while True:
        spell = 0.8 * spell + generator.gauss(0, 0.03)
        stall = -1.5 if generator.random() < 0.03 else 0.0
        yield math.exp(drift * number + spell + stall + generator.gauss(0, 0.02))
        number += 1


def blocks_of(options: int, blocks: int, generator: random.Random) -> list[list[float]]:
    """Give the speeds of options that are all the same, run in random order in blocks."""
    speeds: list[list[float]] = [[] for _ in range(options)]
    running = machine(generator)
    for _ in range(blocks):
        order = list(range(options))
        generator.shuffle(order)
        for place, option in enumerate(order):
            first = 1.05 if place == 0 else 1.0
            speeds[option].append(next(running) * first)
    return speeds


def most_by_chance(trials: int, rate: float = 0.05) -> float:
    """Give a count that a rate exceeds once in a thousand times."""
    return trials * rate + 3.1 * math.sqrt(trials * rate * (1 - rate))


def test_two_alike_are_told_apart_in_at_most_one_of_twenty_trials() -> None:
    generator = random.Random(11)
    claimed = 0
    for _ in range(_PAGES):
        first, second = blocks_of(2, 12, generator)
        ratio = paired_ratio(first, second, 0.95)
        assert ratio is not None
        claimed += ratio.shows_difference
    assert claimed <= most_by_chance(_PAGES)


def test_a_page_of_three_alike_claims_anything_in_at_most_one_of_twenty_trials() -> None:
    generator = random.Random(12)
    claimed = 0
    for _ in range(_PAGES):
        labels = ("a", "b", "c")
        speeds = blocks_of(3, 12, generator)
        page = compared(*(record(*one) for one in zip(labels, speeds, strict=True)))
        (scenario,) = page.groups[0].scenarios
        claimed += any(pair.shows_difference for pair in scenario.pairs)
    assert claimed <= most_by_chance(_PAGES)


def test_looking_several_times_claims_no_more() -> None:
    generator = random.Random(13)
    confidence = confidence_of(1, looks=3)
    claimed = 0
    for _ in range(_PAGES):
        first, second = blocks_of(2, 36, generator)
        ratios = [paired_ratio(first[:end], second[:end], confidence) for end in (12, 24, 36)]
        claimed += any(ratio is not None and ratio.shows_difference for ratio in ratios)
    assert claimed <= most_by_chance(_PAGES)


def test_independent_runs_of_one_option_are_told_apart_as_rarely() -> None:
    generator = random.Random(14)
    claimed = 0
    for _ in range(_PAGES):
        first, second = ([math.exp(generator.gauss(0, 0.1)) for _ in range(6)] for _ in range(2))
        ratio = unpaired_ratio(first, second, 0.95)
        assert ratio is not None
        claimed += ratio.shows_difference
    assert claimed <= most_by_chance(_PAGES)


def test_a_difference_that_is_there_is_found() -> None:
    """Without this, claiming nothing ever would pass all the others."""
    generator = random.Random(15)
    found = 0
    for _ in range(100):
        first, second = blocks_of(2, 16, generator)
        ratio = paired_ratio([speed * 1.3 for speed in first], second, 0.95)
        assert ratio is not None
        found += ratio.shows_difference and ratio.value > 1
    assert found >= 90
