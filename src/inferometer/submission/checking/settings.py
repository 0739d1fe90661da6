"""Settings: whether a performance run was asked to do what the round asks for."""

from __future__ import annotations

from collections.abc import Sequence

from inferometer.loadgen import Scenario
from inferometer.logs import DETAIL_LOG, SUMMARY_LOG
from inferometer.rounds import Benchmark, Round
from inferometer.submission.checking.notebook import Notebook
from inferometer.submission.checking.numbers import count_in, real_in
from inferometer.submission.checking.run_logs import RunLogs

__all__ = ["NAMES_OF_SETTINGS", "Asked", "check_runs_alike", "check_seeds", "check_settings"]

NAMES_OF_SETTINGS = {
    "samples_per_query": "samples_per_query",
    "target_qps": "target_qps",
    "target_latency (ns)": "target_latency_ns",
    "max_async_queries": "max_async_queries",
    "min_duration (ms)": "min_duration_ms",
    "max_duration (ms)": "max_duration_ms",
    "min_query_count": "min_query_count",
    "max_query_count": "max_query_count",
    "qsl_rng_seed": "qsl_rng_seed",
    "sample_index_rng_seed": "sample_index_rng_seed",
    "schedule_rng_seed": "schedule_rng_seed",
    "accuracy_log_rng_seed": "accuracy_log_rng_seed",
    "accuracy_log_probability": "accuracy_log_probability",
    "performance_issue_unique": "performance_issue_unique",
    "performance_issue_same": "performance_issue_same",
    "performance_issue_same_index": "performance_issue_same_index",
    "performance_sample_count": "performance_sample_count",
}
"""Settings by their names in a v0.5 summary, and what the detail log calls them."""

_INTERVAL_SLACK = 1.02
"""The rules give 66 ms and 15 queries a second for the same bound: 1 % apart."""

_BOUND = (Scenario.SERVER, Scenario.MULTI_STREAM)


class Asked:
    """What the round asks of one benchmark and scenario.

    ``is_closed`` tells whether numbers that the open division may choose are judged, or only
    noted as declared. A benchmark that the round doesn't know has only what holds for all.
    """

    def __init__(
        self, round_: Round, benchmark: Benchmark | None, scenario: Scenario, *, is_closed: bool
    ):
        self.round = round_
        self.benchmark = benchmark
        self.scenario = scenario
        self.is_closed = is_closed
        rules = round_.scenario_rules[scenario]
        source = benchmark.min_query_count if benchmark else {}
        self.min_query_count = source.get(scenario, rules.min_query_count)
        self.min_duration_ms = rules.min_duration_ms
        self.least_samples = rules.least_samples
        self.percentile = rules.percentile
        if benchmark is not None:
            self.min_duration_ms = benchmark.min_duration_ms.get(scenario, self.min_duration_ms)
            self.least_samples = benchmark.least_samples.get(scenario, self.least_samples)
            self.percentile = benchmark.percentiles.get(scenario, self.percentile)

    @property
    def bound_ms(self) -> float | None:
        """The latency bound, or the interval of MultiStream; ``None`` where there is none."""
        if self.benchmark is None or self.scenario not in _BOUND:
            return None
        if self.scenario is Scenario.SERVER:
            return self.benchmark.server_latency_ms
        return self.benchmark.multi_stream_interval_ms

    def judge(
        self, notebook: Notebook, rule_id: str, where: tuple[str, ...], is_kept: bool, seen: str
    ) -> None:
        """Note whether a number keeps to the round; in the open division, only what it is."""
        if self.is_closed:
            notebook.judge(rule_id, where, is_kept, seen)
        else:
            notebook.declares(rule_id, where, f"open division: {seen}")


def check_settings(run: RunLogs, asked: Asked, notebook: Notebook) -> None:
    """Check the settings that a performance run states, in its summary and its detail log."""
    check_seeds(run, asked.round, notebook)
    where = (*run.parts, SUMMARY_LOG)
    if run.summary is None:
        return
    _check_sample_count(run, asked, where, notebook)
    _check_at_least(run, asked, "settings.min-duration", "min_duration (ms)", notebook)
    _check_query_count(run, asked, notebook)
    _check_percentile(run, asked, notebook)
    _check_bound(run, asked, notebook)
    flags = [
        name
        for name in ("performance_issue_unique", "performance_issue_same")
        if run.figures.get(name, "false") not in ("false", "0")
    ]
    notebook.judge("settings.audit-flags", where, not flags, ", ".join(flags))
    _check_logs_alike(run, notebook)


def check_seeds(
    run: RunLogs, round_: Round, notebook: Notebook, rule_id: str = "settings.seeds"
) -> None:
    """Check the seeds of a test: those in its summary, else those in its detail log."""
    seeds = {
        "qsl_rng_seed": round_.seeds.qsl,
        "sample_index_rng_seed": round_.seeds.sample_index,
        "schedule_rng_seed": round_.seeds.schedule,
    }
    has_summary = any(name in run.figures for name in seeds)
    where = (*run.parts, SUMMARY_LOG if has_summary else DETAIL_LOG)
    stated = {name: run.figures.get(name) if has_summary else run.setting(name) for name in seeds}
    if not any(stated.values()):
        notebook.cannot(rule_id, where, "the logs state no seeds")
        return
    wrong = [
        f"{name} {stated[name] or 'missing'}, not {seed}"
        for name, seed in seeds.items()
        if count_in(stated[name]) != seed
    ]
    notebook.judge(rule_id, where, not wrong, "; ".join(wrong))


