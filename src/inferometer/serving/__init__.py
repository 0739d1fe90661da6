"""Ways to be a system under test: inline, a batching pool, simulated."""

from inferometer.serving.handler import Handler
from inferometer.serving.inline import InlineServing
from inferometer.serving.pool import PoolOptions, PoolServing
from inferometer.serving.simulated import SimulatedSUT

__all__ = ["Handler", "InlineServing", "PoolOptions", "PoolServing", "SimulatedSUT"]
