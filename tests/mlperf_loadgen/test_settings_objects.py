"""Settings of the published API: what their attributes take, and what they are to begin with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.mlperf_loadgen.api import SETTINGS_CLASSES, public
from tests.mlperf_loadgen.harness import OURS, OURS_V05

NUMBERS: list[Any] = [0, 1, 5, -1, 2**31 - 1, 2**31, 2**32, 2**53 + 1, 2**63, 2**64 - 1, 2**64]


REALS: list[Any] = [1.0, 2.5, -0.5, 1e300, float("nan"), float("inf")]


OTHERS: list[Any] = [True, False, None, "", "1", "x", [], [1], (), {}, {1}, object(), int, 1 + 2j]


NUMPY: list[Any] = [
    np.int64(3),
    np.uint64(2**64 - 1),
    np.int8(-2),
    np.uint8(7),
    np.float64(2.5),
    np.array(3),
]


VALUES = [*NUMBERS, *REALS, *OTHERS, *NUMPY]


def attempt(owner: Any, name: str, value: Any) -> Any:
    """Set an attribute of a new object; give its value and type, or the error's name."""
    settings = owner()
    try:
        setattr(settings, name, value)
    except (TypeError, OverflowError, ValueError) as error:
        return type(error).__name__
    kept = getattr(settings, name)
    return type(kept).__name__, repr(kept)


@pytest.mark.parametrize("kind", SETTINGS_CLASSES)
def test_attributes_take_what_those_of_the_wheel_take(kind: str, wheel: Any) -> None:
    ours, theirs = getattr(OURS, kind), getattr(wheel, kind)
    names = [name for name in public(theirs()) if name not in ("FromConfig", "log_output")]
    differences = [
        (name, value, mine, yours)
        for name in names
        for value in VALUES
        if (mine := attempt(ours, name, value)) != (yours := attempt(theirs, name, value))
    ]
    assert differences == []


@pytest.mark.parametrize("kind", SETTINGS_CLASSES)
def test_defaults_are_those_of_the_wheel(kind: str, wheel: Any) -> None:
    ours, theirs = getattr(OURS, kind)(), getattr(wheel, kind)()
    for name in public(theirs):
        if name not in ("FromConfig", "log_output"):
            assert repr(getattr(ours, name)) == repr(getattr(theirs, name)), name


ERROR = "TypeError"


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("min_query_count", 5, 5),
        ("min_query_count", True, 1),
        ("min_query_count", np.int32(7), 7),
        ("min_query_count", 2**64 - 1, 2**64 - 1),
        ("min_query_count", 2**64, ERROR),
        ("min_query_count", -1, ERROR),
        ("min_query_count", 1.0, ERROR),
        ("min_query_count", "1", ERROR),
        ("min_query_count", None, ERROR),
        ("server_find_peak_qps_decimals_of_precision", -3, -3),
        ("server_find_peak_qps_decimals_of_precision", 2**31, ERROR),
        ("server_target_qps", 5, 5.0),
        ("server_target_qps", True, 1.0),
        ("server_target_qps", np.float32(2.5), 2.5),
        ("server_target_qps", -5, -5.0),
        ("server_target_qps", "5", ERROR),
        ("server_target_qps", None, ERROR),
        ("test05", 7, True),
        ("test05", 0, False),
        ("test05", None, False),
        ("test05", "yes", ERROR),
        ("test05", [], ERROR),
        ("scenario", OURS.TestScenario.Offline, OURS.TestScenario.Offline),
        ("scenario", 2, ERROR),
        ("scenario", "Offline", ERROR),
        ("scenario", OURS.TestMode.AccuracyOnly, ERROR),
        ("mode", OURS.TestMode.AccuracyOnly, OURS.TestMode.AccuracyOnly),
        ("mode", 1, ERROR),
    ],
)
def test_what_attributes_take(name: str, value: Any, kept: Any) -> None:
    settings = OURS.TestSettings()
    if kept == ERROR:
        before = getattr(settings, name)
        with pytest.raises(TypeError, match=f"TestSettings.{name} takes"):
            setattr(settings, name, value)
        assert getattr(settings, name) == before
        return
    setattr(settings, name, value)
    found = getattr(settings, name)
    assert found == kept
    assert type(found) is type(kept)


@pytest.mark.parametrize("lg", [OURS, OURS_V05], ids=["current", "v0.5"])
@pytest.mark.parametrize("kind", [*SETTINGS_CLASSES, "QuerySample", "QuerySampleResponse"])
def test_objects_share_no_values(kind: str, lg: Any) -> None:
    one, other = getattr(lg, kind)(), getattr(lg, kind)()
    for name in public(one):
        if isinstance(before := getattr(other, name), int) and not isinstance(before, bool):
            setattr(one, name, before + 1)
            assert getattr(other, name) == before


@pytest.mark.parametrize("lg", [OURS, OURS_V05], ids=["current", "v0.5"])
@pytest.mark.parametrize("kind", [*SETTINGS_CLASSES, "QuerySample", "QuerySampleResponse"])
def test_there_are_no_other_attributes(kind: str, lg: Any) -> None:
    thing = getattr(lg, kind)()
    with pytest.raises(AttributeError):
        thing.target_latency_of_nothing = 1
    with pytest.raises(AttributeError):
        _ = thing.target_latency_of_nothing


def test_settings_of_v05() -> None:
    settings = OURS_V05.TestSettings()
    expected = {
        "single_stream_expected_latency_ns": 1_000_000,
        "multi_stream_target_qps": 10.0,
        "multi_stream_target_latency_ns": 100_000_000,
        "multi_stream_target_latency_percentile": 0.9,
        "multi_stream_samples_per_query": 4,
        "multi_stream_max_async_queries": 1,
        "min_query_count": 100,
        "min_duration_ms": 10_000,
    }
    assert {name: getattr(settings, name) for name in expected} == expected
    assert settings.scenario is OURS_V05.TestScenario.SingleStream
    with pytest.raises(TypeError):
        settings.scenario = OURS.TestScenario.Offline
    for name in ("sample_concatenate_permutation", "use_token_latencies", "test05"):
        assert not hasattr(settings, name)


def test_log_output_is_given_by_reference() -> None:
    logs = OURS.LogSettings()
    output = logs.log_output
    output.outdir = "there"
    assert logs.log_output.outdir == "there"
    assert OURS.LogSettings().log_output.outdir == "."
    other = OURS.LogOutputSettings()
    other.prefix = "run_"
    logs.log_output = other
    assert logs.log_output.prefix == "run_"
    assert logs.log_output.outdir == "."
    assert logs.enable_trace is True


def test_log_output_is_copied_and_typed() -> None:
    logs, other = OURS.LogSettings(), OURS.LogOutputSettings()
    logs.log_output = other
    other.outdir = "later"
    assert logs.log_output.outdir == "."
    with pytest.raises(TypeError):
        logs.log_output = 5


def test_float_fields_and_huge_integers() -> None:
    with pytest.raises(TypeError):
        OURS.TestSettings().server_target_qps = 10**400
