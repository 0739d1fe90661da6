"""The command line of endpoints, against a real server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from inferometer.cli.main import cli
from tests.serving.llm.server import Scripted, answer, serving

pytest.importorskip("httptools")
pytestmark = pytest.mark.realtime
WIDE = ("--ttft-bound-ms", "1e6", "--tpot-bound-ms", "1e6")


def test_a_closed_loop_as_json(tmp_path: Path) -> None:
    words = ("--concurrency", "4", "--requests", "40", "--json", "--input-words", "2-4", *WIDE)
    body = ("--body", "temperature=0", "--body", "user=me", "--max-tokens", "9")
    with serving(lambda *_: Scripted(answer(3, usage=3))) as server:
        place = ("--output", str(tmp_path))
        arguments = ["llm", f"{server.url}/v1", "--model", "a/b", *words, *body, *place]
        done = CliRunner().invoke(cli, arguments)
        assert server.most_in_flight <= 4
        sent = server.bodies[-1]
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    (test,) = found["tests"]
    assert test["scenario"] == "Offline"
    assert test["performance"]["tokens"]["goodput"]["share"] == 1.0
    assert test["performance"]["tokens"]["goodput"]["first_token"]["percentiles_ns"]["p99"] > 0
    assert (tmp_path / "report.html").is_file()
    assert sent.pop("messages")[0]["role"] == "user"
    assert sent == {
        "model": "a/b",
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0,
        "user": "me",
        "max_tokens": 9,
    }


def test_completions_of_a_file_for_people(tmp_path: Path) -> None:
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("one\ntwo\n", "utf-8")
    words = ("--api", "completions", "--prompts", str(prompts), "--requests", "70", *WIDE)
    pieces = [b'data: {"choices": [{"text": "a"}]}\n\n'] * 2 + [b"data: [DONE]\n\n"]
    with serving(lambda *_: Scripted(pieces)) as server:
        arguments = ["llm", server.url, "--model", "m", *words, "--output", str(tmp_path / "run")]
        done = CliRunner().invoke(cli, arguments)
        assert server.heads[0].startswith("POST /v1/completions ")
    assert done.exit_code == 0, done.output
    assert {body["prompt"] for body in server.bodies} == {"one", "two"}
    for text in (
        "m at 127.0.0.1",
        "SingleStream",
        "goodput 100.0%",
        "VALID",
        "llm.counted-by-chunks",
    ):
        assert text in done.output


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--scenario", "Server"], "--target-qps"),
        (["--input-words", "5-2"], "no length"),
        (["--body", "messages=1"], "messages can't be set"),
        (["--prompts", "none.txt"], "can't be read"),
    ],
)
def test_wrong_words(words: list[str], text: str) -> None:
    done = CliRunner().invoke(cli, ["llm", "http://127.0.0.1:9", "--model", "m", *words])
    assert done.exit_code != 0
    assert text in done.output + str(done.exception)
