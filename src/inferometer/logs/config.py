"""Config files: ``mlperf.conf``, ``user.conf`` and ``audit.config``, read as published.

The published reader is lenient: unknown keys are ignored, a number may be cut off, and a
file with one bad line is dropped whole. All of that is kept here, because harnesses rely
on it. For settings files of our own, use `inferometer.logs.settings_file`.
"""

from __future__ import annotations

import errno
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from inferometer.loadgen.errors import SettingsError, nearest_name
from inferometer.loadgen.settings import Settings
from inferometer.loadgen.vocabulary import Era, Mode, Scenario

__all__ = [
    "AUDIT_MESSAGE",
    "ConfigTable",
    "apply_audit_file",
    "apply_config",
    "builtin_config",
    "config_changes",
    "ignored_keys",
    "parse_config",
    "read_config",
]

AUDIT_MESSAGE = (
    "Found Audit Config file (audit.config). Overriding TestSettings from audit.config file."
)
_BAD_MODE = "Invalid value passed to Mode key in config."
_WORD = 2**64
_INTEGER = re.compile(r"[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")
_REAL = re.compile(
    r"[ \t\n\v\f\r]*[+-]?(?:0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)(?:[pP][+-]?\d+)?"
    r"|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf(?:inity)?|nan(?:\([0-9A-Za-z_]*\))?)",
    re.IGNORECASE,
)
_MODES = (Mode.SUBMISSION, Mode.ACCURACY, Mode.PERFORMANCE, Mode.FIND_PEAK)


@dataclass
class ConfigTable:
    """The assignments of one config file.

    ``values`` maps ``model.scenario.key`` to the text assigned last. ``errors`` holds the
    published error messages; with any, nothing of the file is applied.
    """

    values: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    code: int = 0
    """What the published ``FromConfig`` returns: 0, -2 (ENOENT) or -22 (EINVAL)."""

    def find(self, model: str, scenario: str, key: str) -> str | None:
        """Look a key up, the scenario's wildcard model before the model's wildcard scenario."""
        for prefix in (f"{model}.{scenario}", f"*.{scenario}", f"{model}.*", "*.*"):
            text = self.values.get(f"{prefix}.{key}")
            if text is not None:
                return text
        return None


def read_config(path: Path | str) -> ConfigTable:
    """Read a config file. A file that can't be opened gives a table with that error."""
    try:
        text = Path(path).read_bytes().decode("utf-8", "replace")
    except OSError:
        return ConfigTable(errors=[f"can't open file {path}"], code=-errno.ENOENT)
    return parse_config(text)


def parse_config(text: str) -> ConfigTable:
    """Parse the text of a config file.

    A line is ``key = value``, split at blanks: a lone ``#`` begins a comment except
    behind a value, and ``k=v`` without blanks is a key without a value, silently ignored.
    """
    table = ConfigTable()
    for number, line in enumerate(text.split("\n"), start=1):
        error = _parse_line(line, table.values)
        if error:
            table.errors.append(f"{error}, line={number}")
    if table.errors:
        table.code = -errno.EINVAL
    return table


def _parse_line(line: str, values: dict[str, str]) -> str | None:
    """Take in one line; give what is wrong with it."""
    key, state = "", "key"
    for token in line.split():
        if state != "value" and token == "#":
            return None
        if state == "key":
            key, state = token, "equals"
        elif state == "equals":
            if token != "=":
                return "expected 'key=value'"
            state = "value"
        elif not _is_number(token):
            return "value needs to be integer or double"
        else:
            values[key] = token
    return None


def _is_number(token: str) -> bool:
    """Tell whether C's strtoul (base 0) or strtod consumes the whole token."""
    return any(
        (match := pattern.match(token)) is not None and match.end() == len(token)
        for pattern in (_INTEGER, _REAL)
    )


