"""Counters: what on this machine counts energy, found without asking for any right."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from inferometer.runs.energy.battery import batteries
from inferometer.runs.energy.nvidia import nvidia_devices
from inferometer.runs.energy.rapl import rapl_domains

__all__ = ["Counter", "find_counters"]

_SYS = Path("/sys")


class Counter(Protocol):
    """Counts the energy that a part of the machine has taken."""

    @property
    def name(self) -> str:
        """Source and part, such as ``RAPL package-0``."""
        ...

    @property
    def wraps_at_uj(self) -> int:
        """Where the count begins at 0 again, µJ; 0 if it doesn't."""
        ...

    def read_uj(self) -> int | None:
        """Give the count, µJ; ``None`` if it can't be read now."""
        ...


def find_counters(sys_root: Path = _SYS) -> list[Counter]:
    """Give the counters that can be read: processors' RAPL, NVIDIA's, the battery's.

    The counts of different parts may be added up: a domain within another is left out, and
    a battery, which feeds everything, is only taken where it is the one source there is and
    the machine runs on it.
    """
    found: list[Counter] = [*rapl_domains(sys_root), *nvidia_devices()]
    if not any(counter.name.startswith("RAPL") for counter in found):
        return [*batteries(sys_root)] or found
    return found
