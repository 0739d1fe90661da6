"""Simulate: predictions held against real runs, and how fast a large system is simulated.

``python -m benchmarks.simulate [--workload NAME] [--laps N] [--seconds S] [--workers N] [--quick]
[--scale]``. The calibration runs that a description is fitted to are others than the runs it is
held against; each lap has all of them, in random order. ``--no-scale`` leaves out, and ``--scale``
only does, the simulation of ten thousand replicas and a hundred million queries.
"""

from __future__ import annotations

import argparse
import resource
import time

from inferometer.report.simulation_terminal import error_interval_text
from inferometer.simulating import EXAMPLE, Ways, parse_system, predict, validate
from inferometer.simulating.validation import TOLERANCE, Validation

__all__ = ["main"]

_REPLICAS = 10_000
_QUERIES = 100_000_000
_LOAD = 0.7


def _print(found: Validation) -> None:
    service = found.system.service
    rows = ", ".join(f"{row.size}: {row.mean_ns / 1e6:.3f} ms" for row in service.rows)
    print(
        f"fitted: contention {service.contention:.2f}, waking {service.wake_ns / 1e3:.0f} us, "
        f"{service.cold}, {service.slack}, {service.drift}, mean of calls {rows}"
    )
    saturation = ", ".join(f"{qps:,.0f}" for qps in found.saturation_qps)
    print(f"saturation of the laps: {saturation} queries/s")
    for check in found.checks:
        word = "MET" if check.is_met else "MISSED"
        print(
            f"load {check.load:.0%}, {check.qps:,.0f} queries/s: median p99 of the laps real "
            f"{check.median_ns / 1e6:.2f} ms (half of them {check.scatter[0] / 1e6:.2f} to "
            f"{check.scatter[1] / 1e6:.2f}), predicted {check.predicted_median_ns / 1e6:.2f} ms, "
            f"a lap off by {check.error:+.1%} {error_interval_text(check)}: {word}"
        )
    word = "MET" if found.is_met else "MISSED"
    print(f"{found.workload}: p99 within {TOLERANCE:.0%} at every load: {word}", flush=True)


def _scale() -> None:
    system = parse_system(EXAMPLE, "example").with_replicas(_REPLICAS)
    begun, processor = time.perf_counter(), time.process_time()
    made = predict(system, _LOAD * system.saturation_qps, _QUERIES)
    took, used = time.perf_counter() - begun, time.process_time() - processor
    p99 = made.percentile(0.99)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{_REPLICAS:,} replicas, {made.queries:,} queries at {made.qps:,.0f}/s: {took:.1f} s "
        f"({used:.1f} s of processor time), {memory:,.0f} MiB; p99 {p99.value / 1e6:.3f} ms "
        f"[{p99.low / 1e6:.3f} – {p99.high / 1e6:.3f}], utilisation {made.utilisation:.1%}; "
        f"{made.method}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulate", description=__doc__)
    parser.add_argument("--workload", action="append", help="repeat for several")
    ways = Ways()
    parser.add_argument("--laps", type=int, default=ways.laps)
    parser.add_argument("--seconds", type=float, default=ways.seconds)
    parser.add_argument("--workers", type=int, help="one less than there are cores")
    parser.add_argument("--max-batch", type=int, default=ways.max_batch)
    parser.add_argument("--seed", type=int, default=ways.seed)
    parser.add_argument("--quick", action="store_true", help="three laps of 1 s")
    parser.add_argument("--no-scale", action="store_true", help="without the large system")
    parser.add_argument("--scale", action="store_true", help="only the large system")
    options = parser.parse_args()
    if not options.scale:
        ways = Ways(
            laps=3 if options.quick else options.laps,
            seconds=1.0 if options.quick else options.seconds,
            workers=options.workers,
            max_batch=options.max_batch,
            seed=options.seed,
        )
        for workload in options.workload or ["pocket-mobilenet"]:
            _print(validate(workload, ways, print))
    if not options.no_scale:
        _scale()


if __name__ == "__main__":
    main()