def to_integer(text: str) -> int:
    """Convert as C's strtoull (base 0) does: the leading integer, negatives wrapped."""
    match = _INTEGER.match(text)
    if match is None:
        return 0
    sign, digits = match.groups()
    is_octal = len(digits) > 1 and digits[0] == "0" and digits[1] not in "xX"
    number = min(int(digits, 8 if is_octal else 0), _WORD - 1)
    return (-number) % _WORD if sign == "-" else number


def to_real(text: str) -> float:
    """Convert as C's strtod does."""
    match = _REAL.match(text)
    if match is None:
        return 0.0
    token = match.group().strip()
    if token.lower().lstrip("+-").startswith("0x"):
        return float.fromhex(token)
    return float(re.sub(r"\(.*\)", "", token))


def builtin_config(era: Era) -> ConfigTable:
    """Give the ``mlperf.conf`` that belongs to an era."""
    name = "mlperf-v0.5.conf" if era.is_v05 else "mlperf-current.conf"
    text = resources.files("inferometer.logs").joinpath("conf", name).read_text("utf-8")
    return parse_config(text)


@dataclass(frozen=True)
class _Key:
    """How one key is converted and where it goes.

    ``scenario`` replaces the caller's for the look-up; ``seeds_only`` marks the keys that
    newer releases take from the built-in file alone.
    """

    name: str
    field: str
    convert: Callable[[str], Any]
    scenario: Scenario | None = None
    seeds_only: bool = False


def _times(factor: int) -> Callable[[str], int]:
    return lambda text: to_integer(text) * factor % _WORD


def _real_times(factor: float) -> Callable[[str], float]:
    return lambda text: to_real(text) * factor


def _is_set(text: str) -> bool:
    return to_integer(text) != 0


def _is_one(text: str) -> bool:
    return to_integer(text) == 1


def _as_int32(text: str) -> int:
    low = to_integer(text) % 2**32
    return low - 2**32 if low >= 2**31 else low


_PERCENT = _real_times(0.01)
_MS = _times(1_000_000)
_REAL_MS = _real_times(1e6)
_COUNT = _times(1)
_FLOAT = _real_times(1.0)
_SS, _MST, _SV, _OFF = (
    Scenario.SINGLE_STREAM,
    Scenario.MULTI_STREAM,
    Scenario.SERVER,
    Scenario.OFFLINE,
)

_CURRENT_KEYS: tuple[_Key, ...] = (
    _Key("qsl_rng_seed", "qsl_rng_seed", _COUNT, seeds_only=True),
    _Key("sample_index_rng_seed", "sample_index_rng_seed", _COUNT, seeds_only=True),
    _Key("schedule_rng_seed", "schedule_rng_seed", _COUNT, seeds_only=True),
    _Key("accuracy_log_probability", "accuracy_log_probability", _PERCENT, seeds_only=True),
    _Key("test05", "test05", _is_one, seeds_only=True),
    _Key("test05_qsl_rng_seed", "test05_qsl_rng_seed", _COUNT, seeds_only=True),
    _Key("test05_sample_index_rng_seed", "test05_sample_index_rng_seed", _COUNT, seeds_only=True),
    _Key("test05_schedule_rng_seed", "test05_schedule_rng_seed", _COUNT, seeds_only=True),
    _Key("use_token_latencies", "use_token_latencies", _is_one),
    _Key("ttft_latency", "ttft_latency_ns", _MS, _SV),
    _Key("tpot_latency", "tpot_latency_ns", _MS, _SV),
    _Key("infer_token_latencies", "infer_token_latencies", _is_one),
    _Key("token_latency_scaling_factor", "token_latency_scaling_factor", _COUNT),
    _Key("target_latency_percentile", "single_stream_target_latency_percentile", _PERCENT, _SS),
    _Key("target_latency_percentile", "multi_stream_target_latency_percentile", _PERCENT, _MST),
    _Key("target_latency_percentile", "server_target_latency_percentile", _PERCENT, _SV),
    _Key("samples_per_query", "multi_stream_samples_per_query", _COUNT, _MST),
    _Key("target_latency", "server_target_latency_ns", _MS, _SV),
    _Key("target_latency", "single_stream_expected_latency_ns", _REAL_MS, _SS),
    _Key("target_latency", "multi_stream_expected_latency_ns", _REAL_MS, _MST),
    _Key("performance_issue_unique", "performance_issue_unique", _is_set),
    _Key("performance_issue_same", "performance_issue_same", _is_set),
    _Key("performance_issue_same_index", "performance_issue_same_index", _COUNT),
    _Key("sample_concatenate_permutation", "sample_concatenate_permutation", _is_one),
    _Key("coalesce_queries", "server_coalesce_queries", _is_set, _SV),
    _Key("max_async_queries", "server_max_async_queries", _as_int32, _SV),
    _Key("min_duration", "min_duration_ms", _COUNT),
    _Key("max_duration", "max_duration_ms", _COUNT),
    _Key("min_query_count", "min_query_count", _COUNT),
    _Key("max_query_count", "max_query_count", _COUNT),
    _Key("performance_sample_count_override", "performance_sample_count_override", _COUNT),
    _Key("accuracy_sample_count_override", "accuracy_sample_count_override", _COUNT),
    _Key("target_qps", "server_target_qps", _FLOAT, _SV),
    _Key("target_qps", "offline_expected_qps", _FLOAT, _OFF),
    _Key("print_timestamps", "print_timestamps", _is_set),
    _Key("accuracy_log_rng_seed", "accuracy_log_rng_seed", _COUNT),
    _Key("accuracy_log_sampling_target", "accuracy_log_sampling_target", _COUNT),
)

