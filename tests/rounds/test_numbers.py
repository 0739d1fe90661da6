"""Numbers of the rounds, against facts that stand elsewhere."""

from __future__ import annotations

import math
from decimal import Decimal, getcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, norm

from inferometer.loadgen import Scenario, SettingsError
from inferometer.logs import builtin_config
from inferometer.rounds import Benchmark, Round, load_round, round_names
from tests.support import V05_SEEDS

V05, V61 = load_round("v0.5"), load_round("v6.1")
ROUNDS = [V05, V61]
BENCHMARKS = [(r, b) for r in ROUNDS for b in r.benchmarks.values()]
BY_NAME = [f"{r.name} {b.name}" for r, b in BENCHMARKS]


def config_number(asked: Round, model: str, scenario: str, key: str) -> float:
    text = builtin_config(asked.era).find(model, scenario, key)
    assert text is not None, (model, scenario, key)
    return float(text)


def test_the_rounds_are_known() -> None:
    assert round_names() == ["v0.5", "v6.1"]
    assert [r.name for r in ROUNDS] == round_names()
    with pytest.raises(SettingsError, match=r"no round 'v0.6'; did you mean 'v0.5'"):
        load_round("v0.6")


def test_benchmarks_of_v05() -> None:
    assert {b.name: b.reference_name for b in V05.benchmarks.values()} == {
        "resnet": "resnet50",
        "mobilenet": "mobilenet",
        "ssd-small": "ssd-mobilenet",
        "ssd-large": "ssd-resnet34",
        "gnmt": "gnmt",
    }


@pytest.mark.parametrize(
    ("name", "reference", "share", "target"),
    [
        ("resnet", "76.46", "0.99", "75.6954"),
        ("mobilenet", "71.68", "0.98", "70.2464"),
        ("ssd-small", "22", "0.99", "21.78"),
        ("ssd-large", "20", "0.99", "19.8"),
        ("gnmt", "23.9", "0.99", "23.661"),
    ],
)
def test_targets_of_v05(name: str, reference: str, share: str, target: str) -> None:
    assert Decimal(reference) * Decimal(share) == Decimal(target)
    benchmark = V05.benchmarks[name]
    assert benchmark.reference_value == float(reference)
    assert benchmark.target_value == float(target)


@pytest.mark.parametrize(("asked", "benchmark"), BENCHMARKS, ids=BY_NAME)
def test_targets_are_a_share_of_the_reference(asked: Round, benchmark: Benchmark) -> None:
    if benchmark.reference_value is None:
        assert benchmark.quality is None
        return
    assert benchmark.quality in (0.95, 0.98, 0.99, 0.999)
    assert benchmark.target_value == pytest.approx(benchmark.reference_value * benchmark.quality)
    if benchmark.name.endswith("-99.9"):
        assert benchmark.quality == 0.999


def test_token_counts_lie_ten_per_cent_around_the_references() -> None:
    ranges = [
        limit
        for benchmark in V61.benchmarks.values()
        for limit in benchmark.limits
        if limit.metric in ("tokens per sample", "generated length")
    ]
    assert len(ranges) == 5
    for limit in ranges:
        if limit.at_least is not None and limit.at_most is not None:
            assert limit.at_most / limit.at_least == pytest.approx(1.1 / 0.9)


def digits(value: Decimal) -> int:
    """Give the first 60 bits behind the point and what stands before it, cut off."""
    return int(value * 2**60)


def test_seeds_of_v05_are_the_digits_of_e_gamma_and_pi() -> None:
    getcontext().prec = 40
    e = sum(Fraction(1, math.factorial(n)) for n in range(40))
    assert V05.seeds.qsl == digits(Decimal(e.numerator) / Decimal(e.denominator))
    assert V05.seeds.sample_index == digits(Decimal("0.57721566490153286060651209008240243"))
    assert V05.seeds.schedule == digits(Decimal("3.14159265358979323846264338327950288"))
    seeds = {f"{name}_rng_seed": seed for name, seed in vars(V05.seeds).items()}
    assert seeds == V05_SEEDS


@pytest.mark.parametrize("asked", ROUNDS, ids=round_names())
def test_seeds_are_those_of_the_built_in_configuration(asked: Round) -> None:
    table = builtin_config(asked.era)
    for name, seed in vars(asked.seeds).items():
        assert table.find("*", "*", f"{name}_rng_seed") == str(seed)


@pytest.mark.parametrize(
    ("percentile", "exact", "rounded"),
    [
        (0.90, 23_886, 3 * 2**13),
        (0.95, 50_425, 7 * 2**13),
        (0.97, 85_811, 11 * 2**13),
        (0.99, 262_742, 33 * 2**13),
    ],
)
def test_query_counts_follow_the_formula(percentile: float, exact: int, rounded: int) -> None:
    z = norm.ppf(0.995)
    margin = (1 - percentile) / 20
    count = z**2 * percentile * (1 - percentile) / margin**2
    assert round(count) == exact
    for asked in ROUNDS:
        assert asked.query_counts.least(percentile) == exact
        assert asked.query_counts.rounded(percentile) == rounded


