"""Accelerator facts: NVIDIA processors by their driver; others are seen, not described."""

from __future__ import annotations

from inferometer.submission.system.processor import NOT_APPLICABLE
from inferometer.submission.system.sources import Sources

__all__ = ["accelerator_facts"]

_DRIVER = "proc/driver/nvidia/gpus"
_DEVICES = "sys/bus/pci/devices"
_QUERY = ("name", "memory.total", "clocks.max.sm", "pcie.link.gen.max", "pcie.link.width.max")
# PCI classes: 3D controllers and processing accelerators. A plain display adapter is none.
_CLASSES = ("0x0302", "0x12")
_NONE = (
    "accelerator_frequency",
    "accelerator_host_interconnect",
    "accelerator_interconnect",
    "accelerator_interconnect_topology",
    "accelerator_memory_capacity",
    "accelerator_memory_configuration",
    "accelerator_model_name",
    "accelerator_on-chip_memories",
)


def accelerator_facts(sources: Sources) -> dict[str, str]:
    """Give number and kind of the accelerators; nothing where there is one of another make."""
    rows = _rows(sources)
    names = [row[0] for row in rows] or _driver_names(sources)
    if names:
        return _facts(names, rows)
    if _has_unknown(sources):
        return {}
    return {"accelerators_per_node": "0", **dict.fromkeys(_NONE, NOT_APPLICABLE)}


def _facts(names: list[str], rows: list[list[str]]) -> dict[str, str]:
    facts = {
        "accelerators_per_node": str(len(names)),
        "accelerator_model_name": ", ".join(dict.fromkeys(names)),
    }
    if len(names) == 1:
        facts["accelerator_interconnect"] = NOT_APPLICABLE
        facts["accelerator_interconnect_topology"] = NOT_APPLICABLE
    if rows:
        _, memory, clock, generation, width = rows[0]
        if memory.isdecimal():
            facts["accelerator_memory_capacity"] = f"{int(memory) / 1024:.0f} GiB"
        if clock.isdecimal():
            facts["accelerator_frequency"] = f"{clock} MHz max"
        if generation.isdecimal() and width.isdecimal():
            facts["accelerator_host_interconnect"] = f"PCIe Gen{generation} x{width}"
    return facts


def _rows(sources: Sources) -> list[list[str]]:
    """Give what the driver's tool tells of each processor, in the order of the query."""
    if not sources.has("proc/driver/nvidia"):
        return []
    output = sources.command(
        ("nvidia-smi", f"--query-gpu={','.join(_QUERY)}", "--format=csv,noheader,nounits")
    )
    rows = [[cell.strip() for cell in line.split(",")] for line in output.splitlines()]
    return [row for row in rows if len(row) == len(_QUERY)]


def _driver_names(sources: Sources) -> list[str]:
    found = []
    for address in sources.names(_DRIVER):
        for line in sources.text(f"{_DRIVER}/{address}/information").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "Model":
                found.append(value.strip())
    return found


def _has_unknown(sources: Sources) -> bool:
    kinds = (sources.text(f"{_DEVICES}/{name}/class") for name in sources.names(_DEVICES))
    return any(kind.startswith(_CLASSES) for kind in kinds)