def check_runs_alike(runs: Sequence[RunLogs], where: tuple[str, ...], notebook: Notebook) -> None:
    """Check that several runs of a result have the same settings."""
    with_summary = [run for run in runs if run.summary is not None]
    if len(with_summary) < 2:
        return
    different = [
        name
        for name in NAMES_OF_SETTINGS
        if len({run.figures.get(name) for run in with_summary}) > 1
    ]
    seen = "; ".join(
        f"{name} {', '.join(str(run.figures.get(name)) for run in with_summary)}"
        for name in different
    )
    notebook.judge("settings.runs-differ", where, not different, seen)


def _check_sample_count(
    run: RunLogs, asked: Asked, where: tuple[str, ...], notebook: Notebook
) -> None:
    count = run.count("performance_sample_count")
    if asked.benchmark is None or count is None:
        notebook.cannot("settings.sample-count", where, "no count stated, or none known to ask")
        return
    least = asked.benchmark.performance_sample_count
    seen = f"{count:,} samples, at least {least:,}"
    notebook.judge("settings.sample-count", where, count >= least, seen)


def _check_at_least(
    run: RunLogs, asked: Asked, rule_id: str, name: str, notebook: Notebook
) -> None:
    where = (*run.parts, SUMMARY_LOG)
    value = run.count(name)
    if value is None:
        notebook.cannot(rule_id, where, f"the summary states no {name}")
        return
    least = asked.min_duration_ms
    asked.judge(notebook, rule_id, where, value >= least, f"{value:,} ms, at least {least:,} ms")


def _check_query_count(run: RunLogs, asked: Asked, notebook: Notebook) -> None:
    """Check the least count of queries; in Offline, the samples of the one query."""
    rule_id, where = "settings.query-count", (*run.parts, SUMMARY_LOG)
    is_offline = asked.scenario is Scenario.OFFLINE
    name = "samples_per_query" if is_offline else "min_query_count"
    least = asked.least_samples if is_offline else asked.min_query_count
    value = run.count(name)
    if value is None:
        notebook.cannot(rule_id, where, f"the summary states no {name}")
        return
    asked.judge(notebook, rule_id, where, value >= least, f"{name} {value:,}, at least {least:,}")


def _check_percentile(run: RunLogs, asked: Asked, notebook: Notebook) -> None:
    """Check the percentile; Offline has none that matters."""
    if asked.scenario is Scenario.OFFLINE:
        return
    rule_id, where = "settings.percentile", (*run.parts, DETAIL_LOG)
    share = real_in(run.setting("target_latency_percentile"))
    if share is None:
        notebook.cannot(rule_id, where, "no detail log that states the percentile")
        return
    seen = f"{share:g}, at least {asked.percentile:g}"
    asked.judge(notebook, rule_id, where, share >= asked.percentile, seen)


def _check_bound(run: RunLogs, asked: Asked, notebook: Notebook) -> None:
    """Check the latency bound of Server, and of MultiStream the interval too."""
    if asked.scenario not in _BOUND:
        return
    rule_id, where = "settings.latency-bound", (*run.parts, SUMMARY_LOG)
    bound_ns, rate = run.count("target_latency (ns)"), real_in(run.figures.get("target_qps"))
    if bound_ns is None or asked.bound_ms is None:
        notebook.cannot(rule_id, where, "no bound stated, or none known for the benchmark")
        return
    is_kept = bound_ns <= asked.bound_ms * 1e6
    seen = f"{bound_ns / 1e6:g} ms, at most {asked.bound_ms:g} ms"
    if asked.scenario is Scenario.MULTI_STREAM:
        interval_ms = 1e3 / rate if rate else float("inf")
        is_kept = max(bound_ns / 1e6, interval_ms) <= asked.bound_ms * _INTERVAL_SLACK
        seen += f", every {interval_ms:g} ms"
    asked.judge(notebook, rule_id, where, is_kept, seen)


def _check_logs_alike(run: RunLogs, notebook: Notebook) -> None:
    """Check that summary and detail log are of one run."""
    where = (*run.parts, DETAIL_LOG)
    if run.detail is None:
        notebook.cannot("settings.logs-differ", where, "no detail log to compare with")
        return
    different = [
        f"{name} {run.figures[name]} and {stated}"
        for name, other in NAMES_OF_SETTINGS.items()
        if name in run.figures
        and (stated := run.setting(other)) is not None
        and not _is_same(stated, run.figures[name])
    ]
    notebook.judge("settings.logs-differ", where, not different, "; ".join(different))


def _is_same(one: str, other: str) -> bool:
    """Compare values of settings: later logs write 0 here and false there, 1000 and 1e+03."""
    plain = [{"false": "0", "true": "1"}.get(text, text) for text in (one, other)]
    numbers = [real_in(text) for text in plain]
    return plain[0] == plain[1] or (None not in numbers and numbers[0] == numbers[1])
