"""Belonging: whether runs were recorded on the system that is described."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["differences", "differs_from_description"]

_SAME = ("host", "processor", "architecture", "physical_cores", "logical_cores")
_MEMORY_SHARE = 0.02
_NOISE = re.compile(r"\((r|tm|c)\)|\b(cpu|processor)\b|@.*", re.IGNORECASE)


def differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """Say in what two systems differ, as sessions describe them; what either lacks says nothing."""
    found = [
        f"{name} {second[name]}, not {first[name]}"
        for name in _SAME
        if first.get(name) and second.get(name) and first[name] != second[name]
    ]
    sizes = [system.get("memory_gib") for system in (first, second)]
    if all(isinstance(size, int | float) and size > 0 for size in sizes):
        # A kernel update alone changes how much of the memory is left to give.
        low, high = sorted(float(size) for size in sizes if size)
        if low < high * (1 - _MEMORY_SHARE):
            found.append(f"memory {sizes[1]} GiB, not {sizes[0]} GiB")
    return found


def differs_from_description(
    system: Mapping[str, Any], description: Mapping[str, str]
) -> Iterator[str]:
    """Say in what a session's system contradicts a system description."""
    recorded = str(system.get("processor") or "")
    named = description.get("host_processor_model_name", "")
    if recorded and named and not _is_same_model(recorded, named):
        yield f"it ran on {recorded!r}, and {named!r} is described"
    counts = [
        description.get(key, "")
        for key in ("host_processors_per_node", "host_processor_core_count")
    ]
    cores = system.get("physical_cores")
    if all(count.isdecimal() for count in counts) and isinstance(cores, int):
        described = int(counts[0]) * int(counts[1])
        if described != cores:
            yield f"it ran on {cores} cores, and {described} are described"


def _is_same_model(recorded: str, named: str) -> bool:
    """Tell whether two spellings name one processor: the same words, decorations aside."""
    words = [_words(text) for text in (recorded, named)]
    if words[0] == words[1]:
        return True
    numbered = [{word for word in group if any(map(str.isdigit, word))} for group in words]
    # A number is what tells one model from the next; makers' names come and go.
    return bool(numbered[0] & numbered[1]) and (
        numbered[0] <= numbered[1] or numbered[1] <= numbered[0]
    )


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", _NOISE.sub(" ", text).lower()))
