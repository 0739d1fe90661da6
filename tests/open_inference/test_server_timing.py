"""Server timing: written as we send it, read as anybody may."""

from __future__ import annotations

import pytest

from inferometer.open_inference import ServerTiming, read_timing, timing_text


def test_what_is_written_is_read() -> None:
    timing = ServerTiming(queue_ns=1_500, infer_ns=2_000_000)
    assert timing_text(timing) == "queue;dur=0.001500, infer;dur=2.000000"
    assert read_timing(timing_text(timing)) == timing
    assert timing.total_ns == 2_001_500


@pytest.mark.parametrize(
    ("text", "queue_ns", "infer_ns"),
    [
        ('db;desc="a b";dur=2.5', 0, 2_500_000),
        ("cache;dur=1, app;dur=2", 0, 3_000_000),
        ("queue; dur=1, total;dur=5", 1_000_000, 5_000_000),
    ],
)
def test_other_servers_are_read(text: str, queue_ns: int, infer_ns: int) -> None:
    assert read_timing(text) == ServerTiming(queue_ns, infer_ns)


@pytest.mark.parametrize("text", ["", "miss", "cache;desc=x", "a;dur=..", "a;dur=1.2.3"])
def test_what_holds_no_duration_is_none(text: str) -> None:
    assert read_timing(text) is None