@given(st.floats(0.5, 0.9999))
def test_rounded_counts_are_the_next_multiple(percentile: float) -> None:
    counts = V05.query_counts
    least, rounded = counts.least(percentile), counts.rounded(percentile)
    assert rounded % 8192 == 0
    assert 0 <= rounded - least < 8192


@pytest.mark.parametrize("benchmark", V05.benchmarks.values(), ids=list(V05.benchmarks))
def test_bound_scenarios_of_v05_have_the_counts_of_their_percentile(benchmark: Benchmark) -> None:
    percentile = 0.97 if benchmark.task == "translation" else 0.99
    assert benchmark.server_percentile == percentile
    for scenario in (Scenario.SERVER, Scenario.MULTI_STREAM):
        assert benchmark.percentiles[scenario] == percentile
        assert benchmark.min_query_count[scenario] == V05.query_counts.rounded(percentile)
    assert benchmark.least_samples[Scenario.OFFLINE] == V05.query_counts.rounded(0.9)
    assert set(benchmark.min_duration_ms.values()) == {60_000}


def test_counts_of_v61_are_the_least_with_which_early_stopping_can_be_met() -> None:
    def total(percentile: float, slow: int) -> int:
        """Give the least number of queries of which so many may be slow, by definition."""
        n = slow
        while binom.cdf(slow, n, 1 - percentile) >= 0.01:
            n += 1
        return n

    rules = V61.scenario_rules
    # An estimate of the percentile discards at least one query; a bound needn't.
    assert rules[Scenario.SINGLE_STREAM].min_query_count == total(0.90, 1)
    assert rules[Scenario.MULTI_STREAM].min_query_count == total(0.99, 1)
    assert rules[Scenario.SERVER].min_query_count == total(0.99, 0)


@pytest.mark.parametrize("benchmark", V05.benchmarks.values(), ids=list(V05.benchmarks))
def test_v05_agrees_with_its_built_in_configuration(benchmark: Benchmark) -> None:
    model = benchmark.reference_name
    for scenario, rules in V05.scenario_rules.items():
        word = scenario.value
        number = {
            key: config_number(V05, model, word, key)
            for key in ("min_duration", "min_query_count", "target_latency_percentile")
        }
        assert number["min_duration"] == benchmark.min_duration_ms[scenario] == 60_000
        assert number["min_query_count"] == benchmark.min_query_count[scenario]
        assert number["target_latency_percentile"] / 100 == benchmark.percentiles[scenario]
        assert rules.runs == (5 if scenario is Scenario.SERVER else 1)
        loaded = config_number(V05, model, word, "performance_sample_count_override")
        assert loaded == benchmark.performance_sample_count
    bounds = {
        "Server": benchmark.server_latency_ms,
        "MultiStream": benchmark.multi_stream_interval_ms,
    }
    for word, bound_ms in bounds.items():
        assert config_number(V05, model, word, "target_latency") == bound_ms


@pytest.mark.parametrize("benchmark", V61.benchmarks.values(), ids=list(V61.benchmarks))
def test_v61_agrees_with_its_built_in_configuration(benchmark: Benchmark) -> None:
    model, table = benchmark.reference_name, builtin_config(V61.era)
    # The built-in configuration loads all prompts, the checker asks for 50; 0 is no override.
    loaded = table.find(model, "*", "performance_sample_count_override")
    if loaded is not None and int(loaded) and not model.startswith("wan"):
        assert int(loaded) == benchmark.performance_sample_count
    samples = table.find(model, "Offline", "min_query_count")
    if samples is not None and not model.startswith("wan"):
        assert int(samples) == benchmark.least_samples[Scenario.OFFLINE]
    rows = {path.rsplit(".", 1)[0] for path in table.values}
    if f"{model}.Server" in rows and benchmark.server_latency_ms is not None:
        bound_ms = config_number(V61, model, "Server", "target_latency")
        assert bound_ms == benchmark.server_latency_ms
    for scenario, bounds in benchmark.token_bounds.items():
        name = model if scenario == "Server" else f"{model}-interactive"
        assert config_number(V61, name, "Server", "ttft_latency") == bounds.first_token_ms
        assert config_number(V61, name, "Server", "tpot_latency") == bounds.per_token_ms


def test_the_other_settings_of_v61() -> None:
    for scenario, rules in V61.scenario_rules.items():
        assert rules.min_duration_ms == 600_000
        assert rules.runs == 1
        assert config_number(V61, "*", scenario.value, "min_duration") == 600_000
    assert V61.scenario_rules[Scenario.MULTI_STREAM].samples_per_query == 8
    required = V61.benchmarks["resnet"].required_for
    assert required("edge") == (("SingleStream",), ("MultiStream",), ("Offline",))
    assert required("edge,datacenter") == required("datacenter,edge")
    assert set(required("edge,datacenter")) - set(required("edge")) == {("Server",)}
    assert required("datacenter") == ()
    both = V61.benchmarks["3d-unet-99"].required_for("datacenter,edge")
    assert both == (("Offline",), ("SingleStream",))
