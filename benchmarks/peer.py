"""The peer: the published LoadGen's Python binding, driven like ours."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from typing import Any

NAME = "mlcommons-loadgen"


def available() -> bool:
    try:
        import mlperf_loadgen  # noqa: F401
    except ImportError:
        return False
    return True


def run(
    scenario: str,
    issue: Callable[[Any, Any], None],
    settings: dict[str, Any],
    flush: Callable[[], None] = lambda: None,
) -> None:
    """Run one performance test; ``issue`` gets the binding and the list of samples.

    The trace is off, as it is off by default in ours.
    """
    import mlperf_loadgen as lg

    asked = lg.TestSettings()
    asked.scenario = getattr(lg.TestScenario, scenario)
    asked.mode = lg.TestMode.PerformanceOnly
    for name, value in settings.items():
        setattr(asked, name, value)
    sut = lg.ConstructSUT(lambda samples: issue(lg, samples), flush)
    library = lg.ConstructQSL(1024, 1024, lambda _: None, lambda _: None)
    logs = lg.LogSettings()
    with tempfile.TemporaryDirectory() as folder:
        output = lg.LogOutputSettings()
        output.outdir = folder
        logs.log_output = output
        logs.enable_trace = False
        before = os.getcwd()  # noqa: PTH109
        os.chdir(folder)
        try:
            lg.StartTestWithLogSettings(sut, library, asked, logs)
        finally:
            os.chdir(before)
    lg.DestroyQSL(library)
    lg.DestroySUT(sut)
