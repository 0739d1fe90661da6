"""NVIDIA devices: their energy since the driver was loaded, by the driver's own library.

Source: NVML, ``nvmlDeviceGetTotalEnergyConsumption`` (mJ, Volta and newer).
"""

from __future__ import annotations

import ctypes
import functools
from dataclasses import dataclass

__all__ = ["NvidiaDevice", "nvidia_devices"]

_LIBRARY = "libnvidia-ml.so.1"
_UJ_IN_MJ = 1000


@dataclass(frozen=True)
class NvidiaDevice:
    """One device, by its number."""

    name: str
    library: ctypes.CDLL
    handle: ctypes.c_void_p
    wraps_at_uj: int = 0

    def read_uj(self) -> int | None:
        """Give the count, µJ; ``None`` if it can't be read now."""
        count_mj = ctypes.c_ulonglong()
        failed = self.library.nvmlDeviceGetTotalEnergyConsumption(
            self.handle, ctypes.byref(count_mj)
        )
        return None if failed else count_mj.value * _UJ_IN_MJ


def nvidia_devices() -> list[NvidiaDevice]:
    """Give the devices that count their energy; none where there is no driver."""
    library = _opened()
    if library is None:
        return []
    count = ctypes.c_uint()
    if library.nvmlDeviceGetCount_v2(ctypes.byref(count)):
        return []
    found = []
    for number in range(count.value):
        handle = ctypes.c_void_p()
        if library.nvmlDeviceGetHandleByIndex_v2(number, ctypes.byref(handle)):
            continue
        device = NvidiaDevice(f"NVML device {number}", library, handle)
        if device.read_uj() is not None:
            found.append(device)
    return found


@functools.cache
def _opened() -> ctypes.CDLL | None:
    """Open the library once for the life of the process."""
    try:
        library = ctypes.CDLL(_LIBRARY)
        return None if library.nvmlInit_v2() else library
    except (OSError, AttributeError):
        return None
