"""A small world on the virtual clock: samples with contents, a model, and an honest system."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import Query, Scenario, VirtualClock
from inferometer.submission.audit.subject import Running, Seeds, Sizes
from inferometer.workloads import InputLibrary
from tests.support import V05_SEEDS

SAMPLES = 160
CLASSES = 1000
WORK_NS = 1_000_000
DEFAULT = b"\x00\x00\x20\x41"


class Photos:
    """Samples whose content is one number each."""

    name = "the benchmark's photos"

    def __init__(self, total: int = 400):
        self.total_sample_count = total
        self.performance_sample_count = SAMPLES
        self.contents = np.random.default_rng(7).integers(0, 2**31, total)

    def load(self, indices: NDArray[np.int64]) -> None: ...

    def unload(self, indices: NDArray[np.int64]) -> None: ...

    def inputs(self, indices: NDArray[np.integer[Any]]) -> Mapping[str, NDArray[Any]]:
        return {"content": self.contents[indices]}


def classes_of(contents: NDArray[Any]) -> NDArray[np.float32]:
    """The model: a class, as float32, that depends on the content and nothing else."""
    mixed = (contents.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)
    return (mixed % np.uint64(CLASSES)).astype(np.float32)


class Machine:
    """What a system runs on: a clock, one processor, and noise.

    ``noise`` is the spread of a sample's time on a logarithmic scale; ``stalls`` of the samples
    take eight times as long, and each start of the system is a little faster or slower.
    """

    def __init__(self, seed: int = 0, noise: float = 0.05, stalls: float = 0.0):
        self.clock = VirtualClock()
        self.random = np.random.default_rng(seed)
        self.busy_ns = 0
        self._noise, self._stalls = noise, stalls
        self._free_at = 0
        self._pace = float(np.exp(self.random.normal(0.0, noise / 6)))

    def does(self, work_ns: float, then: Callable[[], None], samples: int = 1) -> None:
        """Do the work of so many samples after what is in line, then something else."""
        factors = np.exp(self.random.normal(0.0, self._noise, samples))
        factors[self.random.random(samples) < self._stalls] *= 8
        duration_ns = int(work_ns * self._pace * float(factors.mean()))
        start = max(self.clock.now_ns(), self._free_at)
        self._free_at = start + duration_ns

        def done() -> None:
            self.busy_ns += duration_ns
            then()

        self.clock.call_at(self._free_at, done)

    @property
    def is_idle(self) -> bool:
        return self._free_at <= self.clock.now_ns()


class Honest:
    """An honest system: each sample takes its time, and its answer comes from its content."""

    name = "honest"

    def __init__(self, machine: Machine, library: InputLibrary):
        self.machine, self.library = machine, library

    def issue(self, query: Query) -> None:
        work_ns = self.work_ns(query)
        self.machine.does(work_ns, lambda: query.complete(self.answers(query)), len(query))

    def flush(self) -> None: ...

    def work_ns(self, query: Query) -> float:
        return WORK_NS * len(query)

    def answers(self, query: Query) -> Any:
        return self.compute(query.indices).reshape(-1, 1)

    def compute(self, indices: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        return classes_of(self.library.inputs(indices)["content"])


class Simulated:
    """A subject: systems of one kind, each started on a machine of its own."""

    def __init__(
        self,
        kind: Callable[[Machine, InputLibrary], Any] = Honest,
        seed: int = 0,
        noise: float = 0.05,
        stalls: float = 0.0,
    ):
        self.kind = kind
        self.name = getattr(kind, "__name__", "system")
        self.seeds = Seeds(*V05_SEEDS.values())
        self._seed, self._noise, self._stalls = seed, noise, stalls
        self._starts = 0

    def sizes(self, scenario: Scenario) -> Sizes:
        return Sizes(queries=SAMPLES, samples=SAMPLES, server_qps=0.25e9 / WORK_NS)

    def library(self) -> InputLibrary:
        return Photos()

    def start(self, library: InputLibrary, scenario: Scenario) -> Running:
        self._starts += 1
        machine = Machine(self._seed * 1_000_003 + self._starts, self._noise, self._stalls)

        def idle(duration_ns: int) -> None:
            machine.clock.sleep_until(machine.clock.now_ns() + duration_ns, lambda: False)

        sut = self.kind(machine, library)
        return Running(sut, machine.clock, lambda: machine.busy_ns, idle, lambda: None)

    def same_answer(self, one: bytes, other: bytes) -> bool:
        return one == other
