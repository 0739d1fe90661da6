"""What several tests of backends take."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder for the models that the tests of one file share."""
    return tmp_path_factory.mktemp("models")
