"""FromConfig: config files applied to settings objects, with the published memory."""

from __future__ import annotations

import threading
from typing import Any

from inferometer.loadgen import Era, Message, Mode
from inferometer.logs import ConfigTable, builtin_config, config_changes, read_config
from inferometer.mlperf_loadgen.words import TestMode

__all__ = ["from_config", "from_config_v05", "take_queued_messages"]

_MULTIPLE = "Multiple conf files are used. This is not valid for official submission."
_RENAMED = {"ttft_latency_ns": "ttft_latency", "tpot_latency_ns": "tpot_latency"}
_BUILT_IN, _USER = 0, 1
_U64 = 2**64

_lock = threading.Lock()
_queued: list[Message] = []
_has_user_conf = False


def from_config(settings: Any, path: str, model: str, scenario: str, conf_type: int) -> int:
    """Apply a config file in the current era."""
    global _has_user_conf  # noqa: PLW0603 - the published binding has this one memory too
    if not isinstance(conf_type, int):
        raise TypeError(f"conf_type takes a whole number, not {conf_type!r}")
    code = 0
    if conf_type in (_BUILT_IN, _USER):
        with _lock:
            takes_built_in = conf_type == _BUILT_IN or not _has_user_conf
            _has_user_conf = _has_user_conf or conf_type == _USER
        if takes_built_in:
            table = builtin_config(Era.CURRENT)
            code = _apply(settings, table, model, scenario, Era.CURRENT, takes_seeds=True)
        else:
            _queue(_MULTIPLE)
    if conf_type != _BUILT_IN:
        table = read_config(path)
        code = _apply(settings, table, model, scenario, Era.CURRENT, takes_seeds=False)
    return code


def from_config_v05(settings: Any, path: str, model: str, scenario: str) -> int:
    """Apply a config file in v0.5, where every key works from every file."""
    return _apply(settings, read_config(path), model, scenario, Era.V05, takes_seeds=True)


def _apply(
    settings: Any, table: ConfigTable, model: str, scenario: str, era: Era, *, takes_seeds: bool
) -> int:
    changes, errors = config_changes(
        era,
        table,
        model,
        scenario,
        flags=lambda name: bool(getattr(settings, name, False)),
        takes_seeds=takes_seeds,
    )
    for error in errors:
        _queue(error)
    for name, value in changes.items():
        if isinstance(value, Mode):
            setattr(settings, name, TestMode[value.value])
        else:
            # A signed number in an unsigned field wraps round, as in the published one.
            is_wrapped = name == "server_max_async_queries"
            setattr(settings, _RENAMED.get(name, name), value % _U64 if is_wrapped else value)
    return table.code


def _queue(text: str) -> None:
    with _lock:
        _queued.append(Message("invalid_config", text))


def take_queued_messages() -> list[Message]:
    """Give what was said before the test, for the first lines of its log."""
    with _lock:
        taken = list(_queued)
        _queued.clear()
    return taken
