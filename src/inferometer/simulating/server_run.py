"""Server run: a loaded workload at some rate for some time, whatever its latency."""

from __future__ import annotations

from inferometer.loadgen import Scenario, SeriesRecord, Settings, run_test
from inferometer.runs.loaded import LoadedWorkload
from inferometer.simulating.system import SimulationError

__all__ = ["run_server"]

_NEVER_TOO_SLOW_NS = 3_600_000_000_000


def run_server(loaded: LoadedWorkload, qps: float, seconds: float, seed: int) -> SeriesRecord:
    """Run at a rate, and give what happened. Raises the system's own error."""
    settings = Settings(
        scenario=Scenario.SERVER,
        server_target_qps=qps,
        server_target_latency_ns=_NEVER_TOO_SLOW_NS,
        min_duration_ms=round(seconds * 1000),
        min_query_count=1,
        schedule_rng_seed=seed,
        sample_index_rng_seed=seed,
    )
    serving, _ = loaded.serve(Scenario.SERVER)
    try:
        outcome = run_test(serving, loaded.library, settings)
    finally:
        serving.close()
    if outcome.error is not None:
        raise outcome.error
    series = outcome.recording.performance
    if series is None or not bool(series.is_complete.all()):
        raise SimulationError(f"the run at {qps:g} queries a second was cut off")
    return series
