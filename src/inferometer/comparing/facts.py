"""Facts: under which circumstances an option was measured, by the names people know."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from inferometer.comparing.measurement import Measurement
from inferometer.runs import Session

__all__ = ["SHARES", "facts_of", "seen_facts"]

_SHOWN_DIGITS = 12
_SYSTEM = {
    "host": "host",
    "processor": "processor",
    "usable cores": "usable_cores",
    "memory, GiB": "memory_gib",
    "operating system": "operating_system",
    "kernel": "kernel",
    "governor": "governor",
    "Python": "python",
}
_DURING = {
    "load by others": "other_load",
    "time stolen by the host": "steal",
    "throttled by a quota": "throttled",
    "waiting for memory": "memory_pressure",
}
SHARES = tuple(_DURING)
"""Facts that are shares of the time, or of what the processors could do."""


def facts_of(session: Session) -> dict[str, Any]:
    """Give what stays the same through a session; what isn't known is left out."""
    system, context = session.system, session.context
    workload, backend = session.workload, session.backend
    facts: dict[str, Any] = {
        "task": workload.get("task"),
        "accuracy metric": workload.get("metric"),
        "workload": workload.get("name"),
        "data set": workload.get("data_set"),
        "samples": workload.get("samples"),
        "samples, sha256": _short(context.get("data_sha256")),
        "model, sha256": _short(", ".join(workload.get("model_sha256", {}).values())),
        "framework": backend.get("framework", backend.get("name")),
        "framework version": backend.get("version"),
        "device": backend.get("device"),
        "precision": backend.get("precision"),
        "run": session.label,
        **{name: system.get(key) for name, key in _SYSTEM.items()},
        **{f"package {name}": text for name, text in _packages(session).items()},
        **{f"threads, {name}": count for name, count in context.get("threads", {}).items()},
        "affinity": _ranges(context.get("affinity", ())),
        "environment": ", ".join(
            f"{name}={value}" for name, value in context.get("environment", {}).items()
        ),
        **{
            f"code of {name}, sha256": _short(digest)
            for name, digest in context.get("code", {}).items()
        },
        **{f"serving, {name}": text for name, text in _serving(session).items()},
    }
    return {name: value for name, value in facts.items() if value not in (None, "", {}, [])}


def seen_facts(measurements: Sequence[Measurement]) -> dict[str, float]:
    """Give what varied while an option was measured: the middle of what its runs saw.

    Of memory it is the least that was available, of temperature the highest.
    """
    during = [one.circumstances.get("during", {}) for one in measurements]
    states = [
        one.circumstances.get(moment, {}) for one in measurements for moment in ("before", "after")
    ]
    found: dict[str, float | None] = {
        "frequency, MHz": _middle(states, "frequency_mhz"),
        "highest temperature, °C": max(_numbers(states, "temperature_c"), default=None),
        "least memory available, GiB": min(_numbers(states, "memory_available_gib"), default=None),
        **{name: _middle(during, key) for name, key in _DURING.items()},
    }
    return {name: value for name, value in found.items() if value is not None}


def _numbers(rows: Iterable[Mapping[str, Any]], name: str) -> list[float]:
    return [float(row[name]) for row in rows if isinstance(row.get(name), int | float)]


def _middle(rows: Iterable[Mapping[str, Any]], name: str) -> float | None:
    found = _numbers(rows, name)
    return statistics.median(found) if found else None


def _packages(session: Session) -> Mapping[str, str]:
    """Give the packages that every run has to do with; the framework's stands by itself."""
    packages = session.system.get("packages", {})
    return {name: packages[name] for name in ("inferometer", "numpy") if name in packages}


def _serving(session: Session) -> dict[str, str]:
    """Say how queries reached the model, by scenario."""
    return {
        test.scenario.value: " ".join(
            str(value) if name == "kind" else f"{name.replace('_', ' ')} {value}"
            for name, value in test.recording.notes.get("serving", {}).items()
        )
        for test in session.tests
    }


def _ranges(numbers: Sequence[int]) -> str:
    """Write processors as they are given to taskset: 0-3,8."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in parts)


def _short(digest: str | None) -> str:
    """Cut hashes to what people can compare by eye."""
    return ", ".join(part[:_SHOWN_DIGITS] for part in (digest or "").split(", "))
