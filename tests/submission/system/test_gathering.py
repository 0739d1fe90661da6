"""Facts of made-up machines, and of machines that say nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.submission.system import Sources, machine_facts
from inferometer.submission.system.accelerators import accelerator_facts
from inferometer.submission.system.memory import memory_facts
from inferometer.submission.system.network import network_facts
from inferometer.submission.system.processor import processor_facts
from inferometer.submission.system.software import operating_system_facts, software_of_runs
from inferometer.submission.system.sources import output_of
from inferometer.submission.system.storage import storage_facts
from tests.submission.system.machines import CPU, make_machine, memory_table, server


def silent(_: Sequence[str]) -> str:
    return ""


def test_a_server(tmp_path: Path) -> None:
    found = machine_facts(Sources(make_machine(tmp_path, server()), silent))
    assert found == {
        "accelerator_frequency": "N/A",
        "accelerator_host_interconnect": "N/A",
        "accelerator_interconnect": "N/A",
        "accelerator_interconnect_topology": "N/A",
        "accelerator_memory_capacity": "N/A",
        "accelerator_memory_configuration": "N/A",
        "accelerator_model_name": "N/A",
        "accelerator_on-chip_memories": "N/A",
        "accelerators_per_node": "0",
        "host_memory_capacity": "64 GiB",
        "host_memory_configuration": "1 x 32 GiB DDR4-3200, 2 x 16 GiB DDR4-3200",
        "host_network_card_count": "2",
        "host_networking": "2 x Ethernet 25 Gbit/s, InfiniBand 100 Gbit/s",
        "host_networking_topology": "N/A",
        "host_processor_caches": "L1d 32K, L1i 32K, L2 1024K",
        "host_processor_core_count": "4",
        "host_processor_frequency": "2.00 GHz base, 3.50 GHz max",
        "host_processor_model_name": "Test(R) CPU 9000 @ 2.00GHz",
        "host_processors_per_node": "2",
        "host_storage_capacity": "5.00 TB",
        "host_storage_type": "NVMe SSD, hard disk",
        "number_of_nodes": "1",
        "operating_system": "Test OS 1 (first), Linux 6.1.0",
        "system_name": "Maker Box 1",
    }


def test_a_machine_that_says_nothing(tmp_path: Path) -> None:
    found = machine_facts(Sources(tmp_path, silent))
    # That there is no accelerator can be told from what isn't there; the rest can't.
    assert {key for key in found if not key.startswith("accelerator")} == {
        "number_of_nodes",
        "host_networking_topology",
    }


def test_this_machine_is_not_empty() -> None:
    found = machine_facts()
    assert found["number_of_nodes"] == "1"
    assert all(isinstance(text, str) and text for text in found.values())


@pytest.mark.parametrize(
    ("cpuinfo", "name"),
    [
        ("Hardware\t: Board A\n", "Board A"),
        ("Model\t\t: Raspberry Pi 4\n", "Raspberry Pi 4"),
        ("", "From the tree"),
    ],
)
def test_processors_without_a_model_name(tmp_path: Path, cpuinfo: str, name: str) -> None:
    files = {"proc/cpuinfo": cpuinfo, "proc/device-tree/model": "From the tree\0"}
    facts = processor_facts(Sources(make_machine(tmp_path, files)))
    assert facts["host_processor_model_name"] == name
    assert facts["host_processors_per_node"] == ""
    assert facts["host_processor_core_count"] == ""


def test_sockets_that_the_kernel_does_not_number(tmp_path: Path) -> None:
    files = {f"{CPU}/cpu0/topology/physical_package_id": "-1", f"{CPU}/cpu0/topology/core_id": "0"}
    assert processor_facts(Sources(make_machine(tmp_path, files)))["host_processors_per_node"] == ""


def test_the_rated_frequency_stands_in_the_name(tmp_path: Path) -> None:
    files = {"proc/cpuinfo": "model name : Old CPU 5 @ 2.40GHz\n"}
    facts = processor_facts(Sources(make_machine(tmp_path, files)))
    assert facts["host_processor_frequency"] == "2.40GHz"


def test_memory_without_a_table(tmp_path: Path) -> None:
    files = {"proc/meminfo": "MemTotal:       24641536 kB\n"}
    assert memory_facts(Sources(make_machine(tmp_path, files))) == {
        "host_memory_capacity": "23.5 GiB"
    }


@given(st.binary(max_size=400), st.integers(0, 300))
def test_any_memory_table_is_read_without_an_error(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, cut: int
) -> None:
    table = memory_table([16384, 16384])
    for content in (noise, table[:cut], table[:cut] + noise):
        root = tmp_path_factory.mktemp("machine")
        files = {"sys/firmware/dmi/tables/DMI": content}
        assert isinstance(memory_facts(Sources(make_machine(root, files))), dict)


@pytest.mark.parametrize(
    ("name", "rotational", "kind"),
    [
        ("nvme0n1", "0", "NVMe SSD"),
        ("sda", "0", "SSD"),
        ("sda", "1", "hard disk"),
        ("sda", "", "disk"),
        ("vda", "1", "virtual disk"),
        ("mmcblk0", "0", "eMMC or SD card"),
    ],
)
def test_kinds_of_disks(tmp_path: Path, name: str, rotational: str, kind: str) -> None:
    files = {
        f"sys/block/{name}/size": "500000000",
        f"sys/block/{name}/queue/rotational": rotational,
    }
    assert storage_facts(Sources(make_machine(tmp_path, files))) == {
        "host_storage_capacity": "256 GB",
        "host_storage_type": kind,
    }


def test_networks(tmp_path: Path) -> None:
    files = {
        "sys/devices/virtio2/driver": "->../drivers/virtio_net",
        "sys/class/net/eth0/type": "1",
        "sys/class/net/eth0/speed": "-1",
        "sys/class/net/eth0/device": "->../../../devices/virtio2",
        "sys/class/net/wlan0/type": "1",
        "sys/class/net/wlan0/device": "->../../../devices/virtio2",
        "sys/class/net/wlan0/phy80211/name": "phy0",
    }
    facts = network_facts(Sources(make_machine(tmp_path, files)))
    assert facts["host_networking"] == "Ethernet (virtio_net), Wi-Fi (virtio_net)"
    assert facts["host_network_card_count"] == "1"


def test_accelerators_of_nvidia(tmp_path: Path) -> None:
    asked = []

    def smi(command: Sequence[str]) -> str:
        asked.append(command[0])
        row = "NVIDIA H200, 143771, 1980, 5, 16\n"
        return row * 2 + "broken\n"

    make_machine(tmp_path, {"proc/driver/nvidia/version": "550"})
    assert accelerator_facts(Sources(tmp_path, smi)) == {
        "accelerators_per_node": "2",
        "accelerator_model_name": "NVIDIA H200",
        "accelerator_memory_capacity": "140 GiB",
        "accelerator_frequency": "1980 MHz max",
        "accelerator_host_interconnect": "PCIe Gen5 x16",
    }
    assert asked == ["nvidia-smi"]


def test_accelerators_without_the_tool(tmp_path: Path) -> None:
    files = {"proc/driver/nvidia/gpus/0000:01:00.0/information": "Model: \t Tesla T4\nIRQ: 1\n"}
    assert accelerator_facts(Sources(make_machine(tmp_path, files), silent)) == {
        "accelerators_per_node": "1",
        "accelerator_model_name": "Tesla T4",
        "accelerator_interconnect": "N/A",
        "accelerator_interconnect_topology": "N/A",
    }


@pytest.mark.parametrize("kind", ["0x120000", "0x030200"])
def test_an_unknown_accelerator_is_not_described(tmp_path: Path, kind: str) -> None:
    files = {"sys/bus/pci/devices/0000:01:00.0/class": kind}
    assert accelerator_facts(Sources(make_machine(tmp_path, files), silent)) == {}


def test_a_display_adapter_is_no_accelerator(tmp_path: Path) -> None:
    files = {"sys/bus/pci/devices/0000:01:00.0/class": "0x030000"}
    facts = accelerator_facts(Sources(make_machine(tmp_path, files), silent))
    assert facts["accelerators_per_node"] == "0"


def test_software() -> None:
    backends = [
        {"framework": "ONNX Runtime", "version": "1.20"},
        {"framework": "ONNX Runtime", "version": "1.20"},
        {"framework": "none"},
        {},
    ]
    system = {"python": "CPython 3.11", "packages": {"numpy": "2.0"}}
    assert software_of_runs(backends, system) == {
        "framework": "ONNX Runtime 1.20, none",
        "other_software_stack": "CPython 3.11, numpy 2.0",
    }
    assert software_of_runs([], {}) == {"framework": "", "other_software_stack": ""}


def test_an_operating_system_without_a_name(tmp_path: Path) -> None:
    files = {"proc/sys/kernel/osrelease": "6.1.0"}
    assert operating_system_facts(Sources(make_machine(tmp_path, files))) == {
        "operating_system": "Linux 6.1.0"
    }


def test_commands_that_fail_are_silent() -> None:
    assert output_of(("false",)) == ""
    assert output_of(("no-such-command-here",)) == ""
    assert output_of(("echo", "x")) == "x\n"
