"""Trial: one run of a search, with where it is recorded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inferometer.capacity.observation import Observation

__all__ = ["Trial"]


@dataclass(frozen=True)
class Trial:
    """A run: what it showed, where its recording lies, and for which stage it was."""

    observation: Observation
    folder: Path
    whole_queries: int
    stage: str

    def to_mapping(self) -> dict[str, Any]:
        """Give names and plain values, ready for JSON."""
        return {
            "stage": self.stage,
            "folder": str(self.folder),
            "whole_queries": self.whole_queries,
            **self.observation.to_mapping(),
        }
