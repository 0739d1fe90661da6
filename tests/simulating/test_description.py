"""Descriptions: read, written, and refused with the file and the key."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from inferometer.simulating import (
    EXAMPLE,
    BatchTime,
    Cold,
    Constant,
    Drift,
    Failures,
    Gamma,
    Lognormal,
    Quantiles,
    ServiceTime,
    SimulationError,
    Slack,
    SlowStart,
    Stalls,
    parse_system,
    read_system,
    system_toml,
)
from inferometer.simulating.sampler import Sampler


def test_the_example_reads_and_comes_back_as_it_was() -> None:
    system = parse_system(EXAMPLE, "example.toml")
    assert system.replicas == 100
    assert system.service.mean_ns(4) == pytest.approx(4.4e6)
    assert parse_system(system_toml(system), "again.toml").service.mean_ns(8) == pytest.approx(
        system.service.mean_ns(8)
    )
    assert system.network.constant_ns[0] == pytest.approx(150528 / 1.25e9 * 1e9)


def test_everything_that_can_be_said_comes_back_as_it_was() -> None:
    shape = Quantiles((0.0, 0.5, 1.0), (0.5, 1.0, 1.5))
    rows = (
        BatchTime(1, 1e6, shape, Lognormal(1.0, 0.25)),
        BatchTime(4, 2.5e6, Constant(1.0)),
    )
    service = ServiceTime(
        rows,
        0.25,
        Drift(0.1, 2.0, 0.05),
        cold=Cold(0.3e6, 8e6, 0.25e6),
        slack=Slack(0.2, 0.5, 1.5),
        gather_ns=2e4,
        stalls=Stalls(2.5, Lognormal(0.8e6, 1.5)),
    )
    system = dataclasses.replace(
        parse_system(EXAMPLE, "example.toml"),
        service=service,
        failures=Failures(100.0, 5.0, 1.0, 0.5),
        slow_start=SlowStart(2.0, 3.0),
    )
    assert parse_system(system_toml(system), "again.toml") == system


WRONG = {
    "replicas = 0\n[service]\nper_sample_ms = 1": "s.toml: replicas is 0; it takes 1 or more",
    "replica = 2\n[service]\nper_sample_ms = 1": "did you mean 'replicas'",
    "routing = 'randm'\n[service]\nper_sample_ms = 1": "no routing 'randm'; did you mean 'random'",
    "name = 'x'": "s.toml: service is missing",
    "[service]\nper_sample_ms = 0": "service.per_sample_ms: a call has to take some time",
    "[service]\nper_sample_ms = 1\nshape = { kind = 'gama' }": "did you mean 'gamma'",
    "[service]\nper_sample_ms = 1\nshape = { kind = 'gamma', variation = 0 }": "variation is 0",
    "[service]\nper_sample_ms = 1\nshape = { kind = 'quantiles', values = [2, 1] }": "to ascend",
    "[service]\nper_sample_ms = 1\nshape = { kind = 'quantiles', values = [1] }": "at least two",
    "[service]\nper_sample_ms = 1\nshape = { kind = 'mixture', parts = [{ share = 0.5, "
    "kind = 'constant' }] }": "the shares add up to 0.5",
    "[[service.batch]]\nsize = 2\nmean_ms = 1\n[[service.batch]]\nsize = 1\nmean_ms = 1": "ascend",
    "[service": "not a TOML file",
    "[service]\nper_sample_ms = 1\ncold = { extra_ms = 1, cools_ms = 0, warms_ms = 1 }": "s.toml: "
    "service.cold.cools_ms is 0; it takes a number above 0",
    "[service]\nper_sample_ms = 1\ncold = { extra_ms = 1, cools_ms = 1 }": "service.cold.warms_ms",
    "[service]\nper_sample_ms = 1\nslack = { excess = 1, memory_ms = 1 }": "service.slack.memory_s",
    "[service]\nper_sample_ms = 1\nslack = { excess = 1, memory_s = 1, most = 2 }": "slack.most",
    "[service]\nper_sample_ms = 1\nwoken_shape = { kind = 'gama' }": "did you mean 'gamma'",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_named(text: str) -> None:
    with pytest.raises(SimulationError) as caught:
        parse_system(text, "s.toml")
    assert str(caught.value).startswith("s.toml")
    assert WRONG[text] in str(caught.value)


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match="simulate --example"):
        read_system(tmp_path / "none.toml")


def test_times_of_batches_between_and_beyond_the_described_ones() -> None:
    shape = Constant(1.0)
    service = ServiceTime((BatchTime(2, 2e6, shape), BatchTime(4, 3e6, shape)))
    assert [service.mean_ns(n) for n in (1, 2, 3, 4, 6)] == [2e6, 2e6, 2.5e6, 3e6, 4e6]
    drawn = Sampler(service, 6).draw(np.random.default_rng(1), np.array([2, 3, 6]))
    assert drawn.tolist() == [2e6, 2.5e6, 4e6]


def test_a_shape_of_all_batches_is_that_of_each() -> None:
    shapes = """
[service]
shape = { kind = 'gamma', variation = 0.5 }
woken_shape = { kind = 'gamma', variation = 1 }
"""
    line = parse_system(f"{shapes}setup_ms = 1\nper_sample_ms = 1", "s.toml").service
    assert [row.woken_shape for row in line.rows] == [Gamma(1.0, 1.0)] * 2
    batches = """
[[service.batch]]
size = 1
mean_ms = 2
[[service.batch]]
size = 2
mean_ms = 3
shape = { kind = 'constant' }
"""
    rows = parse_system(shapes + batches, "s.toml").service.rows
    assert [row.shape for row in rows] == [Gamma(1.0, 0.5), Constant(1.0)]
    # A row with a shape of its own has it for all calls.
    assert [row.woken_shape for row in rows] == [Gamma(1.0, 1.0), None]


def test_calls_of_woken_workers_scatter_in_their_own_way() -> None:
    row = BatchTime(1, 1e6, Constant(1.0), Gamma(1.0, 0.5))
    woken = np.arange(4000) % 2 == 0
    sampler = Sampler(ServiceTime((row,)), 1)
    drawn = sampler.draw(np.random.default_rng(1), np.ones(4000, np.int64), woken)
    assert set(drawn[~woken].tolist()) == {1e6}
    assert drawn[woken].std() == pytest.approx(0.5e6, rel=0.1)


def test_scaled_times_are_as_many_times_as_long() -> None:
    service = ServiceTime.line(1e6, 0.5e6, Constant(1.0)).scaled(1.1)
    assert service.mean_ns(4) == pytest.approx(3.3e6)
