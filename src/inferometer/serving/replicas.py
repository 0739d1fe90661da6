"""Replicas: copies of a model elsewhere, whichever way they are reached."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import InferometerError, Responses

__all__ = [
    "Answered",
    "Back",
    "Event",
    "Gone",
    "Lost",
    "Raised",
    "Recipe",
    "Replica",
    "ReplicaAnswer",
    "ReplicaError",
    "Replicas",
    "Samples",
    "Sink",
    "make_replica",
    "nobody",
]


class ReplicaError(InferometerError):
    """Replicas can't be started, or too many of them died."""


@dataclass(frozen=True)
class ReplicaAnswer:
    """What a replica gives for a batch: the responses, and what the call took there, ns.

    ``preprocess_ns`` went into the inputs and ``infer_ns`` into the model, out of ``call_ns``.
    """

    responses: Responses
    preprocess_ns: int
    infer_ns: int
    call_ns: int


@dataclass(frozen=True)
class Samples:
    """Samples that a replica has to have at hand.

    indices:
        Library indices, int64 [n], rising.
    inputs:
        The model's inputs by name, a row for each index; ``None`` has each replica load the
        samples from its own copy of the data set.
    """

    indices: NDArray[np.int64]
    inputs: Mapping[str, NDArray[Any]] | None = None


class Replica(Protocol):
    """One copy of the model, as it is made and called where it runs."""

    def take(self, samples: Samples) -> None:
        """Have these samples at hand, and no others."""
        ...

    def answer(self, indices: NDArray[np.integer[Any]]) -> ReplicaAnswer:
        """Answer samples that are at hand; int [n]."""
        ...


@dataclass(frozen=True)
class Recipe:
    """How a replica is made: a class, ``module:Class``, called with plain JSON values."""

    place: str
    argument: Mapping[str, Any]


def make_replica(recipe: Recipe) -> Replica:
    """Make a replica, where it is to run."""
    module, _, name = recipe.place.partition(":")
    replica: Replica = getattr(importlib.import_module(module), name)(recipe.argument)
    return replica


@dataclass(frozen=True)
class Answered:
    """A batch is answered."""

    ticket: int
    answer: ReplicaAnswer


@dataclass(frozen=True)
class Raised:
    """A replica lives, but raised an error over a batch."""

    ticket: int
    error: BaseException


@dataclass(frozen=True)
class Lost:
    """A replica died, or can't be reached; ``what`` says how."""

    replica: int
    what: str


@dataclass(frozen=True)
class Back:
    """A replica is ready, with all samples, after it was lost."""

    replica: int


@dataclass(frozen=True)
class Gone:
    """A replica won't come back."""

    replica: int
    what: str


Event = Answered | Raised | Lost | Back | Gone

Sink = Callable[[Event], None]
"""Takes events, from any thread; it must not take long."""


def nobody(_: Event) -> None:
    """Take an event that nobody waits for."""


class Replicas(Protocol):
    """Some copies of a model, numbered from 0, each of which may die and come back."""

    count: int
    description: Mapping[str, Any]

    def listen(self, sink: Sink) -> tuple[int, ...]:
        """Tell this sink from now on what happens; give the replicas that are ready.

        It is told at once which are gone for good.
        """
        ...

    def take(self, samples: Samples) -> None:
        """Have every replica take samples, and wait for it; untimed."""
        ...

    def send(self, replica: int, ticket: int, indices: NDArray[np.integer[Any]]) -> None:
        """Have a replica answer samples; the sink is told, under this ticket."""
        ...

    def close(self) -> None:
        """End all replicas."""
        ...
