"""Config files: the published grammar, look-up and key tables, and their oddities."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.loadgen import Era, Mode, Scenario, Settings, SettingsError
from inferometer.logs import (
    AUDIT_MESSAGE,
    apply_audit_file,
    apply_config,
    builtin_config,
    ignored_keys,
    parse_config,
    read_config,
)
from inferometer.logs.config import to_integer, to_real
from tests.support import shared_data


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("*.*.k = 5", {"*.*.k": "5"}),
        ("# a comment", {}),
        ("*.*.k = 1 2", {"*.*.k": "2"}),
        ("k=v", {}),
        ("k =", {}),
        ("k", {}),
        ("k # = 5", {}),
        ("   \t ", {}),
        ("*.*.k = 0x64", {"*.*.k": "0x64"}),
        ("*.*.k = 1\n*.*.k = 2", {"*.*.k": "2"}),
        ("*.*.k = inf", {"*.*.k": "inf"}),
        ("*.*.k = -1.5e3", {"*.*.k": "-1.5e3"}),
    ],
)
def test_grammar(text: str, values: dict[str, str]) -> None:
    table = parse_config(text)
    assert (table.values, table.errors, table.code) == (values, [], 0)


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("#text here", ["expected 'key=value', line=1"]),
        ("a b c", ["expected 'key=value', line=1"]),
        ("\nk = 1 # comment", ["value needs to be integer or double, line=2"]),
        ("k = five", ["value needs to be integer or double, line=1"]),
        ("k = 5x\nk = 6", ["value needs to be integer or double, line=1"]),
        ("k = 08", []),
    ],
)
def test_errors(text: str, errors: list[str]) -> None:
    table = parse_config(text)
    assert table.errors == errors
    assert table.code == (-errno.EINVAL if errors else 0)


def test_a_file_with_an_error_is_dropped_whole() -> None:
    table = parse_config("*.*.min_query_count = 7\n*.*.min_duration = x")
    settings, errors = apply_config(Settings(), table, "m", "SingleStream")
    assert settings == Settings()
    assert errors == ["value needs to be integer or double, line=2"]


def test_a_missing_file(tmp_path: Path) -> None:
    table = read_config(tmp_path / "none.conf")
    assert table.code == -errno.ENOENT
    assert table.errors == [f"can't open file {tmp_path / 'none.conf'}"]


@pytest.mark.parametrize(
    ("text", "integer", "real"),
    [
        ("2.9", 2, 2.9),
        ("1e3", 1, 1000.0),
        ("-1", 2**64 - 1, -1.0),
        ("0x64", 100, 100.0),
        ("010", 8, 10.0),
        ("99999999999999999999999", 2**64 - 1, 1e23),
        ("inf", 0, float("inf")),
        ("+5", 5, 5.0),
        ("0x1.8p1", 1, 3.0),
    ],
)
def test_numbers_convert_as_in_c(text: str, integer: int, real: float) -> None:
    assert to_integer(text) == integer
    assert to_real(text) == real


@given(st.integers(0, 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False))
def test_plain_numbers_convert_as_in_python(integer: int, real: float) -> None:
    assert to_integer(str(integer)) == integer
    assert to_integer(hex(integer)) == integer
    assert to_real(repr(real)) == real


def test_look_up_prefers_the_scenario_to_the_model() -> None:
    key = "min_query_count"
    lines = {
        f"m.Server.{key}": 1,
        f"*.Server.{key}": 2,
        f"m.*.{key}": 3,
        f"*.*.{key}": 4,
    }
    left = dict(lines)
    for expected in (1, 2, 3, 4):
        table = parse_config("\n".join(f"{name} = {value}" for name, value in left.items()))
        assert table.find("m", "Server", key) == str(expected)
        left.pop(next(iter(left)))


@pytest.mark.parametrize(
    ("era", "line", "field", "value"),
    [
        (Era.CURRENT, "*.Server.target_latency = 15", "server_target_latency_ns", 15_000_000),
        (Era.CURRENT, "*.SingleStream.target_latency = 0.5", "single_stream_expected_latency_ns", 5e5),
        (Era.V05, "*.SingleStream.target_latency = 2.9", "single_stream_expected_latency_ns", 2e6),
        (Era.CURRENT, "*.Server.target_latency_percentile = 97", "server_target_latency_percentile", 0.97),
        (Era.CURRENT, "*.Server.max_async_queries = 4294967297", "server_max_async_queries", 1),
        (Era.CURRENT, "*.*.sample_concatenate_permutation = 2", "sample_concatenate_permutation", False),
        (Era.CURRENT, "*.*.performance_issue_unique = 2", "performance_issue_unique", True),
        (Era.CURRENT, "*.Offline.target_qps = 77.5", "offline_expected_qps", 77.5),
        (Era.V05, "*.MultiStream.target_qps = 15", "multi_stream_target_qps", 15.0),
        (Era.V05, "*.MultiStream.samples_per_query = 3", "multi_stream_samples_per_query", 3),
        (Era.V05, "*.*.qsl_rng_seed = 5", "qsl_rng_seed", 5),
        (Era.CURRENT, "*.*.qsl_rng_seed = 5", "qsl_rng_seed", 0),
        (Era.CURRENT, "*.*.accuracy_log_probability = 10", "accuracy_log_probability", 0.0),
        (Era.V05, "*.*.accuracy_log_probability = 10", "accuracy_log_probability", 0.1),
        (Era.CURRENT, "*.Server.ttft_latency = 450", "ttft_latency_ns", 100_000_000),
        (Era.CURRENT, "*.*.use_token_latencies = 1\n*.Server.ttft_latency = 450", "ttft_latency_ns", 450_000_000),
        (Era.CURRENT, "*.Server.target_duration = 9", "min_duration_ms", 10_000),
    ],
)  # fmt: skip
def test_keys(era: Era, line: str, field: str, value: Any) -> None:
    settings, errors = apply_config(Settings(era=era), parse_config(line), "model", "Server")
    assert errors == []
    assert getattr(settings, field) == value


def test_mode_key() -> None:
    settings, errors = apply_config(Settings(), parse_config("*.*.mode = 1"), "m", "Offline")
    assert (settings.mode, errors) == (Mode.ACCURACY, [])
    settings, errors = apply_config(Settings(), parse_config("*.*.mode = 7"), "m", "Offline")
    assert settings.mode is Mode.PERFORMANCE
    assert errors == ["Invalid value passed to Mode key in config."]


def test_impossible_values_name_the_setting() -> None:
    with pytest.raises(SettingsError, match="server_target_qps"):
        apply_config(Settings(), parse_config("*.Server.target_qps = 0"), "m", "Server")
    with pytest.raises(SettingsError, match="target_qps is nan"):
        apply_config(Settings(), parse_config("*.Server.target_qps = nan"), "m", "Server")


@pytest.mark.parametrize(
    ("model", "scenario", "expected"),
    [
        ("resnet50", Scenario.SERVER, {"server_target_latency_ns": 15_000_000, "min_duration_ms": 60_000, "min_query_count": 270_336}),
        ("gnmt", Scenario.MULTI_STREAM, {"multi_stream_target_qps": 10.0, "min_query_count": 90_112, "multi_stream_target_latency_percentile": 0.97}),
        ("ssd-resnet34", Scenario.OFFLINE, {"performance_sample_count_override": 64, "min_query_count": 1}),
        ("mobilenet", Scenario.SINGLE_STREAM, {"min_query_count": 1024, "qsl_rng_seed": 3133965575612453542}),
    ],
)  # fmt: skip
def test_the_v05_file(model: str, scenario: Scenario, expected: dict[str, Any]) -> None:
    settings, errors = apply_config(
        Settings(era=Era.V05, scenario=scenario), builtin_config(Era.V05), model, scenario.value
    )
    assert errors == []
    assert {name: getattr(settings, name) for name in expected} == expected


def test_the_current_file_equals_that_of_the_wheel() -> None:
    wheel = pytest.importorskip("mlperf_loadgen", reason="mlcommons-loadgen isn't installed")
    table = builtin_config(Era.CURRENT)
    models = {path.rsplit(".", 2)[0] for path in table.values}
    skipped = ("scenario", "mode", "era", "token_latency_scaling_factor")
    renamed = {"ttft_latency_ns": "ttft_latency", "tpot_latency_ns": "tpot_latency"}
    for model in sorted(models):
        for scenario in ("SingleStream", "MultiStream", "Server", "Offline"):
            theirs = wheel.TestSettings()
            theirs.FromConfig("", model, scenario, 0)
            ours, errors = apply_config(Settings(), table, model, scenario, takes_seeds=True)
            assert errors == []
            for name, value in ours.to_mapping().items():
                attribute = renamed.get(name, name)
                if name not in skipped and hasattr(type(theirs), attribute):
                    try:
                        found = getattr(theirs, attribute)
                    except AttributeError:
                        continue
                    assert found == value, (model, scenario, name)


def test_audit_files(tmp_path: Path) -> None:
    path = tmp_path / "audit.config"
    assert apply_audit_file(Settings(), path) == (Settings(), [])
    path.write_text("*.*.mode = 2\n*.Server.performance_issue_unique = 1\n*.*.qsl_rng_seed = 9\n")
    asked = Settings(scenario=Scenario.SERVER, mode=Mode.ACCURACY)
    settings, said = apply_audit_file(asked, path)
    assert said == [AUDIT_MESSAGE]
    assert settings.mode is Mode.PERFORMANCE
    assert settings.performance_issue_unique
    assert settings.qsl_rng_seed == 0, "newer releases lock the seeds"
    path.write_text("nonsense here now\n")
    with pytest.raises(SettingsError, match=r"audit\.config: expected"):
        apply_audit_file(asked, path)


def test_published_audit_files_parse() -> None:
    for path in sorted(shared_data("loadgen-logs", "audit_configs").glob("*.config")):
        assert read_config(path).errors == []


def test_assignments_without_effect_are_pointed_out() -> None:
    table = parse_config(
        "*.Server.target_gps = 5\n*.*.qsl_rng_seed = 3\nmin_duration = 5\n*.*.min_duration = 1"
    )
    assert ignored_keys(table, Era.CURRENT) == [
        "*.Server.target_gps is not a known key; did you mean 'target_qps'?",
        "*.*.qsl_rng_seed has no effect: seeds come from the built-in file alone",
        "min_duration has no effect; write model.scenario.min_duration, or *.*.min_duration",
    ]
    assert ignored_keys(parse_config("*.*.qsl_rng_seed = 3"), Era.V05) == []
