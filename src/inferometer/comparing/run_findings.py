"""Findings of runs: other work, runs that don't count, that warm up, drift or stand apart."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from inferometer.comparing.comparison import ScenarioResult
from inferometer.comparing.findings import finding_of
from inferometer.comparing.measurement import Measurement
from inferometer.comparing.ratio import Basis
from inferometer.comparing.stability import drift_of, outliers_of
from inferometer.loadgen import Finding

__all__ = ["run_findings", "time_findings", "work_findings"]

_OFTEN = 0.5
_SHOWN_OUTLIERS = 3


def work_findings(runs: dict[str, list[Measurement]]) -> Iterator[Finding]:
    """Refuse what isn't the same metric or the same work."""
    metrics = {label: found[0].metric for label, found in runs.items()}
    if len(set(metrics.values())) > 1:
        yield finding_of("metric", _each(metrics))
    names = dict.fromkeys(name for found in runs.values() for name in found[0].asked)
    for name in names:
        asked = {label: str(found[0].asked.get(name, "none")) for label, found in runs.items()}
        if len(set(asked.values())) > 1:
            yield finding_of("load", f"{name}: {_each(asked)}")


def _each(values: dict[str, str]) -> str:
    return ", ".join(f"{value} ({label})" for label, value in values.items())


def run_findings(runs: dict[str, list[Measurement]], *, is_interleaved: bool) -> list[Finding]:
    """Find runs that don't count, that warm up, that stand apart; and drift over all."""
    found: list[Finding] = []
    for label, some in runs.items():
        bad = [one for one in some if not one.is_valid]
        if bad:
            found.append(finding_of("invalid", f"{len(bad)} of {len(some)} of {label}"))
        warm_ups = [one.warm_up for one in some if one.warm_up is not None]
        if len(warm_ups) > len(some) * _OFTEN:
            change = statistics.median(one.change for one in warm_ups)
            share = statistics.median(one.share for one in warm_ups)
            word = "slower" if change > 0 else "faster"
            seen = (
                f"{label}: the first {share:.0%} of {len(warm_ups)} of {len(some)} runs was "
                f"{abs(change):.0%} {word} than the rest"
            )
            found.append(finding_of("warm-up", seen))
        if is_interleaved:
            found += _of_series(label, some)
    return found


def _of_series(label: str, runs: Sequence[Measurement]) -> Iterator[Finding]:
    speeds = [one.speed for one in runs]
    drift = drift_of(speeds)
    if drift is not None:
        word = "slower" if drift.change < 0 else "faster"
        yield finding_of(
            "drift",
            f"{label} became {abs(drift.change):.0%} {word} from the first block to the last",
        )
    apart = outliers_of(speeds)
    if apart:
        middle = statistics.median(speeds)
        told = [
            f"block {runs[place].block + 1} at {speeds[place] / middle:.2f} of the usual speed"
            for place in apart[:_SHOWN_OUTLIERS]
        ]
        more = f" and {len(apart) - _SHOWN_OUTLIERS} more" if len(apart) > _SHOWN_OUTLIERS else ""
        yield finding_of("outlier", f"{label}: {', '.join(told)}{more}")


def time_findings(scenarios: Sequence[ScenarioResult]) -> list[Finding]:
    """Say what can't be known from runs that were recorded at different times."""
    found = [finding_of("not-interleaved", "runs that were recorded at different times")]
    single = [
        one.scenario.value
        for one in scenarios
        if any(pair.ratio is not None and pair.ratio.basis is Basis.SINGLE for pair in one.pairs)
    ]
    if single:
        found.append(finding_of("single-run", ", ".join(single)))
    return found
