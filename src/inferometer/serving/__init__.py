"""Ways to be a system under test: inline, a batching pool, a queue runner, simulated."""

from inferometer.serving.handler import Handler, TimedAnswer, TimedHandler
from inferometer.serving.inline import InlineServing
from inferometer.serving.pool import PoolOptions, PoolServing
from inferometer.serving.queue_runner import QueueRunnerOptions, QueueRunnerServing
from inferometer.serving.simulated import SimulatedSUT

__all__ = [
    "Handler",
    "InlineServing",
    "PoolOptions",
    "PoolServing",
    "QueueRunnerOptions",
    "QueueRunnerServing",
    "SimulatedSUT",
    "TimedAnswer",
    "TimedHandler",
]
