"""Drop-in for the published LoadGen's Python binding, on our load generator.

`from inferometer import mlperf_loadgen as lg`, or `install()` before a program's own
`import mlperf_loadgen`. INFEROMETER_LOADGEN_ERA chooses between ``current`` (the default)
and ``v0.5``; an argument of `install` goes before it.

Source: MLPerf Inference LoadGen, Python API of 6.0.17 and of v0.5.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from inferometer.mlperf_loadgen.api import CURRENT, ERAS, api_module, api_names

if TYPE_CHECKING:
    from inferometer.mlperf_loadgen.api import *  # noqa: F403 - the names bound below

__all__ = ["ERAS", "ERA_VARIABLE", "install"]

ERA_VARIABLE = "INFEROMETER_LOADGEN_ERA"
_MODULE = "mlperf_loadgen"


def _era(era: str | None) -> str:
    if era is not None:
        return era
    chosen = os.environ.get(ERA_VARIABLE) or CURRENT
    if chosen not in ERAS:
        raise ValueError(f"{ERA_VARIABLE} is {chosen!r}; it takes one of {', '.join(ERAS)}")
    return chosen


def install(era: str | None = None) -> None:
    """Make ``import mlperf_loadgen`` in this process give Inferometer's implementation.

    ``era`` is ``current`` or ``v0.5``; without it INFEROMETER_LOADGEN_ERA decides, and
    without that ``current``. Modules that have imported another one keep it, so call this
    first. Raises ValueError for another era.
    """
    sys.modules[_MODULE] = api_module(_era(era))


# Bound once, so that a call through this module costs a harness one look-up.
globals().update(api_names(_era(None)))
