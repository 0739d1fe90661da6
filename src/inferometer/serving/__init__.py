"""Ways to be a system under test: inline, a batching pool, replicas, a queue runner, simulated."""

from inferometer.serving.handler import Handler, TimedAnswer, TimedHandler
from inferometer.serving.inline import InlineServing
from inferometer.serving.pool import PoolOptions, PoolServing
from inferometer.serving.queue_runner import QueueRunnerOptions, QueueRunnerServing
from inferometer.serving.replica_serving import ReplicaServing, ReplicaServingOptions
from inferometer.serving.replicas import (
    Recipe,
    Replica,
    ReplicaAnswer,
    ReplicaError,
    Replicas,
    Samples,
)
from inferometer.serving.simulated import SimulatedSUT

__all__ = [
    "Handler",
    "InlineServing",
    "PoolOptions",
    "PoolServing",
    "QueueRunnerOptions",
    "QueueRunnerServing",
    "Recipe",
    "Replica",
    "ReplicaAnswer",
    "ReplicaError",
    "ReplicaServing",
    "ReplicaServingOptions",
    "Replicas",
    "Samples",
    "SimulatedSUT",
    "TimedAnswer",
    "TimedHandler",
]
