"""Memory facts: capacity, and the modules where the firmware's table may be read."""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Iterator

from inferometer.submission.system.sources import Sources

__all__ = ["memory_facts"]

_TABLE = "sys/firmware/dmi/tables/DMI"
_MEMORY_DEVICE = 17
_KINDS = {0x18: "DDR3", 0x1A: "DDR4", 0x1E: "LPDDR4", 0x20: "HBM", 0x21: "HBM2", 0x22: "DDR5",
          0x23: "LPDDR5"}  # fmt: skip
_KNOWN_BYTES = 0x22
_GIB = 2**30


def memory_facts(sources: Sources) -> dict[str, str]:
    """Give capacity and configuration of the memory.

    The modules count where the firmware lists them, which only a privileged user may read;
    otherwise the capacity is what the kernel has to give, a little less than is built in.
    """
    modules = list(_modules(sources.data(_TABLE)))
    if modules:
        total = sum(size for size, _ in modules)
        return {
            "host_memory_capacity": _size(total),
            "host_memory_configuration": ", ".join(
                f"{count} x {_size(size)}{kind}"
                for (size, kind), count in sorted(Counter(modules).items(), reverse=True)
            ),
        }
    match = re.search(r"^MemTotal:\s+(\d+) kB", sources.text("proc/meminfo"), re.MULTILINE)
    return {"host_memory_capacity": _size(int(match[1]) * 1024) if match else ""}


def _size(size_bytes: int) -> str:
    return f"{size_bytes / _GIB:.1f}".removesuffix(".0") + " GiB"


def _modules(table: bytes) -> Iterator[tuple[int, str]]:
    """Give size in bytes and kind of each module in the SMBIOS table (type 17).

    Source: DMTF DSP0134, System Management BIOS Reference Specification, 7.18.
    """
    at = 0
    while at + 4 <= len(table):
        kind, length = table[at], table[at + 1]
        if length < 4 or at + length > len(table):
            return
        if kind == _MEMORY_DEVICE and length >= _KNOWN_BYTES:
            size = _module_bytes(table[at : at + length])
            if size:
                yield size, _module_kind(table[at : at + length])
        end = table.find(b"\0\0", at + length)
        if end < 0:
            return
        at = end + 2


def _module_bytes(entry: bytes) -> int:
    """Give the size of a module; 0 for an empty slot and for one that isn't known."""
    (size,) = struct.unpack_from("<H", entry, 0x0C)
    if size in (0, 0xFFFF):
        return 0
    if size == 0x7FFF:
        return int(struct.unpack_from("<I", entry, 0x1C)[0] & 0x7FFFFFFF) << 20
    # The highest bit says that the rest counts KiB, not MiB.
    return int(size & 0x7FFF) << (10 if size & 0x8000 else 20)


def _module_kind(entry: bytes) -> str:
    kind = _KINDS.get(entry[0x12], "")
    (speed,) = struct.unpack_from("<H", entry, 0x15)
    known_speed = f"-{speed}" if speed not in (0, 0xFFFF) else ""
    return f" {kind}{known_speed}" if kind else ""
