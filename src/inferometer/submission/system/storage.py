"""Storage facts: the disks that a system has, as the kernel lists them."""

from __future__ import annotations

import re

from inferometer.submission.system.sources import Sources

__all__ = ["storage_facts"]

_BLOCKS = "sys/block"
# Disks by the names that the kernel gives; not loops, memory, stacks of disks, or drives.
_DISK = re.compile(r"(nvme\d+n\d+|sd[a-z]+|vd[a-z]+|xvd[a-z]+|hd[a-z]+|mmcblk\d+)")
_SECTOR_BYTES = 512


def storage_facts(sources: Sources) -> dict[str, str]:
    """Give the capacity of all fixed disks, and what kinds there are."""
    total, kinds = 0, []
    for name in filter(_DISK.fullmatch, sources.names(_BLOCKS)):
        sectors = sources.number(f"{_BLOCKS}/{name}/size")
        if not sectors or sources.text(f"{_BLOCKS}/{name}/removable") == "1":
            continue
        total += sectors * _SECTOR_BYTES
        kind = _kind(name, sources.text(f"{_BLOCKS}/{name}/queue/rotational"))
        if kind not in kinds:
            kinds.append(kind)
    return {
        "host_storage_capacity": _size(total) if total else "",
        "host_storage_type": ", ".join(kinds),
    }


def _kind(name: str, is_rotational: str) -> str:
    if name.startswith("nvme"):
        return "NVMe SSD"
    if name.startswith("mmcblk"):
        return "eMMC or SD card"
    # A virtual disk calls itself rotational whatever lies behind it.
    if name.startswith(("vd", "xvd")):
        return "virtual disk"
    return {"0": "SSD", "1": "hard disk"}.get(is_rotational, "disk")


def _size(size_bytes: int) -> str:
    """Write a size in the decimal units that disks are sold in."""
    if size_bytes >= 10**12:
        return f"{size_bytes / 1e12:.2f} TB"
    return f"{size_bytes / 1e9:.0f} GB"
