"""Energy usage: what a performance series took, cut out of what the counters showed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inferometer.loadgen import Recording

__all__ = ["EnergyUsage", "energy_of"]

_UJ = 1e-6
_LEAST_S = 0.05


@dataclass(frozen=True)
class EnergyUsage:
    """Energy of the parts that count theirs, from the series' start to its last answer.

    It is component energy, everything included that the parts did at the time: no idle share
    is taken off. It isn't what MLPerf Power measures, which is the whole system at the wall.

    parts_j:
        Joules of each counter, by its name.
    """

    parts_j: dict[str, float]
    seconds: float
    samples: int

    @property
    def joules(self) -> float:
        """All parts together, J."""
        return sum(self.parts_j.values())

    @property
    def watts(self) -> float:
        """Mean power, W."""
        return self.joules / self.seconds

    @property
    def joules_per_sample(self) -> float:
        """Energy of an answered sample, J."""
        return self.joules / self.samples

    @property
    def source(self) -> str:
        """What was counted, in words."""
        return f"component energy: {', '.join(self.parts_j)}"


def energy_of(recording: Recording) -> EnergyUsage | None:
    """Give what the performance series took; ``None`` where nothing counted it.

    Between the points of time at which counters were read, which are about a quarter of a
    second apart, counts are interpolated; a series shorter than 50 ms has no figure.
    """
    series, note = recording.performance, recording.notes.get("energy")
    if series is None or not isinstance(note, dict):
        return None
    done_ns = series.completed_ns[series.is_complete]
    seconds = int(done_ns.max(initial=0)) / 1e9
    times_s = np.asarray(note["times_s"], dtype=np.float64)
    if seconds < _LEAST_S or len(times_s) < 2:
        return None
    ends_s = [series.wall_start_s, series.wall_start_s + seconds]
    parts_j = {}
    for counter in note["counters"]:
        first, last = np.interp(ends_s, times_s, np.asarray(counter["taken_uj"], np.float64))
        parts_j[str(counter["name"])] = float(last - first) * _UJ
    return EnergyUsage(parts_j, seconds, len(done_ns)) if parts_j else None
