"""Find-peak: the published search for the highest load that meets the bound."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from inferometer.loadgen.effective import EffectiveSettings
from inferometer.loadgen.settings import Settings
from inferometer.loadgen.vocabulary import Scenario

__all__ = ["FindPeak", "PeakSeries"]

_MOST_QPS = 1e7
_MOST_QUERIES = 2e8
_MOST_SAMPLES_PER_QUERY = 1 << 24


@dataclass(frozen=True)
class PeakSeries:
    """What the search needs of the test it drives.

    load:
        Loads the set; its argument is the largest load that will run on it.
    run:
        Runs one series at a load on the loaded set; tells whether the bound was met,
        ``None`` if the test has to end.
    unload:
        Unloads the set.
    count:
        Gives how many series have run.
    tell:
        Takes down a step: ``base``, ``boundaries``, ``found_boundaries``, ``middle``,
        ``found``, ``base_failed`` or ``unbounded``, with the loads that belong to it.
    """

    load: Callable[[float], None]
    run: Callable[[float], bool | None]
    unload: Callable[[], None]
    count: Callable[[], int]
    tell: Callable[[str, tuple[float, ...]], None]


class FindPeak:
    """The published algorithm: double until the bound fails, then bisect.

    The load is the rate for Server and, in v0.5, the samples per query for the two
    multi-stream scenarios. Minimum duration, minimum queries and early stopping are not
    looked at. `search` gives which series is the answer, or ``None``.

    Source: MLPerf LoadGen's find-peak mode.
    """

    def __init__(self, settings: Settings, effective: EffectiveSettings, series: PeakSeries):
        self._settings = settings
        self._effective = effective
        self._series = series
        self._is_rate = settings.scenario is Scenario.SERVER

    @staticmethod
    def is_supported(settings: Settings) -> bool:
        """Tell whether the scenario has a find-peak mode in its era."""
        if settings.scenario is Scenario.SERVER:
            return True
        return settings.era.is_v05 and settings.scenario.is_multi_stream

    def search(self) -> int | None:
        """Run the search; give the number of the series that holds the result."""
        base = self._base()
        self._say("base", base)
        self._series.load(base)
        met = self._series.run(base)
        best = self._series.count() - 1
        if not met:
            if met is False:
                self._say("base_failed", base)
            self._series.unload()
            return best
        self._series.unload()
        lower, upper, best = self._widen(base, best)
        if upper is None:
            return best
        self._say("found_boundaries", lower, upper)
        self._series.load(upper)
        best, lower = self._bisect(lower, upper, best)
        self._say("found", lower)
        self._series.unload()
        return best

    def _base(self) -> float:
        if self._is_rate:
            return self._effective.target_qps
        return float(self._effective.samples_per_query)

    def _widen(self, lower: float, best: int) -> tuple[float, float | None, int]:
        """Raise the load until the bound fails; without an upper bound if none does."""
        factor = 1.0 + (
            self._settings.server_find_peak_qps_boundary_step_size if self._is_rate else 1.0
        )
        while True:
            upper = lower * factor
            if self._is_beyond(upper):
                self._say("unbounded", lower)
                return lower, None, best
            self._say("boundaries", lower, upper)
            self._series.load(upper)
            met = self._series.run(upper)
            number = self._series.count() - 1
            self._series.unload()
            if met is None:
                return lower, None, best
            if not met:
                return lower, upper, best
            lower, best = upper, number

    def _is_beyond(self, load: float) -> bool:
        """Tell whether a load is more than any generator issues, or its plan too large.

        A test that ends early, or a very short one, may meet the bound at any load; the
        published search then goes on for ever.
        """
        if not self._is_rate:
            return load > _MOST_SAMPLES_PER_QUERY
        seconds = self._effective.target_duration_ms / 1e3
        return load > _MOST_QPS or load * seconds > _MOST_QUERIES

    def _bisect(self, lower: float, upper: float, best: int) -> tuple[int, float]:
        """Halve the interval until it is as narrow as asked for."""
        decimals = self._settings.server_find_peak_qps_decimals_of_precision
        scale = 10.0**decimals if self._is_rate else 1.0
        while math.floor(lower * scale) + 1 < math.floor(upper * scale):
            middle = lower + (upper - lower) / 2
            if not self._is_rate:
                middle = math.floor(middle)
            self._say("middle", lower, upper, middle)
            met = self._series.run(middle)
            if met is None:
                break
            if met:
                lower, best = middle, self._series.count() - 1
            else:
                upper = middle
        return best, lower

    def _say(self, step: str, *values: float) -> None:
        self._series.tell(step, values)
