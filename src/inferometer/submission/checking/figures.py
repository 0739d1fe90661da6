"""Figures: the results that a summary states, computed from each other and compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from inferometer.loadgen import PERCENTILES, Era, Scenario
from inferometer.logs import DETAIL_LOG, SUMMARY_LOG
from inferometer.submission.checking.notebook import Notebook
from inferometer.submission.checking.numbers import real_in
from inferometer.submission.checking.run_logs import RunLogs
from inferometer.submission.checking.settings import Asked

__all__ = ["check_figures", "headline_name", "headline_of"]

_V05_HEADLINES: Mapping[Scenario, str] = {
    Scenario.SINGLE_STREAM: "90th percentile latency (ns)",
    Scenario.MULTI_STREAM: "Samples per query",
    Scenario.SERVER: "Scheduled samples per second",
    Scenario.OFFLINE: "Samples per second",
}
"""The figure that counts, by its name in a v0.5 summary."""

_CURRENT_HEADLINES: Mapping[Scenario, str] = {
    Scenario.SINGLE_STREAM: "early_stopping_latency_ss",
    Scenario.MULTI_STREAM: "early_stopping_latency_ms",
    Scenario.SERVER: "result_completed_samples_per_sec",
    Scenario.OFFLINE: "result_samples_per_second",
}
"""The figure that counts, by its key in a later detail log."""

_TOLERANCE = 0.01
"""Figures are printed with six digits or two decimals, and rates count the generator's time too."""

_COUNT_TOLERANCE = 0.02
_RATE_ROUNDING = 0.005
_ROUNDING_S = 0.1
"""Times in the detail log are in milliseconds, and are taken a little beside the series."""


def headline_name(scenario: Scenario, era: Era) -> str:
    """Give the name of the figure that counts, in the logs of an era."""
    return (_V05_HEADLINES if era.is_v05 else _CURRENT_HEADLINES)[scenario]


def headline_of(run: RunLogs, scenario: Scenario, era: Era) -> float | None:
    """Give the figure that counts; ``None`` if the logs have none."""
    name = headline_name(scenario, era)
    return real_in(run.figures.get(name) if era.is_v05 else run.record(name))


def check_figures(run: RunLogs, asked: Asked, notebook: Notebook) -> None:
    """Check the figures of one performance run."""
    if run.summary is None:
        return
    era, where = asked.round.era, (*run.parts, SUMMARY_LOG)
    headline = headline_of(run, asked.scenario, era)
    seen = f"{headline_name(asked.scenario, era)}: {'missing' if headline is None else headline}"
    is_there = headline is not None and (era.is_v05 or headline > 0)
    notebook.judge("result.missing", where, is_there, seen)
    verdicts = [run.figures.get("Result is", "no verdict")]
    if not era.is_v05:
        verdicts.append(run.record("result_validity") or "no verdict in the detail log")
        _check_early_stopping(run, asked, notebook)
    is_valid = run.summary.is_valid is True and set(verdicts) == {"VALID"}
    notebook.judge("result.invalid", where, is_valid, ", ".join(verdicts))
    contradictions = list(_contradictions(run, headline, asked))
    notebook.judge("result.contradiction", where, not contradictions, "; ".join(contradictions))
    extent = _extent(run, headline, asked)
    _check_duration(extent, asked, where, notebook)
    _check_query_count(extent, asked, where, notebook)
    _check_bound(run, asked, where, notebook)


def _check_early_stopping(run: RunLogs, asked: Asked, notebook: Notebook) -> None:
    """Check that there were enough queries to be sure of the percentile."""
    if asked.scenario is not Scenario.OFFLINE and run.detail is not None:
        met = run.record("early_stopping_met") or "not stated"
        notebook.judge("result.early-stopping", (*run.parts, DETAIL_LOG), met == "true", met)


@dataclass(frozen=True)
class _Extent:
    """How long a run took and how much it did, as far as that can be computed."""

    duration_s: float | None
    queries: float | None
    samples: float | None


def _latency_ns(run: RunLogs, name: str) -> float | None:
    return real_in(run.figures.get(f"{name} latency (ns)"))


def _percentiles(run: RunLogs) -> list[float]:
    """Give the latencies at the percentiles that a log states, from low to high."""
    found = (_latency_ns(run, f"{100 * share:.2f} percentile") for share in PERCENTILES)
    return [latency for latency in found if latency is not None]


def _contradictions(run: RunLogs, headline: float | None, asked: Asked) -> Iterator[str]:
    """Say which figures can't all come from the same latencies."""
    ordered = _percentiles(run)
    if ordered != sorted(ordered):
        yield "the percentiles don't rise"
    least, most, mean = (_latency_ns(run, name) for name in ("Min", "Max", "Mean"))
    if least is not None and most is not None:
        inner = [*ordered, *([] if mean is None else [mean])]
        # Percentiles of MultiStream are of queries, the extremes of samples.
        if asked.scenario is not Scenario.MULTI_STREAM and any(
            not least <= n <= most for n in inner
        ):
            yield "percentiles or mean lie outside minimum and maximum"
    if run.summary is not None and run.summary.is_valid:
        for name in ("Performance constraints", "Min duration", "Min queries"):
            if run.figures.get(f"{name} satisfied", "Yes").lower() != "yes":
                yield f"VALID, although {name.lower()} are not satisfied"
    if headline is not None:
        found = _V05_CONTRADICTIONS if asked.round.era.is_v05 else _CURRENT_CONTRADICTIONS
        if asked.scenario in found:
            yield from found[asked.scenario](run, headline)


