"""User configuration: the ``user.conf`` that gives the settings a test really had."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from inferometer.loadgen import Scenario
from inferometer.rounds import Round
from inferometer.submission.building.candidate import Candidate

__all__ = ["user_conf"]

_MS = 1e6
_PERCENT = 0.01


@dataclass(frozen=True)
class _Key:
    """A key of the published format with the setting that it stands for.

    unit:
        What one of the key's units is in the setting's.
    is_whole:
        Whether the published reader cuts it off to a whole number.
    """

    name: str
    setting: str
    unit: float = 1.0
    is_whole: bool = True


_SINGLE_STREAM = (
    _Key("target_latency", "single_stream_expected_latency_ns", _MS, is_whole=False),
    _Key("target_latency_percentile", "single_stream_target_latency_percentile", _PERCENT, False),
)
_SINGLE_STREAM_V05 = (
    _Key("target_latency", "single_stream_expected_latency_ns", _MS),
    *_SINGLE_STREAM[1:],
)
_MULTI_STREAM = (
    _Key("target_latency", "multi_stream_expected_latency_ns", _MS, is_whole=False),
    _Key("samples_per_query", "multi_stream_samples_per_query"),
    _Key("target_latency_percentile", "multi_stream_target_latency_percentile", _PERCENT, False),
)
_MULTI_STREAM_V05 = (
    _Key("samples_per_query", "multi_stream_samples_per_query"),
    _Key("target_qps", "multi_stream_target_qps", is_whole=False),
    _Key("max_async_queries", "multi_stream_max_async_queries"),
    _Key("target_latency_percentile", "multi_stream_target_latency_percentile", _PERCENT, False),
)
_SERVER = (
    _Key("target_qps", "server_target_qps", is_whole=False),
    _Key("target_latency", "server_target_latency_ns", _MS),
    _Key("target_latency_percentile", "server_target_latency_percentile", _PERCENT, False),
    _Key("coalesce_queries", "server_coalesce_queries"),
    _Key("max_async_queries", "server_max_async_queries"),
)
_OFFLINE = (_Key("target_qps", "offline_expected_qps", is_whole=False),)
_COMMON = (
    _Key("min_duration", "min_duration_ms"),
    _Key("max_duration", "max_duration_ms"),
    _Key("min_query_count", "min_query_count"),
    _Key("max_query_count", "max_query_count"),
    _Key("performance_sample_count_override", "performance_sample_count_override"),
    _Key("print_timestamps", "print_timestamps"),
)


def user_conf(candidate: Candidate, book: Round) -> str:
    """Give the text of a ``user.conf``: the first key of the scenario, and all that differ.

    Read after the round's own file it gives the settings of the performance run. What the
    format can't say exactly stands in a comment.
    """
    scenario = candidate.scenario
    prescribed = book.settings(scenario, candidate.settings_name)
    had = candidate.performance[0].result.recording.settings
    lines = [f"# What the {scenario.value} runs were asked for, beside the round's own settings."]
    own = _keys(scenario, is_v05=book.era.is_v05)
    for key in (*own, *_COMMON):
        value = getattr(had, key.setting)
        if key is own[0] or value != getattr(prescribed, key.setting):
            lines.extend(_lines(key, scenario, value))
    return "".join(f"{line}\n" for line in lines)


def _keys(scenario: Scenario, *, is_v05: bool) -> tuple[_Key, ...]:
    match scenario:
        case Scenario.SINGLE_STREAM:
            return _SINGLE_STREAM_V05 if is_v05 else _SINGLE_STREAM
        case Scenario.SERVER:
            return _SERVER
        case Scenario.OFFLINE:
            return _OFFLINE
        case _:
            return _MULTI_STREAM_V05 if is_v05 else _MULTI_STREAM


def _lines(key: _Key, scenario: Scenario, value: float) -> Iterator[str]:
    amount = float(value) / key.unit
    name = f"*.{scenario.value}.{key.name}"
    if key.is_whole and amount != int(amount):
        yield f"# {name} was {amount:.12g}, and this key takes whole numbers only"
    elif amount == int(amount):
        yield f"{name} = {int(amount)}"
    else:
        yield f"{name} = {amount:.12g}"
