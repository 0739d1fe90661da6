"""Tuned setups: what tuning came to, for a scenario and for all of them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from inferometer.backends import asked_format
from inferometer.loadgen import Scenario
from inferometer.runs import RunRequest, SystemOptions
from inferometer.tuning.bench import Trial
from inferometer.tuning.gain import Gain

__all__ = ["Outcome", "TunedScenario", "Tuning", "identity_of"]


class Outcome(enum.StrEnum):
    """What the settings of a scenario in a tuned file are."""

    TUNED = "tuned"
    """Better than the defaults on fresh runs: the whole interval lies above 1."""
    DEFAULTS_BEST = "defaults are best"
    """Nothing that was tried seemed better than the defaults."""
    NOT_CONFIRMED = "gain not confirmed"
    """Something seemed better, but fresh runs didn't show it; the defaults stay."""
    NO_TIME = "no time to confirm"
    """Something seemed better, but too few fresh runs fitted; the defaults stay."""
    INTERRUPTED = "interrupted"
    """The search or the fresh runs were cut off; the defaults stay."""


@dataclass(frozen=True)
class TunedScenario:
    """What tuning a scenario came to.

    default, found:
        The setup without tuning, and the best that the search found; ``None`` for none.
    metric, unit:
        What was compared; in ns less is better, in 1/s more.
    default_value, found_value:
        Medians of the metric over the fresh runs.
    tried, left_out:
        Alternatives that were measured, and those that there was no time for.
    """

    scenario: Scenario
    outcome: Outcome
    default: SystemOptions
    found: SystemOptions | None = None
    gain: Gain | None = None
    metric: str = ""
    unit: str = ""
    default_value: float | None = None
    found_value: float | None = None
    tried: int = 0
    left_out: int = 0
    trials: tuple[Trial, ...] = field(default=(), repr=False)

    @property
    def options(self) -> SystemOptions:
        """The setup to use: what was found where it is better, else the defaults."""
        if self.outcome is Outcome.TUNED and self.found is not None:
            return self.found
        return self.default

    @property
    def summary(self) -> str:
        """What came out, in a sentence."""
        tried = f"of {self.tried} tried" + (
            f", {self.left_out} left out for want of time" if self.left_out else ""
        )
        match self.outcome:
            case Outcome.TUNED:
                return f"tuned is {self.gain} times as good as the defaults"
            case Outcome.DEFAULTS_BEST:
                return f"the defaults are best ({tried})"
            case Outcome.NOT_CONFIRMED:
                return f"the defaults are best: fresh runs gave {self.gain} for the best {tried}"
            case Outcome.NO_TIME:
                return "the defaults stay: no time to confirm what was found; raise --budget"
            case _:
                return "interrupted; the defaults stay"


@dataclass(frozen=True)
class Tuning:
    """Tuned scenarios of a workload, with all that decides whether they hold elsewhere.

    ``identity`` names workload, backend, device and number format.
    """

    identity: Mapping[str, str]
    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    made_at: str
    command: str
    scenarios: tuple[TunedScenario, ...] = ()
    was_interrupted: bool = False


def identity_of(request: RunRequest) -> dict[str, str]:
    """Give what a tuning is for, by name, as a tuned file says it."""
    return {
        "workload": request.workload,
        "backend": request.backend,
        "device": request.backend_options.device,
        "number_format": asked_format(
            request.workload_options.number_format, request.backend_options.precision
        ),
    }