def _single_stream(run: RunLogs, headline: float) -> Iterator[str]:
    at_90 = _latency_ns(run, "90.00 percentile")
    if at_90 is not None and not _is_near(headline, at_90, 1e-6):
        yield f"headline {headline:.0f} ns, but the 90th percentile is {at_90:.0f} ns"
    yield from _rate_and_mean(run)


def _early_stopped(run: RunLogs, headline: float) -> Iterator[str]:
    at_90 = _latency_ns(run, "90.00 percentile")
    if at_90 is not None and headline < at_90:
        yield f"estimate {headline:.0f} ns lies below the 90th percentile of {at_90:.0f} ns"
    yield from _rate_and_mean(run)


def _rate_and_mean(run: RunLogs) -> Iterator[str]:
    rate, mean = real_in(run.figures.get("QPS w/o loadgen overhead")), _latency_ns(run, "Mean")
    # Two decimals of the rate are few where it is low.
    slack = _TOLERANCE * 1e9 + _RATE_ROUNDING * (mean or 0.0)
    if rate and mean and abs(rate * mean - 1e9) > slack:
        yield f"{rate:g} queries a second don't fit a mean latency of {mean:.0f} ns"


def _multi_stream(run: RunLogs, headline: float) -> Iterator[str]:
    asked = run.count("samples_per_query")
    if asked is not None and asked != headline:
        yield f"headline {headline:g} samples a query, but {asked} were set"


def _server(run: RunLogs, headline: float) -> Iterator[str]:
    completed = real_in(run.figures.get("Completed samples per second"))
    if completed is not None and completed > headline * (1 + _TOLERANCE):
        yield f"{completed:g} samples a second completed, but only {headline:g} scheduled"


def _offline(run: RunLogs, headline: float) -> Iterator[str]:
    samples, last = run.count("samples_per_query"), _latency_ns(run, "Max")
    if samples and last and not _is_near(headline * last, samples * 1e9, _TOLERANCE):
        yield (
            f"{samples:,} samples at {headline:g} a second don't fit a last answer after "
            f"{last / 1e9:.3f} s"
        )


_V05_CONTRADICTIONS = {
    Scenario.SINGLE_STREAM: _single_stream,
    Scenario.MULTI_STREAM: _multi_stream,
    Scenario.SERVER: _server,
    Scenario.OFFLINE: _offline,
}
_CURRENT_CONTRADICTIONS = {Scenario.SINGLE_STREAM: _early_stopped, Scenario.OFFLINE: _offline}


def _extent(run: RunLogs, headline: float | None, asked: Asked) -> _Extent:
    """Compute duration and counts from rates, settings and the times in the detail log."""
    duration, scenario = run.duration_s, asked.scenario
    if scenario is Scenario.OFFLINE:
        samples = run.count("samples_per_query")
        computed = samples / headline if samples and headline else None
        return _Extent(computed or duration, 1.0, samples)
    if not asked.round.era.is_v05:
        return _Extent(duration, real_in(run.record("result_query_count")), None)
    names = {
        Scenario.SINGLE_STREAM: "QPS w/ loadgen overhead",
        Scenario.SERVER: "Completed samples per second",
        Scenario.MULTI_STREAM: "target_qps",
    }
    rate = real_in(run.figures.get(names[scenario]))
    if duration is None or rate is None:
        return _Extent(duration, None, None)
    queries = (rate + _RATE_ROUNDING) * duration
    if scenario is Scenario.MULTI_STREAM and run.generated_queries is not None:
        queries = min(queries, run.generated_queries)
    return _Extent(duration, queries, None)


def _check_duration(
    extent: _Extent, asked: Asked, where: tuple[str, ...], notebook: Notebook
) -> None:
    if extent.duration_s is None:
        notebook.cannot("result.duration", where, "neither times nor figures to compute it from")
        return
    least_s = asked.min_duration_ms / 1e3
    seen = f"{extent.duration_s:.1f} s, at least {least_s:g} s"
    is_kept = extent.duration_s >= least_s - _ROUNDING_S
    asked.judge(notebook, "result.duration", where, is_kept, seen)


def _check_query_count(
    extent: _Extent, asked: Asked, where: tuple[str, ...], notebook: Notebook
) -> None:
    rule_id = "result.query-count"
    is_offline = asked.scenario is Scenario.OFFLINE
    count = extent.samples if is_offline else extent.queries
    if count is None:
        notebook.cannot(rule_id, where, f"no times in {DETAIL_LOG} to compute it with")
        return
    least = asked.least_samples if is_offline else asked.min_query_count
    word = "samples" if is_offline else "queries, about"
    seen = f"{word} {count:,.0f}, at least {least:,}"
    asked.judge(notebook, rule_id, where, count >= least * (1 - _COUNT_TOLERANCE), seen)


def _check_bound(run: RunLogs, asked: Asked, where: tuple[str, ...], notebook: Notebook) -> None:
    """Check the latency at the percentile of the round against the bound of the round."""
    if asked.scenario not in (Scenario.SERVER, Scenario.MULTI_STREAM):
        return
    name = f"{100 * asked.percentile:.2f} percentile"
    latency = _latency_ns(run, name)
    if latency is None or asked.bound_ms is None:
        notebook.cannot("result.latency-bound", where, "no percentile, or no bound known")
        return
    seen = f"{latency / 1e6:.3f} ms at the {name}, at most {asked.bound_ms:g} ms"
    is_kept = latency <= asked.bound_ms * 1e6
    asked.judge(notebook, "result.latency-bound", where, is_kept, seen)


def _is_near(value: float, other: float, tolerance: float) -> bool:
    return abs(value - other) <= tolerance * abs(other)
