"""Processor facts: model, sockets, cores, frequency, caches."""

from __future__ import annotations

import re

from inferometer.submission.system.sources import Sources

__all__ = ["NOT_APPLICABLE", "processor_facts"]

NOT_APPLICABLE = "N/A"
"""What published descriptions say of a part that the system doesn't have."""

_CPUS = "sys/devices/system/cpu"
_CPU = re.compile(r"cpu\d+")
_RATED = re.compile(r"@\s*([\d.]+\s*[GM]Hz)")
_LETTERS = {"Data": "d", "Instruction": "i"}


def processor_facts(sources: Sources) -> dict[str, str]:
    """Give what the kernel knows of the processor, by key of the system description."""
    name = _name(sources)
    sockets, cores = _counts(sources)
    is_even = bool(sockets) and cores % sockets == 0
    facts = {
        "host_processor_model_name": name,
        "host_processors_per_node": str(sockets or ""),
        "host_processor_core_count": str(cores // sockets) if is_even else "",
        "host_processor_frequency": _frequency(sources, name),
        "host_processor_caches": _caches(sources),
    }
    if sockets == 1:
        facts["host_processor_interconnect"] = NOT_APPLICABLE
    return facts


def _name(sources: Sources) -> str:
    known: dict[str, str] = {}
    for line in sources.text("proc/cpuinfo").splitlines():
        key, _, value = line.partition(":")
        known.setdefault(key.strip(), value.strip())
    for key in ("model name", "Hardware", "Model"):
        if known.get(key):
            return re.sub(r"\s+", " ", known[key])
    return sources.text("proc/device-tree/model")


def _counts(sources: Sources) -> tuple[int, int]:
    """Give sockets and cores; 0 where the kernel doesn't say."""
    places = set()
    for cpu in filter(_CPU.fullmatch, sources.names(_CPUS)):
        package = sources.text(f"{_CPUS}/{cpu}/topology/physical_package_id")
        core = sources.text(f"{_CPUS}/{cpu}/topology/core_id")
        die = sources.text(f"{_CPUS}/{cpu}/topology/die_id")
        if package and core and not package.startswith("-"):
            places.add((package, die, core))
    return len({package for package, _, _ in places}), len(places)


def _frequency(sources: Sources, name: str) -> str:
    folder = f"{_CPUS}/cpu0/cpufreq"
    texts = []
    for word, file in (("base", "base_frequency"), ("max", "cpuinfo_max_freq")):
        khz = sources.number(f"{folder}/{file}")
        if khz:
            texts.append(f"{khz / 1e6:.2f} GHz {word}")
    rated = _RATED.search(name)
    if not texts and rated:
        return rated[1]
    return ", ".join(texts)


def _caches(sources: Sources) -> str:
    texts = []
    folder = f"{_CPUS}/cpu0/cache"
    for index in sources.names(folder):
        level, kind, size = (
            sources.text(f"{folder}/{index}/{name}") for name in ("level", "type", "size")
        )
        if level and size:
            texts.append(f"L{level}{_LETTERS.get(kind, '')} {size}")
    return ", ".join(texts)
