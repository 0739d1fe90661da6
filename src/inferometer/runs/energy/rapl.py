"""RAPL: energy of processor packages, as Linux shows it below ``/sys/class/powercap``.

Source: the kernel's power capping framework, files ``energy_uj`` and ``max_energy_range_uj``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inferometer.runs.small_file import number_in, text_in

__all__ = ["RaplDomain", "rapl_domains"]

_FOLDER = "class/powercap"
_NESTED = 2
_WITHIN_OTHERS = ("psys",)
"""Domains that count others in: the whole platform holds the packages."""


@dataclass(frozen=True)
class RaplDomain:
    """One package, or the memory beside it."""

    name: str
    path: Path
    wraps_at_uj: int

    def read_uj(self) -> int | None:
        """Give the count, µJ; ``None`` if it can't be read now."""
        return number_in(self.path)


def rapl_domains(sys_root: Path) -> list[RaplDomain]:
    """Give the packages and memories whose counts this user may read.

    Cores and graphics lie within their package, and aren't counted again. The interface of
    ``intel-rapl-mmio`` shows the same counters a second time.
    """
    found = []
    for folder in sorted((sys_root / _FOLDER).glob("intel-rapl:*")):
        name = text_in(folder / "name")
        if name is None or name in _WITHIN_OTHERS:
            continue
        if folder.name.count(":") == _NESTED and name != "dram":
            continue
        counter, limit = folder / "energy_uj", number_in(folder / "max_energy_range_uj")
        if number_in(counter) is None or limit is None:
            continue
        place = f"package {folder.name.split(':')[1]} {name}" if name == "dram" else name
        found.append(RaplDomain(f"RAPL {place}", counter, limit))
    return found
