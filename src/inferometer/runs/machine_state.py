"""Machine state: what varies on a machine while it measures, read from the system itself.

What can't be read is left out; nothing is invented. A look takes about a millisecond.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from inferometer.runs.small_file import text_in

__all__ = ["Counters", "look", "shares_between"]

_STAT = Path("/proc/stat")
_PRESSURE = Path("/proc/pressure")
_GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
_THROTTLED = (
    (Path("/sys/fs/cgroup/cpu.stat"), "throttled_usec", 1e-6),
    (Path("/sys/fs/cgroup/cpu/cpu.stat"), "throttled_time", 1e-9),
)
_RESOURCES = ("cpu", "memory", "io")
_BUSY = ("user", "nice", "system", "irq", "softirq")


@dataclass(frozen=True)
class Counters:
    """Counters that only ever grow, as they stand now; ``None`` for what can't be read.

    at_s, own_cpu_s:
        The clock, and the processor time of this process and its children.
    busy_s, steal_s, total_s:
        Processor time of everything that runs on the machine, what the host took away, and
        what there was, over all processors.
    pressure_s:
        How long something waited for a resource, by its name.
    throttled_s:
        How long the group of this process was kept from running by its quota.
    """

    at_s: float
    own_cpu_s: float
    busy_s: float | None
    steal_s: float | None
    total_s: float | None
    pressure_s: Mapping[str, float]
    throttled_s: float | None

    @classmethod
    def now(cls) -> Counters:
        """Read them."""
        busy_s, steal_s, total_s = _processor_times()
        return cls(
            at_s=time.monotonic(),
            own_cpu_s=_own_cpu_s(),
            busy_s=busy_s,
            steal_s=steal_s,
            total_s=total_s,
            pressure_s=_pressure_s(),
            throttled_s=_throttled_s(),
        )


def shares_between(before: Counters, after: Counters) -> dict[str, float]:
    """Give shares of the time between two readings: load by others, steal, waiting.

    other_load:
        Processor time that others used, of all that there was: 1.0 is every core.
    own_load:
        The same of this process and its children.
    """
    found: dict[str, float] = {}
    if before.total_s is not None and after.total_s is not None:
        total_s = after.total_s - before.total_s
        if total_s > 0:
            own_s = after.own_cpu_s - before.own_cpu_s
            assert before.busy_s is not None
            assert after.busy_s is not None
            others_s = max(0.0, after.busy_s - before.busy_s - own_s)
            found["own_load"] = round(min(1.0, own_s / total_s), 4)
            found["other_load"] = round(min(1.0, others_s / total_s), 4)
            if before.steal_s is not None and after.steal_s is not None:
                found["steal"] = round((after.steal_s - before.steal_s) / total_s, 4)
    passed_s = after.at_s - before.at_s
    if passed_s <= 0:
        return found
    for name, waited_s in after.pressure_s.items():
        if name in before.pressure_s:
            share = (waited_s - before.pressure_s[name]) / passed_s
            found[f"{name}_pressure"] = round(min(1.0, share), 4)
    if before.throttled_s is not None and after.throttled_s is not None:
        found["throttled"] = round((after.throttled_s - before.throttled_s) / passed_s, 4)
    return found


def look() -> dict[str, Any]:
    """Give what the machine is like at this moment, as plain names and values."""
    memory = psutil.virtual_memory()
    facts: dict[str, Any] = {
        "frequency_mhz": _frequency_mhz(),
        "governor": text_in(_GOVERNOR) or None,
        "temperature_c": _temperature_c(),
        "load_average_1min": round(os.getloadavg()[0], 2),
        "memory_available_gib": round(memory.available / 2**30, 2),
        "swap_used_gib": _swap_used_gib(),
    }
    return {name: value for name, value in facts.items() if value is not None}


def _processor_times() -> tuple[float | None, float | None, float | None]:
    """Give the processor time in use, stolen, and in all, s."""
    if not _STAT.exists():
        return None, None, None
    times = psutil.cpu_times()
    busy_s = sum(getattr(times, name, 0.0) for name in _BUSY)
    steal_s = getattr(times, "steal", None)
    total_s = busy_s + times.idle + getattr(times, "iowait", 0.0) + (steal_s or 0.0)
    return busy_s, steal_s, total_s


def _own_cpu_s() -> float:
    spent_s = time.process_time()
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                times = child.cpu_times()
                spent_s += times.user + times.system
    return spent_s


def _pressure_s() -> dict[str, float]:
    found = {}
    for name in _RESOURCES:
        for line in (text_in(_PRESSURE / name) or "").splitlines():
            kind, _, rest = line.partition(" ")
            _, has_total, total = rest.partition("total=")
            if kind == "some" and has_total and total.isdecimal():
                found[name] = int(total) / 1e6
    return found


def _throttled_s() -> float | None:
    for path, wanted, unit_s in _THROTTLED:
        for line in (text_in(path) or "").splitlines():
            name, _, value = line.partition(" ")
            if name == wanted and value.isdecimal():
                return int(value) * unit_s
    return None


def _frequency_mhz() -> int | None:
    try:
        frequency = psutil.cpu_freq()
    except (OSError, NotImplementedError):
        return None
    return round(frequency.current) if frequency and frequency.current else None


def _temperature_c() -> float | None:
    """Give the highest temperature that any sensor tells."""
    try:
        sensors = psutil.sensors_temperatures()
    except (AttributeError, OSError):
        return None
    found = [one.current for group in sensors.values() for one in group if one.current]
    return round(max(found), 1) if found else None


def _swap_used_gib() -> float | None:
    try:
        swap = psutil.swap_memory()
    except (OSError, RuntimeError):
        return None
    return round(swap.used / 2**30, 2) if swap.total else None
