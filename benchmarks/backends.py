"""Backends: tests through Inferometer beside the bare loop of each framework.

``python -m benchmarks.backends [--quick] [--backends NAME ...] [--models NAME ...]``. Both
sides run in one process with the same model file, threads, streams and batches, and take
turns; ratios are paired within a turn, and the median is what counts, with its 95 % interval.
The bare loop calls nothing but the framework, on inputs that are laid out already.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from inferometer.backends import BackendOptions, ModelFile, get_backend
from inferometer.loadgen import Scenario, Settings, run_test
from inferometer.loadgen.statistics import percentile_interval
from inferometer.runs import RunRequest, ServingOptions, usable_cores
from inferometer.runs.loaded import LoadedWorkload
from inferometer.tuning.shelf import KeptLibrary
from inferometer.workloads import MODEL, WorkloadOptions
from inferometer.workloads.for_backend import model_files

__all__ = ["BARE", "compare", "main"]

BAR = 0.97
SAMPLES = 64
BATCH = 8
MODELS = ("mobilenet", "resnet50")

Call = Callable[[Any], Any]


def _bare_onnxruntime(path: Path, threads: int) -> Callable[[], Call]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda: lambda photos: session.run(None, {name: photos})


def _bare_openvino(path: Path, threads: int) -> Callable[[], Call]:
    import openvino

    core = openvino.Core()
    streams = max(1, usable_cores() // threads)
    properties = {
        "INFERENCE_PRECISION_HINT": "f32",
        "ENABLE_CPU_PINNING": False,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads * streams,
        "NUM_STREAMS": streams,
    }
    compiled = core.compile_model(str(path), "CPU", properties)

    def make() -> Call:
        request = compiled.create_infer_request()
        return lambda photos: request.infer({0: photos}, share_inputs=True, share_outputs=True)

    return make


def _bare_litert(path: Path, threads: int) -> Callable[[], Call]:
    from ai_edge_litert.interpreter import Interpreter

    def make() -> Call:
        interpreter = Interpreter(str(path), num_threads=threads)
        place = interpreter.get_input_details()[0]["index"]
        results = [output["index"] for output in interpreter.get_output_details()]
        shape: list[tuple[int, ...]] = []

        def call(photos: Any) -> Any:
            if shape != [photos.shape]:
                interpreter.resize_tensor_input(place, photos.shape)
                interpreter.allocate_tensors()
                shape[:] = [photos.shape]
            interpreter.set_tensor(place, photos)
            interpreter.invoke()
            return [interpreter.get_tensor(index) for index in results]

        return call

    return make


BARE = {"onnxruntime": _bare_onnxruntime, "openvino": _bare_openvino, "litert": _bare_litert}
"""For each framework, what gives a maker of calls, one for each worker."""


@dataclass(frozen=True)
class _Setup:
    """The same for both sides."""

    scenario: Scenario
    threads: int
    workers: int
    batch: int


def _setups() -> list[_Setup]:
    cores = usable_cores()
    return [
        _Setup(Scenario.SINGLE_STREAM, threads=cores, workers=1, batch=1),
        _Setup(Scenario.OFFLINE, threads=1, workers=cores, batch=BATCH),
    ]


class _Pair:
    """A model loaded twice: by Inferometer, and by nothing but the framework."""

    def __init__(self, backend: str, model: str, setup: _Setup):
        self._setup = setup
        workload_options = WorkloadOptions(data=Path("synthetic"), weights="random", count=SAMPLES)
        request = RunRequest(
            model,
            Path("unused"),
            workload_options=workload_options,
            backend=backend,
            backend_options=BackendOptions(threads=setup.threads),
            serving=ServingOptions(workers=setup.workers, max_batch_size=setup.batch),
        )
        self._loaded = LoadedWorkload(request)
        self._loaded.library = library = KeptLibrary(self._loaded.library)
        library.load(np.arange(SAMPLES))
        (self._photos,) = library.inputs(np.arange(SAMPLES)).values()
        file: ModelFile = model_files(
            self._loaded.workload, workload_options, get_backend(backend)
        )[MODEL]
        make = BARE[backend](file.path, setup.threads)
        self._calls = [make() for _ in range(setup.workers)]

    def close(self) -> None:
        self._loaded.close()

    def bare(self, count: int) -> float:
        """Give samples a second of the bare loop."""
        batch = self._setup.batch
        starts = iter(range(0, count, batch))

        def work(call: Call) -> None:
            # The next of an iterator over a range is taken under the interpreter lock.
            for start in starts:
                at = start % SAMPLES
                call(self._photos[at : at + batch])

        begun = time.perf_counter()
        if len(self._calls) == 1:
            work(self._calls[0])
        else:
            threads = [threading.Thread(target=work, args=(call,)) for call in self._calls]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        return count / (time.perf_counter() - begun)

    def ours(self, count: int) -> float:
        """Give samples a second of a whole test, from its start to the last answer."""
        serving, _ = self._loaded.serve(self._setup.scenario)
        asked = Settings.from_mapping(
            {
                "scenario": self._setup.scenario.value,
                "min_duration_ms": 0,
                "min_query_count": count,
                "max_query_count": count,
            }
        )
        try:
            outcome = run_test(serving, self._loaded.library, asked)
        finally:
            serving.close()
        series = outcome.recording.performance
        if outcome.error is not None or series is None or not bool(series.is_complete.all()):
            raise SystemExit(f"the test failed: {outcome.error}")
        return float(series.sample_count / (int(series.completed_ns.max()) / 1e9))


def compare(
    backend: str, model: str, setup: _Setup, turns: int, seconds: float
) -> list[tuple[float, float]]:
    """Give samples a second of the bare loop and of Inferometer, turn by turn."""
    pair = _Pair(backend, model, setup)
    try:
        each = setup.workers * setup.batch
        pair.bare(2 * each)
        pair.ours(2 * each)
        count = each * max(2, round(pair.bare(2 * each) * seconds / each))
        rates = []
        for turn in range(turns):
            sides = [pair.bare, pair.ours]
            found = [side(count) for side in (sides if turn % 2 == 0 else sides[::-1])]
            bare, ours = found if turn % 2 == 0 else found[::-1]
            rates.append((bare, ours))
        return rates
    finally:
        pair.close()


def main() -> None:
    """Print a table of all cases, and how many bars are missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backends")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter turns")
    parser.add_argument("--backends", nargs="+", default=list(BARE), choices=list(BARE))
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    options = parser.parse_args()
    turns, seconds = (7, 0.3) if options.quick else (41, 0.5)
    print(f"Inferometer over the bare loop, bar {BAR:.0%}; median of {turns} paired turns")
    missed = 0
    for backend, model, setup in itertools.product(options.backends, options.models, _setups()):
        rates = compare(backend, model, setup, turns, seconds)
        ratios = np.sort([ours / bare for bare, ours in rates])
        ratio = statistics.median(ratios)
        interval = percentile_interval(ratios, 0.5)
        missed += ratio < BAR
        bare, ours = (statistics.median(side) for side in zip(*rates, strict=True))
        shape = f"{setup.workers}×{setup.threads} threads, batch {setup.batch}"
        print(
            f"  {backend:<12} {model:<10} {setup.scenario.value:<13} {shape:<22} "
            f"bare {bare:8.2f}/s  ours {ours:8.2f}/s  {ratio:7.2%} "
            f"[{interval.low:.1%}–{interval.high:.1%}]  {'met' if ratio >= BAR else 'MISSED'}",
            flush=True,
        )
    print(f"bars missed: {missed}")


if __name__ == "__main__":
    main()
