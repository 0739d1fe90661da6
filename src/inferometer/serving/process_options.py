"""Process options: what replicas in processes of this machine are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from inferometer.serving.option_words import read_options

__all__ = ["ProcessOptions"]


@dataclass(frozen=True)
class ProcessOptions:
    """What replicas in processes of this machine are given.

    restarts:
        How often each is started anew after it died.
    limit_s:
        Longest that one may take to load the model, or to take samples.
    """

    restarts: int = 3
    limit_s: float = 300.0

    @classmethod
    def of(cls, words: Mapping[str, str]) -> ProcessOptions:
        """Read options as words; raise `SettingsError` for one that isn't known or no number."""
        return read_options(cls, "processes", words)
