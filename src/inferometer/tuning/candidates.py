"""Candidates: the setups of a system that are worth trying, one axis at a time."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from inferometer.loadgen import Scenario
from inferometer.runs import ServingOptions, SystemOptions, threads_of
from inferometer.tuning.search import Axis

__all__ = ["Space", "axes_of", "described", "spelled_out"]

_LARGEST_BATCH = 128
_WAIT_SHARES = (0.02, 0.05, 0.1, 0.25)


@dataclass(frozen=True)
class Space:
    """What bounds the setups that can be tried.

    largest_batch:
        Most samples that the model takes at once; ``None`` for any number.
    model_bytes:
        Size of the model's files.
    samples_per_query:
        Samples in a MultiStream query.
    bound_ms:
        The Server bound on latency.
    tunable:
        Options of the backend that may be tried, with the values of each.
    """

    scenario: Scenario
    cores: int
    largest_batch: int | None = None
    model_bytes: int = 0
    samples_per_query: int = 8
    bound_ms: float = 100.0
    tunable: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def spelled_out(options: SystemOptions, space: Space) -> SystemOptions:
    """Give a setup with everything said that would be left to the scenario."""
    serving = options.serving.filled(space.scenario)
    if space.largest_batch is not None:
        batch = min(serving.max_batch_size, space.largest_batch)
        serving = dataclasses.replace(serving, max_batch_size=batch)
    threads = threads_of(options, space.scenario, space.model_bytes)
    backend = dataclasses.replace(options.backend, threads=threads)
    return SystemOptions(backend, serving)


def axes_of(space: Space) -> list[Axis[SystemOptions]]:
    """Give what can be changed, what matters most first."""
    axes = [Axis("threads and workers", lambda now: _parallelism(now, space))]
    axes.extend(_extra_axis(name, values, space) for name, values in space.tunable.items())
    if space.scenario is not Scenario.SINGLE_STREAM:
        axes.append(Axis("batch size", lambda now: _batches(now, space)))
    if space.scenario is Scenario.SERVER:
        axes.append(Axis("wait for fuller batches", lambda now: _waits(now, space)))
    return axes


def _parallelism(now: SystemOptions, space: Space) -> list[SystemOptions]:
    """Give other ways to share the cores among calls and within a call.

    First come those that use each core once, then those with one call at a time, then those
    with more threads than cores, which pay where workers also wait.
    """
    powers = [1 << n for n in range(space.cores.bit_length()) if 1 << n <= space.cores]
    threads = sorted({*powers, space.cores})
    inline = [_shared(now, "inline", count, 1) for count in reversed(threads)]
    if space.scenario is Scenario.SINGLE_STREAM:
        return _others(now, inline)
    full = [_shared(now, "pool", count, space.cores // count) for count in threads]
    single = [_shared(now, "pool", count, 1) for count in threads]
    over = [_shared(now, "pool", count, 2 * (space.cores // count)) for count in threads]
    over.append(_shared(now, "pool", 1, space.cores + 1))
    # Inline, the queries of the other scenarios would be one batch, or hold up the arrivals.
    alone = inline if space.scenario.is_multi_stream else []
    return _others(now, [*full, *alone, *single, *over])


def _shared(now: SystemOptions, kind: str, threads: int, workers: int) -> SystemOptions:
    serving = dataclasses.replace(
        now.serving, kind=kind, workers=workers if kind == "pool" else now.serving.workers
    )
    return SystemOptions(dataclasses.replace(now.backend, threads=threads), serving)


def _extra_axis(name: str, values: tuple[str, ...], space: Space) -> Axis[SystemOptions]:
    """Give an axis of a backend option; where one query runs at a time, threads with it.

    An option may decide whether more threads pay, as spinning does, and there are few ways
    to share the cores then.
    """

    def alternatives(now: SystemOptions) -> list[SystemOptions]:
        changed = [_with_extra(now, name, value) for value in values]
        if space.scenario is not Scenario.SINGLE_STREAM:
            return _others(now, changed)
        shared = [other for one in changed for other in _parallelism(one, space)]
        return _others(now, [*changed, *shared])

    return Axis(name.replace("_", " "), alternatives)


def _with_extra(now: SystemOptions, name: str, value: str) -> SystemOptions:
    extra = {**now.backend.extra, name: value}
    return SystemOptions(dataclasses.replace(now.backend, extra=extra), now.serving)


def _batches(now: SystemOptions, space: Space) -> list[SystemOptions]:
    """Give other batch sizes, the nearest first: powers of two."""
    serving = now.serving
    if serving.kind != "pool" or serving.workers is None:
        return []
    most = _LARGEST_BATCH if space.largest_batch is None else space.largest_batch
    current = serving.max_batch_size
    if space.scenario.is_multi_stream:
        # A worker never gets more than its share of the query, whatever the limit is.
        most = min(most, -(-space.samples_per_query // serving.workers))
        current = min(current, most)
    sizes = [1 << n for n in range(most.bit_length()) if 1 << n != current]
    sizes.sort(key=lambda size: abs(math.log2(size / current)))
    return _others(now, [_serving(now, max_batch_size=size) for size in sizes])


def _waits(now: SystemOptions, space: Space) -> list[SystemOptions]:
    if now.serving.kind != "pool" or now.serving.max_batch_size == 1:
        return []
    waits = [0.0, *(float(f"{space.bound_ms * share:.2g}") for share in _WAIT_SHARES)]
    return _others(now, [_serving(now, max_wait_ms=wait) for wait in waits])


def _serving(now: SystemOptions, **changes: Any) -> SystemOptions:
    return SystemOptions(now.backend, dataclasses.replace(now.serving, **changes))


def _others(now: SystemOptions, found: list[SystemOptions]) -> list[SystemOptions]:
    """Leave out what is set up already, and repetitions."""
    others: list[SystemOptions] = []
    for options in found:
        if options != now and options not in others:
            others.append(options)
    return others


def described(options: SystemOptions) -> str:
    """Say a setup in a few words."""
    serving: ServingOptions = options.serving
    words = [f"threads {options.backend.threads or 'by default'}"]
    if serving.kind == "inline":
        words.append("inline")
    else:
        words.append(f"workers {serving.workers}, batch {serving.max_batch_size}")
        if serving.max_wait_ms:
            words.append(f"wait {serving.max_wait_ms:g} ms")
    words.extend(f"{name} {value}" for name, value in options.backend.extra.items())
    return ", ".join(words)
