"""Server-sent events, wherever the bytes are split."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inferometer.serving.llm.event_stream import EventStream
from inferometer.serving.llm.fault import LlmFault

STREAM = (
    b"\xef\xbb\xbf: a comment\ndata: one\n\ndata:two\r\ndata: lines\r\n\r\n"
    b"event: error\ndata: {}\n\nid: 5\nretry: 10\n\ndata\n\n\rdata: cr\r\rdata: [DONE]\n\ndata: no"
)
EVENTS = [
    ("", b"one"),
    ("", b"two\nlines"),
    ("error", b"{}"),
    ("", b""),
    ("", b"cr"),
    ("", b"[DONE]"),
]


@example([35, 35])
@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_events_dont_depend_on_where_the_bytes_are_split(places: list[int]) -> None:
    stream, ends = EventStream(), sorted([0, *places, len(STREAM)])
    found = [
        event for start, end in itertools.pairwise(ends) for event in stream.feed(STREAM[start:end])
    ]
    assert found == EVENTS


def test_an_event_without_end_is_refused() -> None:
    stream = EventStream()
    piece = b"x" * (1 << 20)
    for _ in range(16):
        stream.feed(piece)
    with pytest.raises(LlmFault, match="more than 16 MiB"):
        stream.feed(piece)
