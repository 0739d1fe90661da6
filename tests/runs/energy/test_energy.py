"""Energy: counters found in made-up trees of ``/sys``, and cut to a series."""

from __future__ import annotations

from pathlib import Path

import pytest

from inferometer.loadgen import Recording
from inferometer.runs.energy import EnergyMeter, energy_of, find_counters
from tests.support import short_settings, simulate


def domain(root: Path, folder: str, name: str, count_uj: int, limit_uj: int = 1 << 32) -> Path:
    place = root / "class/powercap" / folder
    place.mkdir(parents=True)
    (place / "name").write_text(f"{name}\n")
    (place / "energy_uj").write_text(f"{count_uj}\n")
    (place / "max_energy_range_uj").write_text(f"{limit_uj}\n")
    return place


def battery(root: Path, **files: object) -> Path:
    place = root / "class/power_supply/BAT0"
    place.mkdir(parents=True)
    for name, value in {"type": "Battery", "status": "Discharging", **files}.items():
        (place / name).write_text(f"{value}\n")
    return place


def test_packages_and_memory_count_and_parts_of_packages_do_not(tmp_path: Path) -> None:
    domain(tmp_path, "intel-rapl:0", "package-0", 5)
    domain(tmp_path, "intel-rapl:0:0", "core", 3)
    domain(tmp_path, "intel-rapl:0:1", "dram", 7)
    domain(tmp_path, "intel-rapl:1", "psys", 99)
    domain(tmp_path, "intel-rapl-mmio:0", "package-0", 5)
    found = find_counters(tmp_path)
    assert [(one.name, one.read_uj()) for one in found] == [
        ("RAPL package-0", 5),
        ("RAPL package 0 dram", 7),
    ]


def test_what_may_not_be_read_is_left_out(tmp_path: Path) -> None:
    (domain(tmp_path, "intel-rapl:0", "package-0", 5) / "energy_uj").unlink()
    assert find_counters(tmp_path) == []


@pytest.mark.parametrize(
    ("files", "taken_uj"),
    [
        ({"energy_now": 1000}, -3_600_000),
        ({"charge_now": 2_000_000, "voltage_min_design": 10_000_000}, -72_000_000_000),
        ({"energy_now": 1000, "status": "Charging"}, None),
        ({"energy_now": 1000, "scope": "Device"}, None),
        ({}, None),
    ],
)
def test_a_battery_counts_while_it_is_used(
    tmp_path: Path, files: dict[str, object], taken_uj: int | None
) -> None:
    battery(tmp_path, **files)
    found = find_counters(tmp_path)
    assert [one.read_uj() for one in found] == ([] if taken_uj is None else [taken_uj])


def test_a_battery_is_not_added_to_the_processor_it_feeds(tmp_path: Path) -> None:
    domain(tmp_path, "intel-rapl:0", "package-0", 5)
    battery(tmp_path, energy_now=1000)
    assert [one.name for one in find_counters(tmp_path)] == ["RAPL package-0"]


class Steady:
    """Takes so many watts by the test's clock; its count wraps."""

    name = "RAPL package-0"
    wraps_at_uj = 3_000_000

    def __init__(self, watts: float):
        self.watts, self.now_s = watts, 0.0

    def read_uj(self) -> int | None:
        return round(self.now_s * self.watts * 1e6) % self.wraps_at_uj


def virtual_recording(seconds: float) -> Recording:
    settings = short_settings(min_duration_ms=int(seconds * 1000))
    return simulate(settings, 1_000_000).recording


def measured(recording: Recording, counter: Steady, times_s: list[float]) -> Recording:
    counter.now_s = times_s[0]
    meter = EnergyMeter([counter], lambda: counter.now_s)
    tell = meter.following(lambda _: None)
    assert tell is not None
    for counter.now_s in times_s[1:-1]:
        tell(None)  # type: ignore[arg-type]
    counter.now_s = times_s[-1]
    return meter.noted_in(recording)


def test_a_steady_load_gives_its_watts_whatever_the_wraps() -> None:
    recording = virtual_recording(seconds=2.0)
    series = recording.performance
    assert series is not None
    begin_s = series.wall_start_s
    times_s = [begin_s - 1 + number / 4 for number in range(20)]
    usage = energy_of(measured(recording, Steady(8.0), times_s))
    assert usage is not None
    assert usage.watts == pytest.approx(8.0, rel=1e-3)
    assert usage.joules == pytest.approx(8.0 * usage.seconds, rel=1e-3)
    assert usage.samples == int(series.is_complete.sum())
    assert usage.joules_per_sample == pytest.approx(usage.joules / usage.samples)


def test_long_tests_keep_few_points() -> None:
    recording = virtual_recording(seconds=2.0)
    times_s = [number / 4 for number in range(5000)]
    note = measured(recording, Steady(1.0), times_s).notes["energy"]
    assert 2 < len(note["times_s"]) <= 257
    assert len(note["counters"][0]["taken_uj"]) == len(note["times_s"])


def test_without_counters_nothing_is_said() -> None:
    recording = virtual_recording(seconds=0.5)
    noted = EnergyMeter([]).noted_in(recording)
    assert noted == recording
    assert energy_of(noted) is None
