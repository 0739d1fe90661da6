"""Both engines against queues whose mean is known in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest

from inferometer.simulating import Constant, Distribution, Exponential, Gamma, Lognormal, Mixture
from inferometer.simulating.events import run_events
from inferometer.simulating.tally import Tally
from tests.simulating.systems import MS, in_lanes, system_of

SHAPES: dict[str, tuple[Distribution, float]] = {
    "M/M/1": (Exponential(1.0), 1.0),
    "M/D/1": (Constant(1.0), 0.0),
    "gamma": (Gamma(1.0, 0.5), 0.5),
    "lognormal": (Lognormal(1.0, 1.5), 1.5),
    "stalls": (Mixture((0.9, 0.1), (Constant(0.5), Constant(5.5))), 1.5),
}
"""Shapes by name, with the standard deviation over the mean."""


def agrees(tally: Tally, theory_ns: float) -> bool:
    mean = tally.mean()
    half = (mean.high - mean.low) / 2
    return (
        abs(mean.value - theory_ns) < max(1.5 * half, 0.001 * theory_ns) and half < 0.1 * theory_ns
    )


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("load", [0.3, 0.7])
def test_lanes_keep_pollaczek_khinchine(name: str, load: float) -> None:
    shape, variation = SHAPES[name]
    wait = load * (1 + variation**2) / 2 / (1 - load)
    tally, totals = in_lanes(system_of(shape), load * 1000)
    assert agrees(tally, (1 + wait) * MS)
    assert totals.busy_ns / totals.span_ns == pytest.approx(load, rel=0.02)


def erlang_c(servers: int, offered: float) -> float:
    top = offered**servers / math.factorial(servers) * servers / (servers - offered)
    return top / (sum(offered**k / math.factorial(k) for k in range(servers)) + top)


@pytest.mark.parametrize("servers", [2, 5])
def test_lanes_keep_erlang_c(servers: int) -> None:
    load = 0.8
    wait = erlang_c(servers, load * servers) / (servers * (1 - load))
    tally, _ = in_lanes(system_of(Exponential(1.0), workers=servers), load * servers * 1000)
    assert agrees(tally, (1 + wait) * MS)


def test_lanes_keep_the_percentiles_of_one_exponential_server() -> None:
    tally, _ = in_lanes(system_of(Exponential(1.0)), 600)
    for fraction in (0.5, 0.9, 0.99):
        theory = -math.log(1 - fraction) / (1 - 0.6) * MS
        found = tally.percentile(fraction)
        assert abs(found.value - theory) < 1.5 * (found.high - found.low) / 2 + 0.001 * theory


def test_events_keep_erlang_c_with_one_queue_for_all_replicas() -> None:
    from inferometer.simulating import Routing

    load, servers = 0.8, 4
    wait = erlang_c(servers, load * servers) / (servers * (1 - load))
    system = system_of(Exponential(1.0), replicas=servers, routing=Routing.SHARED_QUEUE)
    happened = run_events(system, load * servers * 1000, 25_000, seed=3)
    tally = Tally(20)
    tally.add(happened.latency_ns[5000:], np.arange(20_000) * 20 // 20_000)
    assert agrees(tally, (1 + wait) * MS)
    assert happened.busy_ns / happened.span_ns / servers == pytest.approx(load, rel=0.03)


def test_a_contended_pair_is_as_fast_as_its_speeds_say() -> None:
    """Two workers of which two together do the work of 1 / 0.75 of one: birth and death."""
    contention, load = 0.5, 0.9
    rates = (1.0, 2 / (1 + contention))
    ratio = [1.0, load / rates[0]]
    decay = load / rates[1]
    # Beyond two, each state is less likely by the same factor.
    second = ratio[1] * decay
    total = sum(ratio) + second / (1 - decay)
    outstanding = (ratio[1] + second * (2 / (1 - decay) + decay / (1 - decay) ** 2)) / total
    tally, _ = in_lanes(system_of(Exponential(1.0), workers=2, contention=contention), load * 1000)
    assert agrees(tally, outstanding / load * MS)
