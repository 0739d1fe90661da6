"""Subject: the system under audit, made anew for each test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from inferometer.loadgen import Clock, Scenario, SystemUnderTest
from inferometer.workloads import InputLibrary

__all__ = ["Running", "Seeds", "Sizes", "Subject"]


@dataclass(frozen=True)
class Running:
    """A system that was just started.

    sut:
        What the load generator drives.
    clock:
        The virtual clock that it lives on; ``None`` for real time.
    processor_ns:
        Gives the processor time that it has used so far.
    idle:
        Lets so many ns pass without asking anything of it.
    close:
        Ends it.
    """

    sut: SystemUnderTest
    clock: Clock | None
    processor_ns: Callable[[], int]
    idle: Callable[[int], None]
    close: Callable[[], None]


@dataclass(frozen=True)
class Sizes:
    """How much work is enough to measure the system once.

    queries:
        Queries of a SingleStream, MultiStream or Server test.
    samples:
        Samples that are loaded for a performance test, and those of an Offline test.
    per_query:
        Samples of a MultiStream query.
    server_qps:
        A rate that leaves the system idle most of the time.
    """

    queries: int
    samples: int
    server_qps: float
    per_query: int = 4


@dataclass(frozen=True)
class Seeds:
    """The announced seeds, which a system may know."""

    qsl: int
    sample_index: int
    schedule: int


class Subject(Protocol):
    """A system under audit.

    It is started anew for each test, with nothing left of the one before, and reads the
    content of samples from the library that it is given.
    """

    @property
    def name(self) -> str:
        """Name for reports."""
        ...

    @property
    def seeds(self) -> Seeds:
        """The announced seeds of its round."""
        ...

    def sizes(self, scenario: Scenario) -> Sizes:
        """Give how much work is enough to measure it."""
        ...

    def library(self) -> InputLibrary:
        """Give the samples."""
        ...

    def start(self, library: InputLibrary, scenario: Scenario) -> Running:
        """Start the system over these samples, set up for a scenario."""
        ...

    def same_answer(self, one: bytes, other: bytes) -> bool:
        """Tell whether two answers to the same content say the same."""
        ...
