"""Workload subject: a workload on a backend, as `inferometer run` sets it up, under audit."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from inferometer.backends import get_backend
from inferometer.loadgen import Scenario
from inferometer.runs import RunRequest
from inferometer.runs.loaded import LoadedWorkload
from inferometer.submission.audit.same_answer import same_answer_of
from inferometer.submission.audit.subject import Running, Seeds, Sizes
from inferometer.workloads import InputLibrary, Workload
from inferometer.workloads.for_backend import model_files, workload_for

__all__ = ["WorkloadSubject", "reference_files"]

_WARM_UP_S = 0.05
_PROBE_S = 0.02
_MOST_QUERIES = 2000
_FEWEST_QUERIES = 64
_MOST_SAMPLES = 1024
_SERVER_LOAD = 0.25


class WorkloadSubject:
    """A workload whose model is loaded anew for every test.

    test_s:
        About how long one test is to take.
    seeds:
        The announced ones.
    """

    def __init__(
        self,
        request: RunRequest,
        seeds: Seeds,
        test_s: float = 0.3,
        note: Callable[[str], None] = lambda _: None,
    ):
        self._request = request
        self._test_s = test_s
        self.seeds = seeds
        loaded = LoadedWorkload(request.for_scenario(Scenario.OFFLINE), note)
        try:
            loaded.warm_up()
            self._pace = loaded.pace
        finally:
            loaded.close()
        self.workload: Workload = loaded.workload
        self._library = loaded.library
        self.name = f"{loaded.workload.info.name} on {request.backend}"
        self._same = same_answer_of(loaded.workload.info.task)

    def sizes(self, scenario: Scenario) -> Sizes:
        """Size a test by about how fast the system was when it was warmed up."""
        query_s = max(self._pace.query_latency_s, 1e-6)
        server_qps = _SERVER_LOAD / query_s
        queries = (
            self._test_s * server_qps if scenario is Scenario.SERVER else self._test_s / query_s
        )
        if scenario is Scenario.MULTI_STREAM:
            queries /= 4
        wanted = int(self._pace.samples_per_s * self._test_s)
        samples = min(_MOST_SAMPLES, max(_FEWEST_QUERIES, wanted))
        return Sizes(
            queries=min(_MOST_QUERIES, max(_FEWEST_QUERIES, int(queries))),
            samples=min(samples, self._library.performance_sample_count),
            server_qps=server_qps,
        )

    def library(self) -> InputLibrary:
        """Give the samples of the workload."""
        return self._library

    def start(self, library: InputLibrary, scenario: Scenario) -> Running:
        """Load the model, warm it up, and serve it as `inferometer run` does."""
        loaded = LoadedWorkload(self._request.for_scenario(scenario), library=library)
        try:
            loaded.warm_up(_WARM_UP_S, _PROBE_S)
        except BaseException:
            loaded.close()
            raise
        serving, _ = loaded.serve(scenario)

        def close() -> None:
            serving.close()
            loaded.close()

        return Running(serving, None, _processor_ns, _idle, close)

    def same_answer(self, one: bytes, other: bytes) -> bool:
        """Compare answers as the task allows it."""
        return self._same(one, other)

    def files(self) -> dict[str, Path]:
        """Give the files of the model that is tested, by part."""
        return _files(self._request, self._request.backend)


def reference_files(request: RunRequest) -> dict[str, Path]:
    """Give the files of the workload's own fp32 model, by part, in ONNX."""
    options = dataclasses.replace(request.workload_options, model=None, number_format="fp32")
    return _files(dataclasses.replace(request, workload_options=options), "onnxruntime")


def _files(request: RunRequest, backend_name: str) -> dict[str, Path]:
    backend = get_backend(backend_name)
    workload = workload_for(request.workload, request.workload_options, backend)
    found = model_files(workload, request.workload_options, backend)
    return {part: file.path for part, file in found.items()}


def _processor_ns() -> int:
    """Give the processor time of this process, and of those that models run in."""
    total_s = 0.0
    for child in psutil.Process().children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.Error:
            continue
        total_s += times.user + times.system
    return time.process_time_ns() + int(total_s * 1e9)


def _idle(duration_ns: int) -> None:
    time.sleep(duration_ns / 1e9)
