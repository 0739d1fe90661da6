"""Answers from their messages: text, tokens, ends and errors."""

from __future__ import annotations

import pytest

from inferometer.serving.llm.fault import LlmFault, LlmFaultKind
from inferometer.serving.llm.streamed_answer import StreamedAnswer
from tests.serving.llm.server import answer, chat, event


def fed(*pieces: bytes) -> StreamedAnswer:
    found = StreamedAnswer()
    for piece in pieces:
        found.feed(piece)
    return found


def test_the_servers_count_comes_before_that_of_messages() -> None:
    assert fed(*answer(3)).token_count == 3
    counted = fed(*answer(3, usage=9))
    assert (counted.token_count, counted.chunks, counted.prompt_tokens) == (9, 3, 7)
    assert counted.text == "t0 t1 t2 "
    assert counted.is_done
    assert counted.finish_reason == "stop"


def test_a_role_alone_is_no_token() -> None:
    found = fed(answer(3)[0])
    assert (found.chunks, found.text) == (0, "")


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        ({"text": "completion"}, "completion"),
        ({"delta": {"reasoning_content": "why"}}, "why"),
        ({"delta": {"tool_calls": [{"function": {"name": "f"}}]}}, ""),
    ],
)
def test_forms_of_a_message_with_a_token(choice: dict[str, object], text: str) -> None:
    found = fed(event({"choices": [choice]}))
    assert (found.chunks, found.text) == (1, text)


@pytest.mark.parametrize(
    ("piece", "kind"),
    [
        (event({"error": {"message": "out of memory"}}), LlmFaultKind.IN_STREAM),
        (b"event: error\ndata: {}\n\n", LlmFaultKind.IN_STREAM),
        (b"data: nonsense\n\n", LlmFaultKind.PROTOCOL),
        (b"data: [1]\n\n", LlmFaultKind.PROTOCOL),
    ],
)
def test_errors_in_the_stream(piece: bytes, kind: LlmFaultKind) -> None:
    with pytest.raises(LlmFault) as raised:
        fed(chat("a"), piece)
    assert raised.value.kind is kind


def test_an_end_without_a_mark_counts_if_the_reason_is_told() -> None:
    found = fed(*answer(2, done=False))
    found.end()
    assert found.is_done
    with pytest.raises(LlmFault, match="ended before the answer"):
        fed(chat("a")).end()
