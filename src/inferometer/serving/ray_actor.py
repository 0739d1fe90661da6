"""Ray actor: what holds a replica in a Ray cluster."""

from __future__ import annotations

import importlib.metadata
import os
import socket
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.serving.ray_cluster import import_ray
from inferometer.serving.replicas import Recipe, Replica, ReplicaAnswer, Samples, make_replica

__all__ = ["ActorFacts", "ReplicaActor"]


@dataclass(frozen=True)
class ActorFacts:
    """Where an actor runs, and with which Inferometer."""

    node: str
    node_id: str
    process_id: int
    inferometer: str


class ReplicaActor:
    """Makes the replica, and lets it answer; Ray calls it, one call at a time."""

    def __init__(self, recipe: Recipe):
        self._recipe = recipe
        self._made: Replica | None = None

    @property
    def _replica(self) -> Replica:
        # Not made with the actor, whose error then would be that of its death.
        if self._made is None:
            self._made = make_replica(self._recipe)
        return self._made

    def take(self, samples: Samples | None) -> ActorFacts:
        """Have samples at hand, if there are any yet; tell where this is."""
        replica = self._replica
        if samples is not None:
            replica.take(samples)
        context: Any = import_ray().get_runtime_context()
        return ActorFacts(
            socket.gethostname(),
            str(context.get_node_id()),
            os.getpid(),
            importlib.metadata.version("inferometer"),
        )

    def answer(self, indices: NDArray[np.integer[Any]]) -> ReplicaAnswer:
        """Answer samples that are at hand; int [n]."""
        return self._replica.answer(indices)