_V05_KEYS: tuple[_Key, ...] = (
    _Key("min_duration", "min_duration_ms", _COUNT),
    _Key("max_duration", "max_duration_ms", _COUNT),
    _Key("min_query_count", "min_query_count", _COUNT),
    _Key("max_query_count", "max_query_count", _COUNT),
    _Key("qsl_rng_seed", "qsl_rng_seed", _COUNT),
    _Key("sample_index_rng_seed", "sample_index_rng_seed", _COUNT),
    _Key("schedule_rng_seed", "schedule_rng_seed", _COUNT),
    _Key("accuracy_log_rng_seed", "accuracy_log_rng_seed", _COUNT),
    _Key("accuracy_log_probability", "accuracy_log_probability", _PERCENT),
    _Key("print_timestamps", "print_timestamps", _is_set),
    _Key("performance_issue_unique", "performance_issue_unique", _is_set),
    _Key("performance_issue_same", "performance_issue_same", _is_set),
    _Key("performance_issue_same_index", "performance_issue_same_index", _COUNT),
    _Key("performance_sample_count_override", "performance_sample_count_override", _COUNT),
    _Key("target_latency_percentile", "single_stream_target_latency_percentile", _PERCENT, _SS),
    _Key("target_latency", "single_stream_expected_latency_ns", _MS, _SS),
    _Key("target_latency_percentile", "multi_stream_target_latency_percentile", _PERCENT, _MST),
    _Key("target_qps", "multi_stream_target_qps", _FLOAT, _MST),
    _Key("samples_per_query", "multi_stream_samples_per_query", _as_int32, _MST),
    _Key("max_async_queries", "multi_stream_max_async_queries", _as_int32, _MST),
    _Key("target_latency_percentile", "server_target_latency_percentile", _PERCENT, _SV),
    _Key("target_latency", "server_target_latency_ns", _MS, _SV),
    _Key("target_qps", "server_target_qps", _FLOAT, _SV),
    _Key("coalesce_queries", "server_coalesce_queries", _is_set, _SV),
    _Key("max_async_queries", "server_max_async_queries", _as_int32, _SV),
    _Key("target_qps", "offline_expected_qps", _FLOAT, _OFF),
)

_NEEDS_FLAG = {
    "ttft_latency_ns": "use_token_latencies",
    "tpot_latency_ns": "use_token_latencies",
    "token_latency_scaling_factor": "infer_token_latencies",
}


