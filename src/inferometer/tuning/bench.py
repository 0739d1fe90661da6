"""Bench: measures setups on loaded models or fresh ones, and keeps a record of every trial."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from inferometer.backends import BackendError
from inferometer.loadgen import Scenario
from inferometer.runs import RunRequest, SystemOptions
from inferometer.runs.effort import Pace
from inferometer.runs.loaded import LoadedWorkload
from inferometer.runs.result import plain
from inferometer.tuning.shelf import Shelf
from inferometer.tuning.trial import Meter, Reading, TrialFailed

__all__ = ["Bench", "Trial"]

_GIVE_UP_SHARE = 0.6


@dataclass(frozen=True)
class Trial:
    """One measurement, as it was.

    stage:
        ``search`` or ``validation``.
    asked_s, took_s:
        How long it was to last, and how long it took with loading the model.
    at_s:
        When it began, since the tuning of the scenario did.
    reading, error:
        What was measured, or why nothing was.
    """

    stage: str
    options: SystemOptions
    lap: int
    asked_s: float
    at_s: float
    took_s: float
    reading: Reading | None
    error: str = ""

    def to_mapping(self) -> dict[str, Any]:
        """Give names and plain values, ready for JSON."""
        values: dict[str, Any] = plain(self)
        return values


@dataclass
class _Known:
    """What is known of a setup so far; it only sizes its next trials."""

    options: SystemOptions
    pace: Pace
    capacity_qps: list[float] = field(default_factory=list)


class Bench:
    """Measures setups in one scenario. ``default`` has to work, the others may fail."""

    def __init__(
        self,
        request: RunRequest,
        scenario: Scenario,
        shelf: Shelf,
        default: SystemOptions,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._meter = Meter(request, shelf.info, scenario)
        self._scenario = scenario
        self._shelf = shelf
        self._default = default
        self._clock = clock
        self._began = clock()
        self._known: list[_Known] = []
        self.trials: list[Trial] = []

    @property
    def least_s(self) -> float:
        """Shortest trial that says something."""
        return self._meter.least_s

    def search_trial(self, options: SystemOptions, seconds: float, lap: int) -> float | None:
        """Measure a setup on a model that may be loaded already; ``None`` if it fails."""

        def measure() -> Reading:
            loaded = self._shelf.take(options)
            known = self._of(options, loaded)
            give_up = 0.0
            if options != self._default:
                best = self._capacity_of(self._default)
                give_up = 0.0 if best is None else best * _GIVE_UP_SHARE
            start = self._capacity_of(options) or self._capacity_of(self._default)
            return self._read(loaded, known, seconds, lap, start, give_up, is_search=True)

        return self._try("search", options, seconds, lap, measure)

    def fresh_trial(
        self, options: SystemOptions, other: SystemOptions, seconds: float, lap: int
    ) -> float | None:
        """Measure a setup on a model loaded for it; it is compared with the other one.

        Both start to look for their capacity at the same rate, between what was found of both.
        """

        def measure() -> Reading:
            loaded = self._shelf.fresh(options)
            try:
                known = self._of(options, loaded)
                both = [self._capacity_of(one) for one in (options, other)]
                found = [rate for rate in both if rate is not None]
                start = math.prod(found) ** (1 / len(found)) if found else None
                return self._read(loaded, known, seconds, lap, start, 0.0, is_search=False)
            finally:
                loaded.close()

        return self._try("validation", options, seconds, lap, measure)

    def _read(
        self,
        loaded: LoadedWorkload,
        known: _Known,
        seconds: float,
        lap: int,
        start_qps: float | None,
        give_up_below_qps: float,
        *,
        is_search: bool,
    ) -> Reading:
        reading = self._meter.measure(
            loaded,
            known.pace,
            seconds,
            lap,
            is_search=is_search,
            start_qps=start_qps,
            give_up_below_qps=give_up_below_qps,
        )
        if self._scenario is Scenario.OFFLINE:
            known.pace = dataclasses.replace(known.pace, samples_per_s=reading.goodness)
        if self._scenario is Scenario.SERVER and is_search:
            known.capacity_qps.append(reading.goodness)
        return reading

    def _try(
        self,
        stage: str,
        options: SystemOptions,
        seconds: float,
        lap: int,
        measure: Callable[[], Reading],
    ) -> float | None:
        begun = self._clock()
        reading, failure = None, None
        try:
            reading = measure()
        except (BackendError, TrialFailed) as error:
            failure = error
            if options == self._default:
                raise
        finally:
            ended = self._clock()
            self.trials.append(
                Trial(
                    stage=stage,
                    options=options,
                    lap=lap,
                    asked_s=round(seconds, 4),
                    at_s=round(begun - self._began, 4),
                    took_s=round(ended - begun, 4),
                    reading=reading,
                    error="" if failure is None else str(failure),
                )
            )
        return None if reading is None else reading.goodness

    def _of(self, options: SystemOptions, loaded: LoadedWorkload) -> _Known:
        for known in self._known:
            if known.options == options:
                return known
        self._known.append(_Known(options, loaded.pace))
        return self._known[-1]

    def _capacity_of(self, options: SystemOptions) -> float | None:
        """Give the mean of the capacities found in the search, on a logarithmic scale."""
        for known in self._known:
            if known.options == options and known.capacity_qps:
                return math.prod(known.capacity_qps) ** (1 / len(known.capacity_qps))
        return None
