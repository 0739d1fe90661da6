"""Report: size of a page, time to make it and to open it: ``python -m benchmarks.report``.

The runs are of 1,000,000 queries on the virtual clock, against a system that batches and
tells its stages. Opening is measured in a headless Chromium: to the load event, to the first
picture painted, and until every chart that is in view can be zoomed.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import SEEDS, Library
from inferometer.loadgen import (
    Query,
    Recording,
    RunOptions,
    Scenario,
    Settings,
    VirtualClock,
    judge,
    run_test,
)
from inferometer.report import write_html
from inferometer.runs import Session, TestResult

Piece = tuple[Query, slice]

__all__ = ["BatchingSystem", "long_recording", "session_with"]

QUERIES = 1_000_000
MOST_BYTES = 5_000_000
MOST_S = 2.0
SCENARIOS = (Scenario.SINGLE_STREAM, Scenario.SERVER)
_LARGEST_BATCH = 8
_MEAN_NS = 200_000


class BatchingSystem:
    """A system on the virtual clock that answers what waits in batches, and tells its stages."""

    name = "simulated, in batches"

    def __init__(self, clock: VirtualClock, seed: int = 1):
        self._clock = clock
        self._waiting: deque[Piece] = deque()
        self._is_busy = False
        spread = np.random.default_rng(seed).lognormal(0.0, 0.6, 1 << 20)
        self._durations = (spread * _MEAN_NS).astype(np.int64).tolist()
        self._batches = 0

    def issue(self, query: Query) -> None:
        """Queue a query, in pieces; begin with it if nothing else is worked on."""
        for start in range(0, len(query), _LARGEST_BATCH):
            self._waiting.append((query, slice(start, min(start + _LARGEST_BATCH, len(query)))))
        if not self._is_busy:
            self._begin()

    def flush(self) -> None:
        """Do nothing: nothing is held back."""

    def _begin(self) -> None:
        batch, size = [], 0
        while self._waiting and size + _size(self._waiting[0]) <= _LARGEST_BATCH:
            size += _size(self._waiting[0])
            batch.append(self._waiting.popleft())
        self._is_busy = bool(batch)
        if not batch:
            return
        now_ns = self._clock.now_ns()
        infer_ns = self._durations[self._batches % len(self._durations)]
        self._batches += 1
        preprocess_ns = 5_000 + infer_ns % 4_099 * size
        for query, part in batch:
            query.note_phases(now_ns, preprocess_ns, infer_ns, part)
        done_ns = now_ns + preprocess_ns + infer_ns + 3_000 + infer_ns % 997
        self._clock.call_at(done_ns, lambda: self._end(batch))

    def _end(self, batch: list[Piece]) -> None:
        for query, part in batch:
            query.complete(None, None if len(query) == 1 else part)
        self._begin()


def _size(piece: Piece) -> int:
    return piece[1].stop - piece[1].start  # type: ignore[no-any-return]


def long_recording(scenario: Scenario, queries: int = QUERIES) -> Recording:
    """Record so many queries on the virtual clock."""
    asked = Settings.from_mapping(
        {
            "scenario": scenario.value,
            "min_duration_ms": 0,
            "min_query_count": queries,
            "offline_expected_qps": queries,
            "server_target_qps": 6_000.0,
            "server_target_latency_ns": 10_000_000,
            **SEEDS,
        }
    )
    clock = VirtualClock()
    system = BatchingSystem(clock)
    return run_test(system, Library(), asked, RunOptions(clock=clock)).recording


def session_with(recording: Recording) -> Session:
    """Give a session that has this recording alone."""
    verdict = judge(recording)
    test = TestResult(None, "synthetic", recording, verdict, None, ())
    return Session(
        folder=Path(),
        workload={"title": "synthetic", "name": "synthetic"},
        backend={"name": "simulated"},
        label="synthetic",
        system={"processor": "virtual clock"},
        command="python -m benchmarks.report",
        started_at="",
        tests=(test,),
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report")
    parser.add_argument("--queries", type=int, default=QUERIES)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="folder in which the pages stay")
    options = parser.parse_args()
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        for scenario in SCENARIOS:
            recording = long_recording(scenario, options.queries)
            page = (options.keep or Path(folder)) / f"{scenario.value}.html"
            missed += _measure(scenario, session_with(recording), page, options.repeats)
    print(f"bars missed: {missed}")


def _measure(scenario: Scenario, session: Session, page: Path, repeats: int) -> int:
    begun = time.perf_counter()
    write_html([session], page)
    making_s = time.perf_counter() - begun
    size = page.stat().st_size
    count = session.tests[0].recording.series[0].query_count
    print(f"{scenario.value}, {count:,} queries")
    print(f"  made in {making_s:.2f} s")
    print(f"  size {size / 1e6:.2f} MB, below {MOST_BYTES / 1e6:g} MB: {_word(size < MOST_BYTES)}")
    missed = int(size >= MOST_BYTES)
    opened = _open(page, repeats)
    if opened is None:
        print("  not opened: no chromium or no playwright")
        return missed
    for name in ("load_s", "painted_s", "zoomable_s"):
        values = sorted(one[name] for one in opened)
        print(f"  {name:<11} {values[len(values) // 2]:.2f} s [{values[0]:.2f}–{values[-1]:.2f}]")
    slowest = max(max(one.values()) for one in opened)
    print(f"  opened in {slowest:.2f} s at most, below {MOST_S:g} s: {_word(slowest < MOST_S)}")
    return missed + int(slowest >= MOST_S)


def _word(is_met: bool) -> str:
    return "MET" if is_met else "MISSED"


def _open(page_file: Path, repeats: int) -> list[dict[str, float]] | None:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    path = shutil.which("chromium")
    if path is None:
        return None
    with sync_playwright() as running:
        browser = running.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        found = [_open_once(browser, page_file) for _ in range(repeats)]
        browser.close()
    return found


_TIMES = """async () => {
  const painted = performance.getEntriesByName("first-contentful-paint")[0];
  const loaded = performance.getEntriesByType("navigation")[0];
  return [loaded.loadEventEnd, painted ? painted.startTime : 0];
}"""
_IN_VIEW = """() => [...document.querySelectorAll("figure[data-chart]")].filter((figure) =>
  figure.getBoundingClientRect().top < innerHeight).every((figure) => figure.plot)"""


def _open_once(browser: Any, page_file: Path) -> dict[str, float]:
    context = browser.new_context(viewport={"width": 1200, "height": 1600})
    page = context.new_page()
    begun = time.perf_counter()
    page.goto(page_file.resolve().as_uri())
    page.wait_for_function(_IN_VIEW)
    zoomable_s = time.perf_counter() - begun
    load_ms, painted_ms = page.evaluate(_TIMES)
    context.close()
    return {"load_s": load_ms / 1e3, "painted_s": painted_ms / 1e3, "zoomable_s": zoomable_s}


if __name__ == "__main__":
    main()
