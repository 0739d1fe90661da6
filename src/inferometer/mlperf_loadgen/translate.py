"""Translate: settings of the published binding into our own."""

from __future__ import annotations

from typing import Any

from inferometer.loadgen import Era, Message, Mode, Scenario, Settings
from inferometer.logs import LogSettings
from inferometer.mlperf_loadgen.test_settings import fields_of

__all__ = ["log_settings_of", "settings_of"]

_RENAMED = {"ttft_latency": "ttft_latency_ns", "tpot_latency": "tpot_latency_ns"}
_PREFIXES = {
    Scenario.SINGLE_STREAM: "single_stream_",
    Scenario.MULTI_STREAM: "multi_stream_",
    Scenario.MULTI_STREAM_FREE: "multi_stream_",
    Scenario.SERVER: "server_",
    Scenario.OFFLINE: "offline_",
}
_RATES = ("server_target_qps", "offline_expected_qps")


def settings_of(
    given: Any, era: Era, outstanding_limit_s: float
) -> tuple[Settings, list[Message], dict[str, Any]]:
    """Give settings that ask for the same test, and what has to be said about it.

    Values that `Settings` doesn't take are replaced as the published LoadGen replaces
    them; the last of the three holds what they were.

    Fields of other scenarios stay at their defaults, whatever they hold. Raises
    `SettingsError` for what would crash or hang the published LoadGen.
    """
    scenario = Scenario(given.scenario.name)
    values: dict[str, Any] = {
        _RENAMED.get(name, name): value
        for name, value in fields_of(given).items()
        if name not in ("scenario", "mode") and _is_used(name, scenario)
    }
    before = dict(values)
    messages = _mend(values, given)
    requested = {name: value for name, value in before.items() if values[name] != value}
    settings = Settings(
        scenario=scenario,
        mode=Mode(given.mode.name),
        era=era,
        outstanding_limit_s=outstanding_limit_s,
        **values,
    )
    return settings, messages, requested


def _is_used(name: str, scenario: Scenario) -> bool:
    return all(
        not name.startswith(prefix) or prefix == _PREFIXES[scenario]
        for prefix in _PREFIXES.values()
    )


def _mend(values: dict[str, Any], given: Any) -> list[Message]:
    """Replace what the published LoadGen replaces or runs with; say so as it does."""
    said = []
    for name in _RATES:
        if values.get(name, 0.0) < 0:
            said.append(f"Invalid value for {name} requested. requested: {values[name]:g} using: 1")
            values[name] = 1.0
    # More than all responses can't be logged.
    values["accuracy_log_probability"] = min(values["accuracy_log_probability"], 1.0)
    if not values["min_query_count"] and given.mode.name == "AccuracyOnly":
        # Accuracy mode issues every sample, whatever the least number is.
        values["min_query_count"] = 1
    return [Message("invalid_settings", text) for text in said]


def log_settings_of(given: Any) -> LogSettings:
    """Give the names and switches of the log files."""
    output = given.log_output
    return LogSettings(
        prefix=output.prefix,
        suffix=output.suffix,
        prefix_with_datetime=output.prefix_with_datetime,
        copy_detail_to_stdout=output.copy_detail_to_stdout,
        copy_summary_to_stdout=output.copy_summary_to_stdout,
        enable_trace=given.enable_trace,
    )
