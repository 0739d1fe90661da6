"""Summary log: ``mlperf_log_summary.txt``, in both dialects."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from inferometer.loadgen.effective import EffectiveSettings
from inferometer.loadgen.judging import series_effective
from inferometer.loadgen.recording import Recording
from inferometer.loadgen.verdict import PERCENTILES, LatencySummary, Verdict
from inferometer.loadgen.vocabulary import Scenario
from inferometer.logs.records import error_count, warning_count
from inferometer.logs.wording import (
    compact,
    early_stopping_text,
    fixed,
    mode_name,
    recommendations,
    scenario_name,
)

__all__ = ["summary_lines"]

_RULE = "=" * 48
_CONCATENATE_WARNING = (
    "WARNING: sample_concatenate_permutation was set to true. ",
    "Generated samples per query might be different as the one in the setting.",
    "Check the generated_samples_per_query line in the detailed log for the real",
    "samples_per_query value",
)


def summary_lines(recording: Recording, verdict: Verdict | None) -> list[str]:
    """Give the lines of the summary log.

    Accuracy-only tests and unsupported find-peak runs have only the two tail lines.
    """
    lines: list[str] = []
    if verdict is not None:
        lines.extend(_Summary(recording, verdict).lines())
    lines.append("")
    lines.append(_tail(warning_count(recording), "warning", "warnings"))
    lines.append("")
    lines.append(_tail(error_count(recording), "ERROR", "ERRORS", "errors"))
    return lines


def _tail(count: int, one: str, many: str, none: str = "warnings") -> str:
    if count == 0:
        return f"No {none} encountered during test."
    return f"{count} {one if count == 1 else many} encountered. See detailed log."


class _Summary:
    """The parts of one summary."""

    def __init__(self, recording: Recording, verdict: Verdict):
        self.recording = recording
        self.verdict = verdict
        self.is_v05 = recording.settings.era.is_v05
        self.scenario = verdict.scenario
        series = recording.performance
        assert series is not None
        self.effective = series_effective(recording, series)
        self.uses_tokens = self.effective.use_token_latencies
        self.factor = self.effective.token_latency_scaling_factor
        self.infers_tokens = self.effective.infer_token_latencies

    def lines(self) -> Iterator[str]:
        yield from _title("MLPerf Results Summary")
        name = self.recording.notes.get("summary_sut_name", self.recording.sut_name)
        yield f"SUT name : {name}"
        yield f"Scenario : {scenario_name(self.scenario, self.is_v05)}"
        yield f"Mode     : {mode_name(self.recording.settings.mode, self.is_v05)}"
        yield from self._headline()
        yield from self._validity()
        yield ""
        yield from _title("Additional Stats")
        yield from self._rates()
        yield from self._latencies()
        yield from self._tokens()
        yield ""
        yield from _title("Test Parameters Used")
        yield from parameter_lines(self.effective, self.is_v05)
        if self.effective.sample_concatenate_permutation:
            yield from _CONCATENATE_WARNING

    def _headline(self) -> Iterator[str]:
        rates, fraction = self.verdict.rates, self.effective.target_latency_percentile
        summary = self.verdict.query_latency or self.verdict.sample_latency
        reached = summary.percentiles_ns[fraction] if summary else 0
        match self.scenario:
            case Scenario.SINGLE_STREAM if self.is_v05:
                yield f"{fraction * 100:.0f}th percentile latency (ns) : {reached}"
            case Scenario.MULTI_STREAM if self.is_v05:
                yield f"Samples per query : {self.effective.samples_per_query}"
            case Scenario.MULTI_STREAM_FREE:
                yield f"Samples per second : {compact(rates.samples_per_s)}"
            case Scenario.SERVER if self.is_v05:
                rate = fixed(rates.scheduled_samples_per_s)
                yield f"Scheduled samples per second : {rate}"
            case Scenario.SERVER:
                rate = fixed(rates.completed_samples_per_s)
                yield f"Completed samples per second    : {rate}"
            case Scenario.OFFLINE:
                yield f"Samples per second: {compact(rates.samples_per_s)}"
            case _:
                yield f"{fraction * 100:.1f}th percentile latency (ns) : {reached}"
        yield from self._token_headline(fraction)

    def _token_headline(self, fraction: float) -> Iterator[str]:
        tokens, rates = self.verdict.tokens, self.verdict.rates
        if tokens is not None:
            match self.scenario:
                case Scenario.OFFLINE:
                    yield f"Tokens per second: {compact(tokens.tokens_per_s)}"
                case Scenario.SERVER:
                    yield f"Completed tokens per second: {fixed(tokens.completed_per_s)}"
                case _:
                    first = tokens.first_token
                    reached = first.percentiles_ns[fraction] if first else 0
                    yield f"{fraction * 100:.1f}th first token percentile latency (ns) : {reached}"
        if self.infers_tokens and self.scenario is Scenario.SERVER:
            rate = fixed(scaled(rates.completed_samples_per_s, self.factor))
            yield f"Completed tokens per second (inferred): {rate}"
        if self.infers_tokens and self.scenario is Scenario.OFFLINE:
            rate = compact(scaled(rates.samples_per_s, self.factor))
            yield f"Tokens per second (inferred): {rate}"

    def _validity(self) -> Iterator[str]:
        verdict = self.verdict
        is_valid = verdict.is_valid_as_published
        yield f"Result is : {'VALID' if is_valid else 'INVALID'}"
        if verdict.perf_constraints_met is not None:
            yield f"  Performance constraints satisfied : {_yes(verdict.perf_constraints_met)}"
        yield f"  Min duration satisfied : {_yes(verdict.min_duration_met)}"
        yield f"  Min queries satisfied : {_yes(verdict.min_queries_met)}"
        if verdict.early_stopping_met is not None:
            yield f"  Early stopping satisfied: {_yes(verdict.early_stopping_met)}"
        if not is_valid:
            yield "Recommendations:"
            for text in recommendations(verdict, self.is_v05):
                yield from f" * {text}".split("\n")
        yield from self._early_stopping()

    def _early_stopping(self) -> Iterator[str]:
        verdict = self.verdict
        if self.is_v05 or self.scenario is Scenario.OFFLINE:
            return
        if self.uses_tokens:
            yield "TTFT Early Stopping Result:"
            yield from early_stopping_text(verdict.first_token_stopping).split("\n")
            yield "TPOT Early Stopping Result:"
            yield from early_stopping_text(verdict.stopping).split("\n")
            return
        yield "Early Stopping Result:"
        yield from early_stopping_text(verdict.stopping).split("\n")

    def _rates(self) -> Iterator[str]:
        rates = self.verdict.rates
        if self.scenario is Scenario.SINGLE_STREAM:
            yield f"QPS w/ loadgen overhead         : {fixed(rates.qps_with_overhead)}"
            yield f"QPS w/o loadgen overhead        : {fixed(rates.qps_without_overhead)}"
            yield ""
        elif self.scenario is Scenario.SERVER and self.is_v05:
            yield f"Completed samples per second    : {fixed(rates.completed_samples_per_s)}"
            yield ""
        elif self.scenario is Scenario.SERVER:
            yield f"Scheduled samples per second : {fixed(rates.scheduled_samples_per_s)}"

    def _latencies(self) -> Iterator[str]:
        verdict = self.verdict
        if not self.scenario.is_multi_stream:
            yield from _latency_lines(verdict.sample_latency)
        elif not self.is_v05:
            yield "Per-query latency:  "
            yield from _latency_lines(verdict.query_latency)
        else:
            yield from self._v05_multi_stream()
            yield ""
            yield "Per-sample latency:"
            yield from _latency_lines(verdict.sample_latency)

    def _v05_multi_stream(self) -> Iterator[str]:
        rate, bound_ns = self.effective.target_qps, self.effective.target_latency_ns
        period_ms = compact(1000.0 / rate)
        yield f'Intervals between each IssueQuery:  "qps" : {compact(rate)}, "ms" : {period_ms}'
        for fraction in PERCENTILES:
            ticks = (self.verdict.ticks or {}).get(fraction, 0)
            yield f"{fraction * 100:.2f} percentile : {ticks}"
        yield ""
        target_ms = compact(bound_ns / 1e6)
        yield f'Per-query latency:  "target_ns" : {bound_ns}, "target_ms" : {target_ms}'
        yield from _percentile_lines(self.verdict.query_latency, "latency (ns)   ")

    def _tokens(self) -> Iterator[str]:
        tokens = self.verdict.tokens
        if tokens is None:
            return
        yield ""
        if self.scenario is Scenario.SINGLE_STREAM:
            yield f"TPS w/ loadgen overhead         : {fixed(tokens.with_overhead_per_s)}"
            yield f"TPS w/o loadgen overhead        : {fixed(tokens.without_overhead_per_s)}"
        if self.scenario is Scenario.SERVER:
            rate = fixed(tokens.completed_per_s)
            yield f"Completed tokens per second                 : {rate}"
        if self.scenario is not Scenario.OFFLINE:
            yield from _token_lines(
                tokens.first_token, "First Token latency", "first token latency"
            )
            yield ""
            yield from _token_lines(
                tokens.per_token, "Time per Output Token", "time to output token"
            )


def parameter_lines(effective: EffectiveSettings, is_v05: bool) -> Iterator[str]:
    """Give the block of effective settings at the end of the summary."""
    flag: Callable[[bool], str] = (lambda b: str(b).lower()) if is_v05 else (lambda b: str(int(b)))
    yield f"samples_per_query : {effective.samples_per_query}"
    yield f"target_qps : {compact(effective.target_qps)}"
    if effective.use_token_latencies:
        yield f"ttft_latency (ns): {effective.ttft_latency_ns}"
        yield f"tpot_latency (ns): {effective.tpot_latency_ns}"
    else:
        yield f"target_latency (ns): {effective.target_latency_ns}"
    yield f"max_async_queries : {effective.max_async_queries}"
    yield f"min_duration (ms): {effective.min_duration_ms}"
    yield f"max_duration (ms): {effective.max_duration_ms}"
    yield f"min_query_count : {effective.min_query_count}"
    yield f"max_query_count : {effective.max_query_count}"
    yield f"qsl_rng_seed : {effective.qsl_rng_seed}"
    yield f"sample_index_rng_seed : {effective.sample_index_rng_seed}"
    yield f"schedule_rng_seed : {effective.schedule_rng_seed}"
    yield f"accuracy_log_rng_seed : {effective.accuracy_log_rng_seed}"
    yield f"accuracy_log_probability : {compact(effective.accuracy_log_probability)}"
    if not is_v05:
        yield f"accuracy_log_sampling_target : {effective.accuracy_log_sampling_target}"
    yield f"print_timestamps : {flag(effective.print_timestamps)}"
    yield f"performance_issue_unique : {flag(effective.performance_issue_unique)}"
    yield f"performance_issue_same : {flag(effective.performance_issue_same)}"
    yield f"performance_issue_same_index : {effective.performance_issue_same_index}"
    yield f"performance_sample_count : {effective.performance_sample_count}"
    if not is_v05:
        yield f"accuracy_sample_count : {effective.accuracy_sample_count}"


def scaled(rate: float | None, factor: int) -> float | None:
    """Turn a sample rate into an inferred token rate."""
    return None if rate is None else rate * factor


def _title(text: str) -> list[str]:
    return [_RULE, text, _RULE]


def _yes(met: bool) -> str:
    return "Yes" if met else "NO"


def _latency_lines(summary: LatencySummary | None) -> Iterator[str]:
    least, most, mean = (summary.min_ns, summary.max_ns, summary.mean_ns) if summary else (0, 0, 0)
    yield f"Min latency (ns)                : {least}"
    yield f"Max latency (ns)                : {most}"
    yield f"Mean latency (ns)               : {mean}"
    yield from _percentile_lines(summary, "latency (ns)   ")


def _percentile_lines(summary: LatencySummary | None, name: str) -> Iterator[str]:
    for fraction in PERCENTILES:
        value = summary.percentiles_ns[fraction] if summary else 0
        yield f"{fraction * 100:.2f} percentile {name}: {value}"


def _token_lines(summary: LatencySummary | None, name: str, percentile_name: str) -> Iterator[str]:
    least, most, mean = (summary.min_ns, summary.max_ns, summary.mean_ns) if summary else (0, 0, 0)
    yield f"Min {name} (ns)                : {least}"
    yield f"Max {name} (ns)                : {most}"
    yield f"Mean {name} (ns)               : {mean}"
    yield from _percentile_lines(summary, f"{percentile_name} (ns)   ")
