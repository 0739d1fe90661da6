"""Gathering: everything that this machine says of itself, by key of the system description."""

from __future__ import annotations

from inferometer.submission.system.accelerators import accelerator_facts
from inferometer.submission.system.memory import memory_facts
from inferometer.submission.system.network import network_facts
from inferometer.submission.system.processor import processor_facts
from inferometer.submission.system.software import operating_system_facts
from inferometer.submission.system.sources import Sources
from inferometer.submission.system.storage import storage_facts

__all__ = ["machine_facts"]

_DMI = "sys/class/dmi/id"


def machine_facts(sources: Sources | None = None) -> dict[str, str]:
    """Give what can be found out about hardware and operating system; nothing is invented.

    A key that is missing or empty couldn't be found out. The software that ran isn't part of
    it: that belongs to the runs.
    """
    sources = sources or Sources()
    facts = {"number_of_nodes": "1", "system_name": _name(sources)}
    for gather in (
        processor_facts,
        memory_facts,
        storage_facts,
        network_facts,
        accelerator_facts,
        operating_system_facts,
    ):
        facts.update(gather(sources))
    return {key: value for key, value in facts.items() if value}


def _name(sources: Sources) -> str:
    """Give maker and product as the firmware has them."""
    parts = [sources.text(f"{_DMI}/{file}") for file in ("sys_vendor", "product_name")]
    known = " ".join(part for part in parts if part)
    return known or sources.text("proc/device-tree/model")
