"""Places: where fetched models, data sets and what is made from them lie on disk."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = [
    "HOME_VARIABLE",
    "data_folder",
    "exported_folder",
    "home",
    "model_folder",
    "sample_folder",
]

HOME_VARIABLE = "INFEROMETER_HOME"


def home() -> Path:
    """Give the folder of everything: ``$INFEROMETER_HOME``, or one in the user's cache."""
    chosen = os.environ.get(HOME_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "inferometer"


def model_folder(entry: str) -> Path:
    """Give where the published files of a catalogue entry lie."""
    return home() / "models" / entry


def data_folder(data_set: str) -> Path:
    """Give where a data set lies, in its published layout."""
    return home() / "data" / data_set


def exported_folder() -> Path:
    """Give where models lie that were made from an architecture and weights."""
    return home() / "exported"


def quantized_folder(workload: str) -> Path:
    """Give where the quantised model of a workload lies."""
    return home() / "quantized" / workload


def sample_folder() -> Path:
    """Give where preprocessed samples are kept."""
    return home() / "preprocessed"
