"""Batteries: energy of a whole machine that runs on its battery.

Source: the kernel's power supply class, files ``energy_now`` (µWh), or ``charge_now`` (µAh)
with ``voltage_now`` (µV).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inferometer.runs.small_file import number_in, text_in

__all__ = ["Battery", "batteries"]

_FOLDER = "class/power_supply"
_UJ_IN_UWH = 3600


@dataclass(frozen=True)
class Battery:
    """A battery that is being used up; its count grows as its content falls."""

    name: str
    folder: Path
    wraps_at_uj: int = 0

    def read_uj(self) -> int | None:
        """Give what was taken from it, up to a constant, µJ; ``None`` if it is charged now."""
        if text_in(self.folder / "status") != "Discharging":
            return None
        left_uwh = number_in(self.folder / "energy_now")
        if left_uwh is None:
            charge, voltage = (number_in(self.folder / name) for name in _CHARGE)
            if charge is None or voltage is None:
                return None
            left_uwh = charge * voltage // 1_000_000
        return -left_uwh * _UJ_IN_UWH


_CHARGE = ("charge_now", "voltage_min_design")
"""The charge, and the voltage that its maker counts it at: the momentary one moves with load."""


def batteries(sys_root: Path) -> list[Battery]:
    """Give the batteries that the machine runs on now."""
    found = []
    for folder in sorted((sys_root / _FOLDER).glob("*")):
        if text_in(folder / "type") != "Battery" or text_in(folder / "scope") == "Device":
            continue
        battery = Battery(f"battery {folder.name}", folder)
        if battery.read_uj() is not None:
            found.append(battery)
    return found
