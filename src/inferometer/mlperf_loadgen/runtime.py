"""Runtime: handles, the running test, and the completing calls.

This module imports nothing heavy, so that a program which only wants the names doesn't
wait for it; the load generator itself is imported by the first thing constructed.
"""

from __future__ import annotations

import importlib
import itertools
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from inferometer.mlperf_loadgen.fields import U64
from inferometer.mlperf_loadgen.samples import QuerySampleResponse

if TYPE_CHECKING:
    from inferometer.mlperf_loadgen.flight import Flight

__all__ = [
    "ConstructFastSUT",
    "ConstructQDL",
    "ConstructQSL",
    "ConstructSUT",
    "ConstructSUTV05",
    "Construction",
    "DestroyFastSUT",
    "DestroyQDL",
    "DestroyQSL",
    "DestroySUT",
    "FirstTokenComplete",
    "QuerySamplesComplete",
    "QuerySamplesCompleteV05",
    "look_up",
    "set_flight",
    "take_ids",
]

ResponseCallback = Callable[[QuerySampleResponse], None]

_now_ns = time.perf_counter_ns
_flight: Flight | None = None
# Zero is no id, as an address in the published binding never is.
_next_id = 1
_handles: dict[int, Construction] = {}
_numbers = itertools.count(1)


class Construction:
    """What a handle stands for: ``kind`` is ``sut``, ``fast``, ``qdl`` or ``qsl``."""

    __slots__ = ("arguments", "kind")

    def __init__(self, kind: str, *arguments: Any):
        self.kind = kind
        self.arguments = arguments


def _construct(kind: str, *arguments: Any) -> int:
    # Whoever constructs something is about to test: what a test needs is imported here,
    # outside of what a harness times.
    importlib.import_module("inferometer.mlperf_loadgen.adapter")
    handle = next(_numbers)
    _handles[handle] = Construction(kind, *arguments)
    return handle


def _check_callables(function: str, **callbacks: Any) -> None:
    for name, callback in callbacks.items():
        if callback is not None and not callable(callback):
            raise TypeError(f"{function}: {name} is a {type(callback).__name__}, not a function")


def look_up(handle: int, *kinds: str) -> Construction:
    """Give what a handle stands for; raise ValueError if it is of none of these kinds."""
    if not hasattr(handle, "__index__"):
        raise TypeError(f"{handle!r} is not a handle; Construct… functions give them")
    found = _handles.get(handle)
    if found is None or found.kind not in kinds:
        wanted = " or ".join(kinds)
        raise ValueError(f"{handle!r} is not the handle of a {wanted}, or was destroyed")
    return found


def ConstructSUT(  # noqa: N802
    issue_cb: Callable[[list[Any]], None], flush_cb: Callable[[], None], /
) -> int:
    """Construct a system under test; give its handle."""
    _check_callables("ConstructSUT", issue_cb=issue_cb, flush_cb=flush_cb)
    return _construct("sut", issue_cb, flush_cb, None)


def ConstructSUTV05(  # noqa: N802
    issue_cb: Callable[[list[Any]], None],
    flush_cb: Callable[[], None],
    report_latency_results_cb: Callable[[list[int]], None],
    /,
) -> int:
    """Construct a system under test in v0.5, which is told all latencies in ns."""
    _check_callables(
        "ConstructSUT",
        issue_cb=issue_cb,
        flush_cb=flush_cb,
        report_latency_results_cb=report_latency_results_cb,
    )
    return _construct("sut", issue_cb, flush_cb, report_latency_results_cb)


def ConstructFastSUT(  # noqa: N802
    fast_issue_cb: Callable[[list[int], list[int]], None], flush_cb: Callable[[], None], /
) -> int:
    """Construct a system that is handed lists of ids and indices; give its handle."""
    _check_callables("ConstructFastSUT", fast_issue_cb=fast_issue_cb, flush_cb=flush_cb)
    return _construct("fast", fast_issue_cb, flush_cb, None)


def ConstructQDL(  # noqa: N802
    issue_cb: Callable[[list[Any]], None],
    flush_cb: Callable[[], None],
    client_name_cb: Callable[[], str],
    /,
) -> int:
    """Construct a query dispatch library, a system on the other side of a network."""
    _check_callables(
        "ConstructQDL", issue_cb=issue_cb, flush_cb=flush_cb, client_name_cb=client_name_cb
    )
    return _construct("qdl", issue_cb, flush_cb, client_name_cb)


