"""API: the published binding's functions and classes, of either era, as a module."""

from __future__ import annotations

import types
from typing import Any

from inferometer.mlperf_loadgen import runtime
from inferometer.mlperf_loadgen.log_settings import LogOutputSettings, LogSettings
from inferometer.mlperf_loadgen.samples import (
    QuerySample,
    QuerySampleResponse,
    VectorQuerySample,
    VectorQuerySampleResponse,
)
from inferometer.mlperf_loadgen.test_settings import TestSettings, TestSettingsV05
from inferometer.mlperf_loadgen.words import (
    LoggingMode,
    TestMode,
    TestScenario,
    TestScenarioV05,
)

__all__ = ["CURRENT", "ERAS", "V05", "api_module", "api_names"]

CURRENT, V05 = "current", "v0.5"
ERAS = (CURRENT, V05)
_AUDIT_FILE = "audit.config"


def StartTest(  # noqa: N802
    sut: int,
    qsl: int,
    test_settings: TestSettings,
    audit_config_filename: str = _AUDIT_FILE,
) -> None:
    """Run a test and write its log files to the working folder.

    Raises what a callback raised, TimeoutError if the system stopped answering, OSError if
    the log files can't be written, and `inferometer.loadgen.SettingsError` for settings
    that no test can be made of. The log files hold what was recorded until then.
    """
    StartTestWithLogSettings(sut, qsl, test_settings, LogSettings(), audit_config_filename)


def StartTestWithLogSettings(  # noqa: N802
    sut: int,
    qsl: int,
    test_settings: TestSettings,
    log_settings: LogSettings,
    audit_config_filename: str = _AUDIT_FILE,
) -> None:
    """Run a test; the log files go where ``log_settings`` says. Raises as `StartTest`."""
    _start(CURRENT, sut, qsl, test_settings, log_settings, audit_config_filename)


def _start_v05(sut: int, qsl: int, test_settings: TestSettingsV05, /) -> None:
    """Run a test and write its log files to the working folder (v0.5)."""
    _start(V05, sut, qsl, test_settings, LogSettings(), _AUDIT_FILE)


def _start_with_logs_v05(
    sut: int, qsl: int, test_settings: TestSettingsV05, log_settings: LogSettings, /
) -> None:
    """Run a test; the log files go where ``log_settings`` says (v0.5)."""
    _start(V05, sut, qsl, test_settings, log_settings, _AUDIT_FILE)


def _start(era: str, sut: int, qsl: int, settings: Any, logs: Any, audit_path: str) -> None:
    wanted = TestSettings if era == CURRENT else TestSettingsV05
    for value, kind in ((settings, wanted), (logs, LogSettings)):
        if not isinstance(value, kind):
            raise TypeError(f"{kind.__name__} is wanted, not {type(value).__name__}")
    # The load generator, and NumPy with it, is not imported by a program that only wants
    # the names.
    from inferometer.loadgen import Era  # noqa: PLC0415
    from inferometer.mlperf_loadgen.adapter import run_published_test  # noqa: PLC0415

    run_published_test(
        Era.CURRENT if era == CURRENT else Era.V05, sut, qsl, settings, logs, audit_path
    )


_BOTH: dict[str, Any] = {
    "ConstructQSL": runtime.ConstructQSL,
    "DestroyQSL": runtime.DestroyQSL,
    "DestroySUT": runtime.DestroySUT,
    "LogOutputSettings": LogOutputSettings,
    "LogSettings": LogSettings,
    "LoggingMode": LoggingMode,
    "QuerySample": QuerySample,
    "QuerySampleResponse": QuerySampleResponse,
    "TestMode": TestMode,
    "VectorQuerySample": VectorQuerySample,
    "VectorQuerySampleResponse": VectorQuerySampleResponse,
}
_NAMES: dict[str, dict[str, Any]] = {
    CURRENT: {
        **_BOTH,
        "ConstructFastSUT": runtime.ConstructFastSUT,
        "ConstructQDL": runtime.ConstructQDL,
        "ConstructSUT": runtime.ConstructSUT,
        "DestroyFastSUT": runtime.DestroyFastSUT,
        "DestroyQDL": runtime.DestroyQDL,
        "FirstTokenComplete": runtime.FirstTokenComplete,
        "QuerySamplesComplete": runtime.QuerySamplesComplete,
        "StartTest": StartTest,
        "StartTestWithLogSettings": StartTestWithLogSettings,
        "TestScenario": TestScenario,
        "TestSettings": TestSettings,
    },
    V05: {
        **_BOTH,
        "ConstructSUT": runtime.ConstructSUTV05,
        "QuerySamplesComplete": runtime.QuerySamplesCompleteV05,
        "StartTest": _start_v05,
        "StartTestWithLogSettings": _start_with_logs_v05,
        "TestScenario": TestScenarioV05,
        "TestSettings": TestSettingsV05,
    },
}


# Of either era a function is called what the published one is.
for _name, _value in _NAMES[V05].items():
    _value.__name__ = _value.__qualname__ = _name


def api_names(era: str) -> dict[str, Any]:
    """Give everything that the published binding of an era offers, by name.

    Raises ValueError for an era that there isn't.
    """
    if era not in _NAMES:
        raise ValueError(f"there is no LoadGen era {era!r}; choose one of {', '.join(ERAS)}")
    return _NAMES[era]


def api_module(era: str) -> types.ModuleType:
    """Give a module that stands in for the published binding of an era."""
    module = types.ModuleType("mlperf_loadgen", "The published LoadGen API, on Inferometer.")
    names = api_names(era)
    vars(module).update(names, __all__=sorted(names))
    return module