def apply_config(
    settings: Settings,
    table: ConfigTable,
    model: str,
    scenario: str,
    *,
    takes_seeds: bool | None = None,
) -> tuple[Settings, list[str]]:
    """Apply a table to settings; also give the published error messages.

    ``scenario`` is the name used for look-ups, such as ``"Server"``. ``takes_seeds`` says
    whether seeds, log probability and test05 are taken from this table; by default as
    the era does: v0.5 from every file, newer releases from the built-in one only.

    Raises `SettingsError` where a value is impossible, naming the key.
    """
    changes, errors = config_changes(
        settings.era,
        table,
        model,
        scenario,
        flags=lambda name: bool(getattr(settings, name)),
        takes_seeds=takes_seeds,
    )
    return settings.replace(**changes), errors


def config_changes(
    era: Era,
    table: ConfigTable,
    model: str,
    scenario: str,
    *,
    flags: Callable[[str], bool],
    takes_seeds: bool | None = None,
) -> tuple[dict[str, Any], list[str]]:
    """Give the settings that a table sets, by name; otherwise like `apply_config`.

    ``flags`` tells whether a flag is set that the table doesn't mention: token bounds are
    only read where token latencies are in use.
    """
    if table.errors:
        return {}, list(table.errors)
    changes: dict[str, Any] = {}
    errors: list[str] = []
    is_v05 = era.is_v05
    takes_seeds = is_v05 if takes_seeds is None else takes_seeds
    mode = table.find(model, scenario, "mode")
    if mode is not None:
        number = to_integer(mode)
        if number < len(_MODES):
            changes["mode"] = _MODES[number]
        else:
            errors.append(_BAD_MODE)
    for key in _V05_KEYS if is_v05 else _CURRENT_KEYS:
        if key.seeds_only and not takes_seeds:
            continue
        flag = _NEEDS_FLAG.get(key.field)
        if flag is not None and not changes.get(flag, flags(flag)):
            continue
        text = table.find(model, key.scenario.value if key.scenario else scenario, key.name)
        if text is not None:
            changes[key.field] = _checked(key, text)
    return changes, errors


def ignored_keys(table: ConfigTable, era: Era, *, takes_seeds: bool | None = None) -> list[str]:
    """Say which assignments of a file have no effect in an era, and what was meant.

    The published reader passes over them in silence.
    """
    keys = _V05_KEYS if era.is_v05 else _CURRENT_KEYS
    takes_seeds = era.is_v05 if takes_seeds is None else takes_seeds
    names = {"mode", *(key.name for key in keys)}
    locked = {key.name for key in keys if key.seeds_only and not takes_seeds}
    said = []
    for path in table.values:
        name = path.rsplit(".", 1)[-1]
        if name not in names:
            said.append(f"{path} is not a known key{nearest_name(name, names)}")
        elif name in locked:
            said.append(f"{path} has no effect: seeds come from the built-in file alone")
        elif path.count(".") < 2:
            said.append(f"{path} has no effect; write model.scenario.{name}, or *.*.{name}")
    return said


def _checked(key: _Key, text: str) -> Any:
    value = key.convert(text)
    if isinstance(value, float) and not math.isfinite(value):
        raise SettingsError(f"config key {key.name} is {text}; it takes a finite number")
    return value


def apply_audit_file(
    settings: Settings, path: Path = Path("audit.config")
) -> tuple[Settings, Sequence[str]]:
    """Apply an ``audit.config`` if the file is there; give what was said about it.

    The audit file overrides everything, mode included. In newer releases it cannot set
    seeds or the log probability. A file with a bad line raises `SettingsError`.
    """
    if not path.is_file():
        return settings, []
    table = read_config(path)
    scenario = settings.scenario.value
    changed, errors = apply_config(settings, table, "*", scenario)
    if errors:
        raise SettingsError(f"{path}: {'; '.join(errors)}")
    return changed, [AUDIT_MESSAGE]