def ConstructQSL(  # noqa: N802
    total_sample_count: int,
    performance_sample_count: int,
    load_samples_to_ram_cb: Callable[[list[int]], None],
    unload_samples_from_ram_cb: Callable[[list[int]], None],
    /,
) -> int:
    """Construct a query sample library; give its handle."""
    try:
        counts = U64(total_sample_count), U64(performance_sample_count)
    except TypeError as error:
        raise TypeError(f"a sample count of ConstructQSL takes {error}") from None
    _check_callables(
        "ConstructQSL",
        load_samples_to_ram_cb=load_samples_to_ram_cb,
        unload_samples_from_ram_cb=unload_samples_from_ram_cb,
    )
    return _construct(
        "qsl",
        *counts,
        load_samples_to_ram_cb,
        unload_samples_from_ram_cb,
    )


def _destroy(handle: int, kind: str) -> None:
    look_up(handle, kind)
    del _handles[handle]


def DestroySUT(handle: int, /) -> None:  # noqa: N802
    """Forget a system under test."""
    _destroy(handle, "sut")


def DestroyFastSUT(handle: int, /) -> None:  # noqa: N802
    """Forget a fast system under test."""
    _destroy(handle, "fast")


def DestroyQDL(handle: int, /) -> None:  # noqa: N802
    """Forget a query dispatch library."""
    _destroy(handle, "qdl")


def DestroyQSL(handle: int, /) -> None:  # noqa: N802
    """Forget a query sample library."""
    _destroy(handle, "qsl")


def take_ids(count: int) -> int:
    """Give the first of ``count`` sample ids, none of which was ever given before."""
    global _next_id  # noqa: PLW0603 - ids are unique in the process
    first = _next_id
    _next_id += count
    return first


def set_flight(flight: Flight | None) -> None:
    """Make a series the one that completions belong to; ``None`` once it has ended."""
    global _flight  # noqa: PLW0603 - the completing functions have no other argument
    _flight = flight


def QuerySamplesComplete(  # noqa: N802
    responses: Sequence[QuerySampleResponse], response_cb: ResponseCallback | None = None
) -> None:
    """Say that samples, of any queries, are answered; from any thread, at any time.

    ``response_cb`` is called with each response that is logged, before its bytes are
    read. Raises TypeError for anything but a sequence of responses, and ValueError for an
    id that was never given out.
    """
    stamp = _now_ns()
    flight = _flight
    if flight is not None and flight.is_fast:
        count = len(responses)
        if count != 1:
            if count == flight.size and flight.complete_in_order(responses, stamp):
                return
        elif type(response := responses[0]) is QuerySampleResponse:
            plain, number = flight.plain, response.id - flight.base
            if number in plain:
                # The time is stored before the query stops being outstanding.
                flight.completed_ns[number] = stamp
                if plain.pop(number, None) is not None:
                    ledger = flight.ledger
                    if ledger.wake_at >= 0 and len(plain) <= ledger.wake_at:
                        ledger.waker.set()
                    if stamp >= ledger.next_due_ns:
                        ledger.give_way()
                    return
            elif flight.size > 1 and flight.ledger.complete_one(number, stamp):
                return
    _complete(flight, responses, stamp, response_cb)


def QuerySamplesCompleteV05(responses: Sequence[QuerySampleResponse], /) -> None:  # noqa: N802
    """Say that samples, of any queries, are answered (v0.5)."""
    QuerySamplesComplete(responses)


def _complete(
    flight: Flight | None,
    responses: Sequence[QuerySampleResponse],
    stamp: int,
    response_cb: ResponseCallback | None,
) -> None:
    _check_sequence(responses)
    if not len(responses):
        return
    if flight is None:
        raise ValueError("samples are completed, but no test is running")
    flight.complete(responses, stamp, response_cb)


def FirstTokenComplete(  # noqa: N802
    responses: Sequence[QuerySampleResponse],
    response_cb: ResponseCallback | None = None,  # noqa: ARG001 - the published one is never called
) -> None:
    """Say that the first tokens of samples are out; ``response_cb`` is never called."""
    stamp = _now_ns()
    _check_sequence(responses)
    if not len(responses):
        return
    if _flight is None:
        raise ValueError("first tokens come in, but no test is running")
    _flight.first_token(responses, stamp)


def _check_sequence(responses: Any) -> None:
    if not hasattr(responses, "__len__") or not hasattr(responses, "__getitem__"):
        kind = type(responses).__name__
        raise TypeError(f"a sequence of QuerySampleResponse is wanted, not a {kind}")
