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
    # The names bound below, for those who check types.
    from inferometer.mlperf_loadgen.api import StartTest as StartTest
    from inferometer.mlperf_loadgen.api import StartTestWithLogSettings as StartTestWithLogSettings
    from inferometer.mlperf_loadgen.log_settings import LogOutputSettings as LogOutputSettings
    from inferometer.mlperf_loadgen.log_settings import LogSettings as LogSettings
    from inferometer.mlperf_loadgen.runtime import ConstructFastSUT as ConstructFastSUT
    from inferometer.mlperf_loadgen.runtime import ConstructQDL as ConstructQDL
    from inferometer.mlperf_loadgen.runtime import ConstructQSL as ConstructQSL
    from inferometer.mlperf_loadgen.runtime import ConstructSUT as ConstructSUT
    from inferometer.mlperf_loadgen.runtime import DestroyFastSUT as DestroyFastSUT
    from inferometer.mlperf_loadgen.runtime import DestroyQDL as DestroyQDL
    from inferometer.mlperf_loadgen.runtime import DestroyQSL as DestroyQSL
    from inferometer.mlperf_loadgen.runtime import DestroySUT as DestroySUT
    from inferometer.mlperf_loadgen.runtime import FirstTokenComplete as FirstTokenComplete
    from inferometer.mlperf_loadgen.runtime import QuerySamplesComplete as QuerySamplesComplete
    from inferometer.mlperf_loadgen.samples import QuerySample as QuerySample
    from inferometer.mlperf_loadgen.samples import QuerySampleResponse as QuerySampleResponse
    from inferometer.mlperf_loadgen.samples import VectorQuerySample as VectorQuerySample
    from inferometer.mlperf_loadgen.samples import (
        VectorQuerySampleResponse as VectorQuerySampleResponse,
    )
    from inferometer.mlperf_loadgen.test_settings import TestSettings as TestSettings
    from inferometer.mlperf_loadgen.words import LoggingMode as LoggingMode
    from inferometer.mlperf_loadgen.words import TestMode as TestMode
    from inferometer.mlperf_loadgen.words import TestScenario as TestScenario

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
