"""Made-up machines: the files that a kernel would show, below a folder."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

CPU = "sys/devices/system/cpu"


def make_machine(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below a root; a value that begins with ``->`` is a link."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif content.startswith("->"):
            path.symlink_to(content.removeprefix("->"))
        else:
            path.write_text(content)
    return root


def server() -> dict[str, str | bytes]:
    """Two sockets of four cores with two threads each, SSDs, two cards, 64 GiB in modules."""
    files: dict[str, str | bytes] = {
        "proc/cpuinfo": "processor\t: 0\nmodel name\t: Test(R)  CPU 9000 @ 2.00GHz\nflags: a\n\n"
        "processor\t: 1\nmodel name\t: Test(R)  CPU 9000 @ 2.00GHz\n",
        "proc/meminfo": "MemTotal:       65536000 kB\nMemFree: 1 kB\n",
        "proc/sys/kernel/osrelease": "6.1.0\n",
        "etc/os-release": 'NAME="Test"\nPRETTY_NAME="Test OS 1 (first)"\n',
        "sys/class/dmi/id/sys_vendor": "Maker\n",
        "sys/class/dmi/id/product_name": "Box 1\n",
        f"{CPU}/cpu0/cpufreq/cpuinfo_max_freq": "3500000\n",
        f"{CPU}/cpu0/cpufreq/base_frequency": "2000000\n",
        "sys/block/nvme0n1/size": "1953525168\n",
        "sys/block/nvme0n1/removable": "0\n",
        "sys/block/sda/size": "7814037168\n",
        "sys/block/sda/queue/rotational": "1\n",
        "sys/block/sdb/size": "100\n",
        "sys/block/sdb/removable": "1\n",
        "sys/block/loop0/size": "8000\n",
        "sys/block/dm-0/size": "8000\n",
        "sys/class/net/lo/type": "772\n",
        "sys/firmware/dmi/tables/DMI": memory_table([16384, 16384, 0, 32768]),
    }
    for number, (level, kind, size) in enumerate(
        [("1", "Data", "32K"), ("1", "Instruction", "32K"), ("2", "Unified", "1024K")]
    ):
        folder = f"{CPU}/cpu0/cache/index{number}"
        files |= {f"{folder}/level": level, f"{folder}/type": kind, f"{folder}/size": size}
    for cpu in range(16):
        folder = f"{CPU}/cpu{cpu}/topology"
        files[f"{folder}/physical_package_id"] = str(cpu % 2)
        files[f"{folder}/core_id"] = str(cpu // 2 % 4)
    for port in (0, 1):
        folder = f"sys/class/net/eth{port}"
        files |= {
            f"sys/devices/0000:03:00.{port}/vendor": "1",
            f"{folder}/type": "1\n",
            f"{folder}/speed": "25000\n",
            f"{folder}/device": f"->../../../devices/0000:03:00.{port}",
        }
    files |= {
        "sys/devices/0000:04:00.0/vendor": "1",
        "sys/class/net/ib0/type": "32\n",
        "sys/class/net/ib0/speed": "100000\n",
        "sys/class/net/ib0/device": "->../../../devices/0000:04:00.0",
    }
    return files


def memory_table(sizes_mib: list[int]) -> bytes:
    """Make an SMBIOS table with a memory device (type 17) of each size, DDR4-3200."""
    table = struct.pack("<BBH", 0, 4, 0) + b"maker\0\0"
    for size in sizes_mib:
        entry = bytearray(0x22)
        entry[0], entry[1], entry[0x12] = 17, len(entry), 0x1A
        is_large = size >= 0x7FFF
        struct.pack_into("<H", entry, 0x0C, 0x7FFF if is_large else size)
        struct.pack_into("<I", entry, 0x1C, size if is_large else 0)
        struct.pack_into("<H", entry, 0x15, 3200)
        table += bytes(entry) + b"slot\0\0"
    return table + struct.pack("<BBH", 127, 4, 0) + b"\0\0"
