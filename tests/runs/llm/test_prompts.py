"""Prompts from files, and made-up ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from inferometer.loadgen import InferometerError
from inferometer.runs.llm import Prompts, read_prompts, synthetic_prompts
from inferometer.runs.llm.prompts import PromptLibrary


def test_a_prompt_a_line(tmp_path: Path) -> None:
    path = tmp_path / "p.txt"
    path.write_text("one\n\n two \n", "utf-8")
    prompts = read_prompts(path)
    assert prompts.entries == ({"prompt": "one"}, {"prompt": " two "})
    assert prompts.fields(0, is_chat=True) == {"messages": [{"role": "user", "content": "one"}]}
    assert prompts.fields(0, is_chat=False) == {"prompt": "one"}


def test_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    messages = [{"role": "system", "content": "be short"}, {"role": "user", "content": "hi"}]
    lines = [{"id": 1, "prompt": "é", "max_tokens": 5}, {"messages": messages}]
    path.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    prompts = read_prompts(path)
    assert prompts.entries == ({"prompt": "é", "max_tokens": 5}, {"messages": messages})
    assert prompts.fields(1, is_chat=True) == {"messages": messages}
    with pytest.raises(InferometerError, match=r"prompt 2 .* only the chat API"):
        prompts.fields(1, is_chat=False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"prompt": "a"}\n{', r"p\.jsonl:2: not JSON"),
        ("[1]", r"p\.jsonl:1: not a JSON object"),
        ('{"prompt": 5}', "neither prompt"),
        ("\n\n", "holds no prompt"),
    ],
)
def test_what_cant_be_read_is_named(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(text, "utf-8")
    with pytest.raises(InferometerError, match=words):
        read_prompts(path)
    with pytest.raises(InferometerError, match="can't be read"):
        read_prompts(tmp_path / "none.txt")


def test_synthetic_prompts_have_the_length_asked_for_and_beginnings_of_their_own() -> None:
    prompts = synthetic_prompts(200, 3, 9, seed=5)
    words = [entry["prompt"].split() for entry in prompts.entries]
    assert {len(one) for one in words} == set(range(3, 10))
    assert len({one[0] for one in words}) == 200
    assert prompts == synthetic_prompts(200, 3, 9, seed=5)
    assert prompts.sha256 == synthetic_prompts(200, 3, 9, seed=5).sha256
    assert prompts.sha256 != synthetic_prompts(200, 3, 9, seed=6).sha256
    assert prompts != synthetic_prompts(200, 3, 9, seed=6)


def test_the_library_holds_requests_while_they_are_loaded() -> None:
    library = PromptLibrary(Prompts("p", ({"prompt": "a"}, {"prompt": "b"})), lambda i: {"n": i})
    library.load(np.array([1, 1]))
    assert library.body_of(1) == b'{"n": 1}'
    library.unload(np.array([1, 1]))
    with pytest.raises(KeyError):
        library.body_of(1)
