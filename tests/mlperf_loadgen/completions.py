"""Completions: what tests of them share."""

from __future__ import annotations

from typing import Any

from tests.mlperf_loadgen.harness import OURS, Seen

TWICE = "Attempted to complete a sample twice."


def is_right(seen: Seen) -> bool:
    """Tell whether every sample was answered once, with what the harness answers."""
    logged = seen.answers
    return (
        len(logged) == len(seen.ids)
        and {entry["qsl_idx"] for entry in logged} == set(range(50))
        and all(
            bytes.fromhex(entry["data"]) == entry["qsl_idx"].to_bytes(4, "little")
            for entry in logged
        )
        and seen.text("summary.txt").endswith("\nNo errors encountered during test.\n")
    )


def response(one: Any, count: int = 0) -> Any:
    return OURS.QuerySampleResponse(one.id, 0, 0, count)
