"""Ray replicas: copies of a model in the actors of a Ray cluster, existing or local."""

from __future__ import annotations

import contextlib
import importlib.metadata
import threading
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.serving.ray_actor import ActorFacts, ReplicaActor
from inferometer.serving.ray_cluster import (
    RayOptions,
    connect_ray,
    import_ray,
    in_short,
    room_for_actors,
)
from inferometer.serving.replicas import (
    Answered,
    Back,
    Gone,
    Lost,
    Raised,
    Recipe,
    ReplicaError,
    Samples,
    Sink,
    nobody,
)

__all__ = ["RayReplicas"]


class RayReplicas:
    """Actors with a replica each; Ray starts dead ones anew, and scales the cluster.

    count:
        How many; ``None`` for one on each ``cpus`` that the cluster has now.

    Samples go into the object store once a load, and are mapped by all actors of a node.
    Raises `ReplicaError` if Ray isn't installed, there is no such cluster, or not every actor
    starts within the limit; `SettingsError` if there is no room for any.
    """

    def __init__(self, recipe: Recipe, count: int | None, options: RayOptions):
        self._ray = ray = import_ray()
        self._options = options
        self._lock = threading.Lock()
        self._sink: Sink = nobody
        self._samples: Any = None
        self._is_closed = False
        self._is_ours = not ray.is_initialized()
        if self._is_ours:
            connect_ray(ray, options, count)
        try:
            self.count = count or room_for_actors(ray, options)
            self._present = [False] * self.count
            self._lives = [0] * self.count
            self._gone: dict[int, str] = {}
            self._actors = [self._started(recipe) for _ in range(self.count)]
            self._facts = self._first_facts()
        except BaseException:
            self.close()
            raise
        self._present = [True] * self.count
        self.description: Mapping[str, Any] = {
            "replicas": self.count,
            "nodes": len({one.node_id for one in self._facts}),
            "ray": ray.__version__,
            **asdict(options),
        }

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The numbers of the actors' processes, each on its own machine."""
        return tuple(one.process_id for one in self._facts)

    def listen(self, sink: Sink) -> tuple[int, ...]:
        """Tell this sink from now on what happens; give the replicas that are ready."""
        with self._lock:
            self._sink = sink
            present = tuple(n for n, is_present in enumerate(self._present) if is_present)
            gone = list(self._gone.items())
        for replica, what in gone:
            sink(Gone(replica, what))
        return present

    def take(self, samples: Samples) -> None:
        """Put samples into the object store, and have every replica take them."""
        reference = self._ray.put(samples)
        with self._lock:
            self._samples = reference
            asked = [
                (n, self._lives[n], actor.take.remote(reference))
                for n, actor in enumerate(self._actors)
                if self._present[n]
            ]
        references = [one for _, _, one in asked]
        if references:
            self._ray.wait(references, num_returns=len(references), timeout=self._options.limit_s)
        for replica, life, taken in asked:
            try:
                self._ray.get(taken, timeout=0)
            except self._deaths() as error:
                self._died(replica, life, error)
            except self._ray.exceptions.GetTimeoutError:
                raise ReplicaError(
                    f"actor {replica} has not taken {len(samples.indices)} samples within "
                    f"{self._options.limit_s:g} s; raise limit_s"
                ) from None
            except self._ray.exceptions.RayTaskError as error:
                raise error.as_instanceof_cause() from error

    def send(self, replica: int, ticket: int, indices: NDArray[np.integer[Any]]) -> None:
        """Have an actor answer samples."""
        with self._lock:
            life, sink = self._lives[replica], self._sink

        def take_result(future: Any) -> None:
            error = future.exception()
            if error is None:
                sink(Answered(ticket, future.result()))
            elif isinstance(error, self._deaths()):
                self._died(replica, life, error)
            else:
                sink(Raised(ticket, error))

        try:
            reference = self._actors[replica].answer.remote(indices)
        except self._deaths() as error:
            self._died(replica, life, error)
            return
        reference.future().add_done_callback(take_result)

    def close(self) -> None:
        """End all actors, and a Ray that was started or connected to for them."""
        with self._lock:
            self._is_closed = True
            self._sink, self._samples = nobody, None
            actors = getattr(self, "_actors", [])
        for actor in actors:
            with contextlib.suppress(Exception):
                self._ray.kill(actor)
        if self._is_ours:
            self._ray.shutdown()

    def _started(self, recipe: Recipe) -> Any:
        options = self._options
        made = self._ray.remote(ReplicaActor).options(
            num_cpus=options.cpus, num_gpus=options.gpus, max_restarts=options.restarts
        )
        return made.remote(recipe)

    def _first_facts(self) -> list[ActorFacts]:
        """Wait until every actor has its model; give what they tell."""
        asked = [actor.take.remote(None) for actor in self._actors]
        limit_s = self._options.limit_s
        ready, _ = self._ray.wait(asked, num_returns=len(asked), timeout=limit_s)
        try:
            facts: list[ActorFacts] = self._ray.get(ready)
        except self._ray.exceptions.RayTaskError as error:
            raise error.as_instanceof_cause() from error
        except self._deaths() as error:
            raise ReplicaError(f"an actor could not load the model: {in_short(error)}") from error
        if len(ready) < len(asked):
            has = self._ray.cluster_resources()
            raise ReplicaError(
                f"{len(ready)} of {len(asked)} actors started within {limit_s:g} s; each takes "
                f"{self._options.cpus:g} processors and {self._options.gpus:g} GPUs, and the "
                f"cluster has {has.get('CPU', 0):g} and {has.get('GPU', 0):g}. Ask for fewer "
                "--workers, or give more time: --serving-option limit_s=600"
            )
        ours = importlib.metadata.version("inferometer")
        others = {one.node: one.inferometer for one in facts if one.inferometer != ours}
        if others:
            listed = ", ".join(f"{node} has {version}" for node, version in others.items())
            raise ReplicaError(f"this machine has Inferometer {ours}, but {listed}; install one")
        return facts

    def _deaths(self) -> tuple[type[BaseException], ...]:
        """Give the errors by which Ray says that an actor or its answer is lost."""
        errors = self._ray.exceptions
        return (errors.RayActorError, errors.ObjectLostError, errors.WorkerCrashedError)

    def _died(self, replica: int, life: int, error: BaseException) -> None:
        """Take the death of an actor, once, and wait for its next life."""
        with self._lock:
            if self._is_closed or not self._present[replica] or self._lives[replica] != life:
                return
            self._present[replica] = False
            sink, facts = self._sink, self._facts[replica]
        kind = type(error).__name__
        sink(Lost(replica, f"the actor in process {facts.process_id} on {facts.node}: {kind}"))
        late = f"it did not come back within {self._options.limit_s:g} s"
        over = threading.Timer(self._options.limit_s, self._ended, (replica, life, late))
        over.daemon = True
        over.start()
        self._ask_back(replica, life, over)

    def _ask_back(self, replica: int, life: int, over: threading.Timer) -> None:
        """Have an actor that starts anew take the samples; it is back once it has."""
        with self._lock:
            samples = self._samples

        def take_return(future: Any) -> None:
            trouble = future.exception()
            if trouble is not None:
                over.cancel()
                self._ended(replica, life, in_short(trouble))
            elif self._returned(replica, life, samples, future.result()):
                over.cancel()
            else:
                self._ask_back(replica, life, over)

        try:
            # While an actor starts anew Ray keeps this call for it, as often as it dies.
            ready = self._actors[replica].take.options(max_task_retries=-1).remote(samples)
        except self._deaths() as trouble:
            over.cancel()
            self._ended(replica, life, in_short(trouble))
            return
        ready.future().add_done_callback(take_return)

    def _returned(self, replica: int, life: int, samples: Any, facts: ActorFacts) -> bool:
        """Take an actor back; tell whether it has the samples that are wanted by now."""
        with self._lock:
            if self._is_closed or self._lives[replica] != life:
                return True
            if samples is not self._samples:
                return False
            self._lives[replica] += 1
            self._present[replica] = True
            self._facts[replica] = facts
            sink = self._sink
        sink(Back(replica))
        return True

    def _ended(self, replica: int, life: int, what: str) -> None:
        with self._lock:
            if self._is_closed or self._lives[replica] != life or self._present[replica]:
                return
            self._lives[replica] += 1
            self._gone[replica] = what
            sink = self._sink
        sink(Gone(replica, what))
