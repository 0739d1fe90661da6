"""Whole sessions against a real server that follows a script."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inferometer.cli.output import SilentListener
from inferometer.loadgen import (
    Mode,
    Recording,
    ResponseReader,
    Scenario,
    SettingsError,
    Severity,
    judge,
)
from inferometer.report import write_html
from inferometer.report.summary import summary_rows
from inferometer.runs import Session, TestResult, load_session
from inferometer.runs.folder import RECORDING, RESPONSES
from inferometer.runs.llm import LlmRequest, run_llm, synthetic_prompts
from inferometer.serving.llm import LlmEndpoint, LlmFault, LlmOptions
from tests.serving.llm.server import Scripted, answer, chat, serving

pytest.importorskip("httptools")
pytestmark = pytest.mark.realtime

WIDE_NS = 3600 * 10**9


def run(
    url: str, folder: Path, options: dict[str, Any] | None = None, **changes: Any
) -> tuple[Session, TestResult]:
    request = LlmRequest(
        endpoint=LlmEndpoint.read(url, {}),
        options=LlmOptions("tiny", **(options or {})),
        prompts=synthetic_prompts(20, 5, 5, seed=1),
        output=folder,
        **{"requests": 70, "ttft_ns": WIDE_NS, "tpot_ns": WIDE_NS, **changes},
    )
    session = run_llm(request, SilentListener())
    return session, session.tests[-1]


def findings_of(test: TestResult) -> dict[str, str]:
    return {found.rule.id: found.seen for found in test.findings}


@pytest.mark.parametrize("scenario", [Scenario.SINGLE_STREAM, Scenario.SERVER, Scenario.OFFLINE])
def test_a_session(scenario: Scenario, tmp_path: Path) -> None:
    # To be sure of the 99th percentile takes so many.
    count = 500 if scenario is Scenario.SERVER else 70
    with serving(lambda *_: Scripted(answer(4, usage=8))) as server:
        session, test = run(
            server.url,
            tmp_path / "run",
            scenarios=(scenario,),
            target_qps=2000.0,
            in_flight=5,
            requests=count,
        )
        assert server.most_in_flight <= 5
    assert session.is_good, test.findings
    verdict = test.verdict
    assert verdict is not None
    assert verdict.tokens is not None
    goodput = verdict.tokens.goodput
    assert goodput is not None
    assert (goodput.good, goodput.total, goodput.share) == (count, count, 1.0)
    assert verdict.tokens.total == count * 8
    assert goodput.from_sending is (scenario is Scenario.OFFLINE)
    notes = test.recording.notes["llm"]
    assert (notes["answered"], notes["failed"]) == (count, {})
    assert findings_of(test)["llm.answers"].startswith(
        f"{count} answers with a mean of 7.0 prompt tokens and 8.0 output tokens; "
        f"ended by: stop {count}"
    )
    # Everything is in the recording, and on the page.
    assert test.folder is not None
    assert judge(Recording.load(test.folder / RECORDING)) == verdict
    assert load_session(tmp_path / "run").tests[0].verdict == verdict
    (row,) = summary_rows(session)
    assert "goodput 100.0%" in row.tokens
    page = write_html([session], tmp_path / "report.html").read_text("utf-8")
    assert "tiny at 127.0.0.1" in page
    for text in ("Request, from sending it", "70, 5 in flight"):
        assert (text in page) is (scenario is Scenario.OFFLINE)


def test_times_are_in_order(tmp_path: Path) -> None:
    with serving(lambda *_: Scripted(answer(3))) as server:
        _, test = run(server.url, tmp_path, scenarios=(Scenario.OFFLINE,))
    series = test.recording.performance
    assert series is not None
    assert series.began_ns is not None
    assert series.first_token_ns is not None
    assert bool((series.issued_ns[0] <= series.began_ns).all())
    assert bool((series.began_ns <= series.first_token_ns).all())
    assert bool((series.first_token_ns <= series.completed_ns).all())
    assert series.token_count is not None
    assert np.unique(series.token_count).tolist() == [3]
    assert findings_of(test)["llm.counted-by-chunks"] == "in 70 of 70 answers"


def test_answers_are_kept_in_accuracy_mode(tmp_path: Path) -> None:
    def script(body: dict[str, Any], _: int) -> Scripted:
        words = body["messages"][0]["content"].split()
        return Scripted([chat(words[0]), chat(" é", "stop"), b"data: [DONE]\n\n"])

    with serving(script) as server:
        session, test = run(server.url, tmp_path, modes=(Mode.ACCURACY, Mode.PERFORMANCE))
    assert [one.mode for one in session.tests] == [Mode.ACCURACY, Mode.PERFORMANCE]
    accuracy = session.tests[0]
    assert accuracy.folder is not None
    responses = list(ResponseReader(accuracy.folder / RESPONSES))
    assert {one.data.decode() for one in responses} == {f"{1 + n} é" for n in range(20)}
    assert all(one.first_token_data.decode() in one.data.decode() for one in responses)
    assert {one.token_count for one in responses} == {2}
    assert test.is_valid


def test_failed_requests_end_a_test_unless_some_may(tmp_path: Path) -> None:
    def script(_: dict[str, Any], number: int) -> Scripted:
        # The first is the warm-up's.
        return Scripted([b"no"], 500) if number in (5, 9) else Scripted(answer(2))

    with serving(script) as server:
        _, test = run(server.url, tmp_path / "ends")
    assert test.has_failed
    assert findings_of(test)["llm.failed"] == (
        "refused 1; the first: the server answered with HTTP 500: no"
    )
    with serving(script) as server:
        _, test = run(server.url, tmp_path / "goes on", {"max_failed": 2})
    assert not test.has_failed
    assert test.is_valid is False
    assert test.verdict is not None
    assert test.verdict.tokens is not None
    assert test.verdict.tokens.goodput is not None
    assert (test.verdict.tokens.goodput.good, test.verdict.tokens.goodput.total) == (68, 70)
    assert findings_of(test)["llm.failed"].startswith("refused 2;")


def test_retries_are_told(tmp_path: Path) -> None:
    def script(_: dict[str, Any], number: int) -> Scripted:
        return Scripted([b"busy"], 429) if number == 5 else Scripted(answer(2))

    with serving(script) as server:
        _, test = run(server.url, tmp_path, {"retries": 1})
    assert test.is_valid
    (found,) = [one for one in test.findings if one.rule.id == "llm.retried"]
    assert found.rule.severity is Severity.WARNING
    assert found.seen == "busy 1; the first: the server answered with HTTP 429: busy"


def test_a_server_that_dies_in_an_answer(tmp_path: Path) -> None:
    def script(_: dict[str, Any], number: int) -> Scripted:
        return Scripted([chat("a")], ending="cut") if number == 30 else Scripted(answer(2))

    with serving(script) as server:
        _, test = run(server.url, tmp_path, scenarios=(Scenario.OFFLINE,))
    assert test.has_failed
    assert "connection was lost" in findings_of(test)["llm.failed"]


def test_a_server_that_is_gone_for_good(tmp_path: Path) -> None:
    with serving(lambda *_: Scripted(answer(2))) as server:

        def script(_: dict[str, Any], number: int) -> Scripted:
            if number < 30:
                return Scripted(answer(2))
            server.hang_up()
            return Scripted([chat("a")], ending="cut")

        server.script = script
        _, test = run(server.url, tmp_path, {"max_failed": 100})
    assert not test.has_failed
    assert test.is_valid is False
    failed = test.recording.notes["llm"]["failed"]
    # The warm-up had the first of the thirty.
    assert failed == {"connection-lost": 1, "unreachable": 70 - 29 - 1}
    assert test.verdict is not None
    assert test.verdict.tokens is not None
    assert test.verdict.tokens.goodput is not None
    assert test.verdict.tokens.goodput.good == 29


def test_an_endpoint_that_cant_answer_is_told_before_anything_is_run(tmp_path: Path) -> None:
    with (
        serving(lambda *_: Scripted([b"no model tiny"], 404)) as server,
        pytest.raises(LlmFault, match="no model tiny"),
    ):
        run(server.url, tmp_path / "run")


def test_the_key_is_nowhere_in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFEROMETER_API_KEY", "sk-secret")
    with serving(lambda *_: Scripted(answer(2))) as server:
        request = LlmRequest(
            endpoint=LlmEndpoint.read(server.url),
            options=LlmOptions("tiny"),
            prompts=synthetic_prompts(3, 2, 2, seed=1),
            output=tmp_path,
            requests=5,
        )
        session = run_llm(request, SilentListener())
        assert "Bearer sk-secret" in server.heads[0]
    write_html([session], tmp_path / "report.html")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 3
    assert not any(b"sk-secret" in path.read_bytes() for path in files)
    assert "sk-secret" not in json.dumps(session.tests[0].recording.notes)


def test_what_cant_be_asked(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="MultiStream isn't for endpoints"):
        run("h", tmp_path, scenarios=(Scenario.MULTI_STREAM,))
    with pytest.raises(SettingsError, match="--target-qps"):
        run("h", tmp_path, scenarios=(Scenario.SERVER,))
