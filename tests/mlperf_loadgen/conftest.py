"""What tests beside the published package take."""

from __future__ import annotations

from typing import Any

import pytest

from tests.mlperf_loadgen.harness import NO_WHEEL


@pytest.fixture
def wheel() -> Any:
    """The published package, whatever `install` has put in its place."""
    return pytest.importorskip("mlperf_loadgen", reason=NO_WHEEL)
