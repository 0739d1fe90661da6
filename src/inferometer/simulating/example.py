"""Example: a description to begin with, as ``inferometer simulate --example`` prints it."""

from __future__ import annotations

__all__ = ["EXAMPLE"]

EXAMPLE = """\
# A system that doesn't exist yet. Times are ms, and every section but [service] may be left out.
name = "a hundred replicas"
replicas = 100
routing = "random"      # round-robin, two-choices, least-outstanding, shared-queue

# What a call of the model takes: a mean for each batch size, here a setup and so much for each
# sample; or [[service.batch]] with size, mean_ms and shape. `inferometer simulate --from RUN`
# fits it to a recorded run.
[service]
setup_ms = 2.0
per_sample_ms = 0.5
contention = 0.0        # how much longer a call takes for each other one beside it
wake_ms = 0.05          # what a call takes besides if its worker was idle: waking a thread
preprocess_ms = 0.1     # of each sample, before and after the model
postprocess_ms = 0.0

# How calls scatter about their mean: constant, exponential, lognormal, gamma, quantiles, or a
# mixture, here of calls and of one stall in a thousand.
[service.shape]
kind = "mixture"
parts = [
    { share = 0.999, kind = "lognormal", variation = 0.1 },
    { share = 0.001, kind = "gamma", mean = 8.0, variation = 0.5 },
]

# How they scatter if their worker was idle, where that is another way.
# [service.woken_shape]
# kind = "lognormal"
# variation = 0.2

# What a call takes besides on a worker that got cold while it was idle.
# [service.cold]
# extra_ms = 0.3
# cools_ms = 8.0        # how long an idle worker keeps its warmth
# warms_ms = 0.25       # how long a busy one stays cold

# Calls are slower on a replica that had little to do lately: processors lower their clock.
# [service.slack]
# excess = 0.2          # by how much of its time a call is longer where nothing was busy
# scatter = 1.0         # by how much of their distance from the mean they lie further from it
# memory_s = 0.5        # how long what was counts

# What holds calls up now and then, as long whatever the call is.
# [service.stalls]
# per_s = 2.0           # how often in a second of work
# lasting = { kind = "lognormal", mean_ms = 1.5, variation = 1.0 }

# A speed that wanders, of each replica by itself.
# [service.drift]
# spread = 0.05         # standard deviation of its logarithm
# period_s = 1.0
# idle_spread = 0.1     # what that is more where nothing was busy lately

# How a replica forms batches.
[batching]
workers = 2
max_batch = 8
max_wait_ms = 0.0

[network]
request = { kind = "lognormal", mean_ms = 0.5, variation = 0.5 }
response = { kind = "constant", mean_ms = 0.3 }
request_bytes = 150528
response_bytes = 4000
gigabits_per_s = 10

# What an hour of a replica costs you.
[price]
per_replica_hour = 0.34
currency = "EUR"

# Replicas that die and come back; what was there is issued again.
# [failures]
# between_s = 3600
# repair_s = 60
# detect_s = 1
# retry_s = 0.5

# A fresh replica is slow at first.
# [slow_start]
# factor = 3.0
# seconds = 10
"""
