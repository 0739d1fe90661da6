"""Settings: defaults, eras, validation and the messages of errors."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from inferometer.loadgen import Era, Mode, Scenario, Settings, SettingsError


def test_defaults_are_the_published_ones() -> None:
    settings = Settings()
    assert settings.single_stream_expected_latency_ns == 1e6
    assert settings.server_target_latency_ns == 100_000_000
    assert settings.min_duration_ms == 10_000
    assert settings.min_query_count == 100
    assert settings.multi_stream_samples_per_query == 8
    assert settings.multi_stream_target_latency_percentile == 0.99


def test_defaults_that_differ_follow_the_era() -> None:
    settings = Settings(era=Era.V05)
    assert settings.multi_stream_samples_per_query == 4
    assert settings.multi_stream_target_latency_percentile == 0.9


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"server_target_qps": 0}, "server_target_qps is 0; it takes a finite number above 0"),
        ({"server_target_qps": -5}, "above 0"),
        ({"server_target_qps": float("inf")}, "finite"),
        ({"server_target_qps": "many"}, "takes a number"),
        ({"min_query_count": 0}, "from 1 to"),
        ({"min_query_count": 2.5}, "whole number"),
        ({"min_query_count": True}, "whole number"),
        ({"qsl_rng_seed": 2**64}, "qsl_rng_seed"),
        ({"qsl_rng_seed": -1}, "qsl_rng_seed"),
        ({"server_target_latency_percentile": 1.0}, "0.99 for the 99th"),
        ({"server_target_latency_percentile": 99}, "fraction"),
        ({"accuracy_log_probability": 1.5}, "from 0 to 1"),
        ({"server_coalesce_queries": 1}, "true or false"),
        ({"scenario": "Srver"}, "did you mean 'Server'"),
        ({"scenario": 3}, "one of SingleStream"),
        ({"scenario": Scenario.MULTI_STREAM_FREE}, "removed in LoadGen 2.0"),
        ({"era": Era.V05, "use_token_latencies": True}, "v0.5 has no such setting"),
        ({"era": Era.V05, "sample_concatenate_permutation": True}, "v0.5 has no such setting"),
        ({"outstanding_limit_s": -1}, "from 0"),
        ({"outstanding_limit_s": float("nan")}, "from 0"),
    ],
)
def test_impossible_values_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message.replace("(", r"\(")):
        Settings(**changes)


def test_unknown_names_suggest_the_nearest() -> None:
    with pytest.raises(SettingsError, match="did you mean 'server_target_qps'"):
        Settings.from_mapping({"server_target_gps": 5})
    with pytest.raises(SettingsError, match=r"unknown setting 'nonsense'$"):
        Settings().replace(nonsense=1)


def test_words_and_numpy_numbers_are_taken() -> None:
    settings = Settings.from_mapping(
        {"scenario": "Server", "mode": "AccuracyOnly", "min_query_count": np.int64(7)}
    )
    assert settings.scenario is Scenario.SERVER
    assert settings.mode is Mode.ACCURACY
    assert settings.min_query_count == 7
    assert type(settings.min_query_count) is int


def test_mapping_round_trips() -> None:
    settings = Settings(scenario=Scenario.OFFLINE, era=Era.V05, offline_expected_qps=12.5)
    assert Settings.from_mapping(settings.to_mapping()) == settings


def test_settings_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().min_query_count = 5  # type: ignore[misc]


def test_every_field_says_what_it_is() -> None:
    for field in dataclasses.fields(Settings):
        assert field.metadata["doc"], field.name
