"""Inferometer measures AI inference so that people can decide from it.

The shortest way in::

    import inferometer

    result = inferometer.measure(model, samples, scenario="SingleStream")
    print(result)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inferometer.loadgen import InferometerError, Scenario, Settings
    from inferometer.runs import Measurement, measure

__all__ = ["InferometerError", "Measurement", "Scenario", "Settings", "measure"]

_PLACES = {
    "InferometerError": "inferometer.loadgen",
    "Measurement": "inferometer.runs",
    "Scenario": "inferometer.loadgen",
    "Settings": "inferometer.loadgen",
    "measure": "inferometer.runs",
}


def __getattr__(name: str) -> Any:
    # Resolved on first use, so that importing one room doesn't import all of them.
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # noqa: PLC0415

    return getattr(importlib.import_module(_PLACES[name]), name)
