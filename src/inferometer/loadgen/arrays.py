"""Array stores: where the recording's arrays live while a series runs."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["ArrayStore", "MemoryStore"]


class ArrayStore(Protocol):
    """Provides zeroed int64 arrays by name."""

    def zeros(self, name: str, count: int) -> NDArray[np.int64]:
        """Give an int64 array of ``count`` zeros."""
        ...


class MemoryStore:
    """Plain memory of this process; untouched pages cost nothing."""

    def zeros(self, name: str, count: int) -> NDArray[np.int64]:  # noqa: ARG002
        """Give an int64 array of ``count`` zeros; the name doesn't matter."""
        return np.zeros(count, np.int64)
