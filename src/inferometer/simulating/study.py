"""Study: what was asked about a described system, and everything that came out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from inferometer.simulating.capacity import Bound, Capacity
from inferometer.simulating.check import TOLERANCE, LoadCheck, Validation
from inferometer.simulating.lanes import can_run_in_lanes
from inferometer.simulating.predicting import DEFAULT_QUERIES, predict
from inferometer.simulating.prediction import Answer, Prediction
from inferometer.simulating.system import SimulatedSystem
from inferometer.simulating.tally import Estimate

__all__ = ["Study", "load_curve"]

_SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)
_MOST_EVENTS = 60_000
_SECONDS_IN_HOUR = 3600.0
_MILLION = 1e6


@dataclass(frozen=True)
class Study:
    """A description, the questions to it, and the answers.

    prediction:
        At the rate that was asked for, or at the capacity.
    curve:
        Predictions by rising rate, for a picture; may be empty.
    """

    system: SimulatedSystem
    prediction: Prediction | None = None
    bound: Bound | None = None
    capacity: Capacity | None = None
    curve: tuple[Prediction, ...] = ()
    validation: Validation | None = None

    @property
    def answer(self) -> Answer | None:
        """Whether the bound is kept at the rate; ``None`` where one of the two is missing."""
        if self.prediction is None or self.bound is None:
            return None
        return self.prediction.keeps(self.bound.limit_ns, self.bound.percentile)

    @property
    def per_hour(self) -> float | None:
        """What an hour of the system costs, if its price is known."""
        made = self.prediction
        return (made.system if made is not None else self.system).per_hour()

    @property
    def per_million(self) -> float | None:
        """What a million queries cost at the predicted rate, if the price is known."""
        hour, made = self.per_hour, self.prediction
        if hour is None or made is None or not made.is_stable:
            return None
        return hour / _SECONDS_IN_HOUR / made.qps * _MILLION

    def to_mapping(self) -> dict[str, Any]:
        """Give names and plain values, ready for JSON; times are ms."""
        system = self.prediction.system if self.prediction is not None else self.system
        bound = self.bound
        return {
            "system": {
                "name": system.name,
                "replicas": system.replicas,
                "routing": system.routing.value,
                "saturation_qps": _plain(system.saturation_qps),
            },
            "bound": None
            if bound is None
            else {"limit_ms": bound.limit_ns / 1e6, "percentile": bound.percentile},
            "answer": None if self.answer is None else self.answer.name.lower(),
            "prediction": _prediction(self.prediction),
            "capacity_qps": None if self.capacity is None else _ends(self.capacity.qps, 1.0),
            "cost": {
                "per_hour": self.per_hour,
                "per_million_queries": self.per_million,
                "currency": "" if system.price is None else system.price.currency,
            },
            "curve": [_prediction(made) for made in self.curve],
            "validation": None if self.validation is None else _validation(self.validation),
        }


def load_curve(
    system: SimulatedSystem,
    queries: int = DEFAULT_QUERIES // 4,
    seed: int = 0,
    note: Callable[[str], None] = lambda _: None,
) -> tuple[Prediction, ...]:
    """Predict at rates from little load to nearly all that the system can answer."""
    if not can_run_in_lanes(system):
        queries = min(queries, _MOST_EVENTS)
    found = []
    for number, share in enumerate(_SHARES, start=1):
        found.append(predict(system, share * system.saturation_qps, queries, seed))
        note(f"load {number} of {len(_SHARES)}")
    return tuple(found)


def _prediction(made: Prediction | None) -> dict[str, Any] | None:
    if made is None:
        return None
    return {
        "qps": made.qps,
        "is_stable": made.is_stable,
        "latency_ms": {f"p{100 * at:g}": _ends(found, 1e6) for at, found in made.latency.items()},
        "mean_ms": _ends(made.mean, 1e6),
        "utilisation": _plain(made.utilisation),
        "batch": _plain(made.batch),
        "waiting": _plain(made.waiting),
        "outstanding": _plain(made.outstanding),
        "lost": made.lost,
        "retried": made.retried,
        "queries": made.queries,
        "method": made.method,
        "scale_error": made.scale_error,
    }


def _validation(found: Validation) -> dict[str, Any]:
    return {
        "workload": found.workload,
        "saturation_qps": list(found.saturation_qps),
        "tolerance": TOLERANCE,
        "is_met": found.is_met,
        "loads": [_check(check) for check in found.checks],
    }


def _check(check: LoadCheck) -> dict[str, Any]:
    return {
        "load": check.load,
        "qps": check.qps,
        "real_p99_ms": [value / 1e6 for value in check.real_ns],
        "median_p99_ms": check.median_ns / 1e6,
        "predicted_p99_ms": [value / 1e6 for value in check.predicted_ns],
        "median_predicted_p99_ms": check.predicted_median_ns / 1e6,
        "error": check.error,
        "error_interval": [check.error_interval.low, check.error_interval.high],
        "is_met": check.is_met,
    }


def _ends(found: Estimate, size: float) -> dict[str, float | None]:
    return {name: _plain(getattr(found, name) / size) for name in ("value", "low", "high")}


def _plain(value: float) -> float | None:
    """Give a number that JSON has; infinite ones it hasn't."""
    return float(value) if math.isfinite(value) else None
