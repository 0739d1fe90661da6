"""A browser that several tests open pages in."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start a Chromium; skip where there is none, or no playwright."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright isn't installed")
    path = os.environ.get("CHROMIUM", shutil.which("chromium") or "")
    if not path:
        pytest.skip("no chromium: apt-get install chromium, or set CHROMIUM")
    with playwright.sync_playwright() as running:
        launched = running.chromium.launch(executable_path=path, args=_FLAGS)
        yield launched
        launched.close()
