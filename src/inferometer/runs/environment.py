"""Environment checks: what on this machine makes numbers better or worse."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from inferometer.backends import MissingBackendError, backend_names, get_backend
from inferometer.loadgen import MonotonicClock, TimingOptions, abandoned_journals
from inferometer.loadgen.process_state import punctual_thread
from inferometer.runs.system import describe_system, usable_cores

__all__ = ["Check", "check_environment"]

_SLEEPS = 200
_SLEEP_NS = 200_000
_BUSY_LOAD = 0.3
_LEAST_SHARED_BYTES = 64 << 20
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108


@dataclass(frozen=True)
class Check:
    """One thing looked at: what was found, and what to do if it isn't good."""

    name: str
    is_good: bool
    seen: str
    remedy: str = ""


def check_environment() -> list[Check]:
    """Look at everything that matters for honest numbers; takes about a second."""
    checks: list[Callable[[], Check]] = [
        _python,
        _cores,
        _load,
        _governor,
        _virtualised,
        _clock,
        _sleeping,
        _shared_memory,
        _journals,
        _disk,
        _backends,
    ]
    return [check() for check in checks]


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("Python", sys.version_info >= (3, 11), version, "install Python 3.11 or newer")


def _cores() -> Check:
    cores = usable_cores()
    return Check(
        "processor cores",
        cores >= 2,
        f"{cores} usable",
        "with one core the generator and the system take turns; Server figures suffer",
    )


def _load() -> Check:
    psutil.cpu_percent()
    time.sleep(0.3)
    busy = psutil.cpu_percent() / 100
    return Check(
        "other load",
        busy < _BUSY_LOAD,
        f"{busy:.0%} of the processor is in use, load average {os.getloadavg()[0]:.2f}",
        "stop other programs while measuring",
    )


def _governor() -> Check:
    governor = describe_system().get("governor")
    return Check(
        "frequency governor",
        governor in (None, "performance"),
        governor or "not visible",
        "cpupower frequency-set -g performance",
    )


def _virtualised() -> Check:
    is_virtual = describe_system().get("virtualised")
    seen = "no"
    if is_virtual:
        seen = "yes: others on the host can slow it down, so compare within one session"
    return Check("virtual machine", True, seen)


def _clock() -> Check:
    info = time.get_clock_info("perf_counter")
    begun, reads = time.perf_counter_ns(), 10_000
    for _ in range(reads):
        time.perf_counter_ns()
    cost_ns = (time.perf_counter_ns() - begun) / reads
    seen = (
        f"{info.implementation}, {info.resolution * 1e9:g} ns resolution, {cost_ns:.0f} ns a read"
    )
    is_good = info.monotonic and info.resolution <= 1e-6 and cost_ns < 1000
    return Check(
        "clock", is_good, seen, "a slow clock source costs every query; see the kernel's log"
    )


def _sleeping() -> Check:
    """Measure how late the generator wakes up, the way it sleeps in a Server run."""
    clock, late = MonotonicClock(), []
    with punctual_thread(TimingOptions()):
        due = clock.now_ns()
        for _ in range(_SLEEPS):
            due = max(due, clock.now_ns()) + _SLEEP_NS
            late.append(clock.sleep_until(due, lambda: False) - due)
    late.sort()
    p50_us, p99_us = late[len(late) // 2] / 1e3, late[int(len(late) * 0.99)] / 1e3
    seen = f"woken late by {p50_us:.1f} µs at p50, {p99_us:.0f} µs at p99"
    return Check("timer", p50_us < 20, seen, "free a core; a busy machine delays wake-ups")


def _shared_memory() -> Check:
    try:
        free = shutil.disk_usage(_SHARED_MEMORY).free
    except OSError:
        free = 0
    return Check(
        "shared memory",
        free >= _LEAST_SHARED_BYTES,
        f"{free / 2**20:,.0f} MiB free in {_SHARED_MEMORY}",
        "without it a killed process takes its recording along; in a container: --shm-size=1g",
    )


def _journals() -> Check:
    """Look for what killed runs have left in shared memory."""
    left = [folder for folder in abandoned_journals() if folder.is_dir()]
    seen = f"{len(left)} left by runs that died" if left else "none left behind"
    remedy = "inferometer recover brings one back; or remove: " + " ".join(map(str, left))
    return Check("journals", not left, seen, remedy)


def _disk() -> Check:
    free = shutil.disk_usage(".").free
    return Check("disk", free > 1 << 30, f"{free / 2**30:,.1f} GiB free here", "make room")


def _backends() -> Check:
    found, missing = [], ""
    for name in backend_names():
        try:
            found.append(f"{name} {get_backend(name).version()}")
        except MissingBackendError as error:
            missing = str(error)
    real = [name for name in found if not name.startswith(("null", "remote"))]
    return Check("backends", bool(real), ", ".join(found), missing)
