"""Run: takes a session with a language model endpoint through its tests."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Mapping
from typing import Any

from inferometer.loadgen import Mode, RunOptions, Scenario
from inferometer.runs.effort import Pace
from inferometer.runs.folder import SESSION, write_json
from inferometer.runs.folder_lock import folder_lock
from inferometer.runs.llm.prompts import PromptLibrary
from inferometer.runs.llm.request import LlmRequest
from inferometer.runs.recorder import record_test
from inferometer.runs.request import Listener
from inferometer.runs.result import Session, TestResult
from inferometer.runs.system import describe_system
from inferometer.serving.llm import LlmClient, StreamingServing
from inferometer.serving.llm.options import CHAT
from inferometer.serving.llm.streamed_answer import StreamedAnswer

__all__ = ["run_llm"]

_MOST_WARM_UP = 32
_FOLDERS = {Mode.ACCURACY: "accuracy", Mode.PERFORMANCE: "performance/run_1"}


def run_llm(request: LlmRequest, listener: Listener) -> Session:
    """Run every scenario's tests into the request's folder; give their session.

    A test that fails or is interrupted is the last. Raises `LlmFault` if the endpoint doesn't
    answer the first requests, `RunFolderError` if the folder can't be written.
    """
    with folder_lock(request.output):
        session = _described(request)
        for scenario in request.scenarios:
            session = _run_scenario(request, scenario, session, listener)
            if session.tests and _was_last(session.tests[-1]):
                break
        return session


def _run_scenario(
    request: LlmRequest, scenario: Scenario, session: Session, listener: Listener
) -> Session:
    options = dataclasses.replace(request.options, in_flight=request.limit_of(scenario))
    client = LlmClient(request.endpoint, options)
    try:
        library = PromptLibrary(
            request.prompts,
            lambda index: options.request_body(
                request.prompts.fields(index, is_chat=options.api == CHAT)
            ),
        )
        pace = _warm_up(client, library, scenario)
        for mode in request.modes:
            result = _run_test(request, client, library, (scenario, mode, pace), listener)
            session = dataclasses.replace(session, tests=(*session.tests, result))
            write_json(request.output / SESSION, session.to_mapping())
            if _was_last(result):
                break
    finally:
        client.close()
    return session


def _run_test(
    request: LlmRequest,
    client: LlmClient,
    library: PromptLibrary,
    test: tuple[Scenario, Mode, Pace],
    listener: Listener,
) -> TestResult:
    scenario, mode, pace = test
    settings, rule = request.settings_of(scenario, mode, pace)
    name = f"{scenario.value} {'accuracy' if mode is Mode.ACCURACY else 'performance'}"
    listener.begin(name, request.expected_s(settings, pace))
    serving = StreamingServing(
        client, library.body_of, f"{request.options.model} at {request.endpoint}"
    )
    described = {"kind": "streaming", **_asked(request), "in_flight": client.options.in_flight}
    client.account.notes()
    options = RunOptions(
        rule=rule,
        progress=listener.progress,
        notes={"serving": described},
        notes_at_end=lambda: {"llm": client.account.notes()},
    )
    folder = request.output / scenario.value / _FOLDERS[mode]
    try:
        result, _ = record_test(serving, library, settings, folder, request.label, options)
    finally:
        serving.close()
    listener.end(result)
    return result


def _warm_up(client: LlmClient, library: PromptLibrary, scenario: Scenario) -> Pace:
    """Send a request, then in Offline as many as will be in flight; say how fast that was."""
    single_s = _time(client, library, 1)
    if scenario is not Scenario.OFFLINE:
        return Pace(single_s, 1 / single_s)
    count = min(_MOST_WARM_UP, client.options.in_flight)
    rate = count / _time(client, library, count)
    return Pace(single_s, rate * client.options.in_flight / count)


def _time(client: LlmClient, library: PromptLibrary, count: int) -> float:
    """Give how long it takes until so many requests that are sent together are answered, s."""
    waiting = _Waiting(library, count)
    begun = time.perf_counter()
    client.submit([waiting] * count)
    waiting.all_done.wait()
    if waiting.error is not None:
        client.forget()
        raise waiting.error
    return max(time.perf_counter() - begun, 1e-6)


class _Waiting:
    """Requests of the warm-up, of all prompts in turn."""

    def __init__(self, library: PromptLibrary, count: int):
        self._library, self._left, self._next = library, count, 0
        self.all_done = threading.Event()
        self.error: BaseException | None = None

    def body(self) -> bytes:
        index = self._next % self._library.total_sample_count
        self._next += 1
        return self._library.made(index)

    def sent(self) -> None:
        pass

    def first_token(self, answer: StreamedAnswer) -> None:
        pass

    def done(self, answer: StreamedAnswer) -> None:  # noqa: ARG002
        self._left -= 1
        if not self._left:
            self.all_done.set()

    def failed(self, error: BaseException) -> None:
        self.error = self.error or error
        self.all_done.set()


def _was_last(result: TestResult) -> bool:
    return result.was_interrupted or result.has_failed


def _asked(request: LlmRequest) -> Mapping[str, Any]:
    """Give what is asked of the model, for the record."""
    options = request.options
    return {
        "api": options.api,
        "max_tokens": options.max_tokens,
        "body": dict(options.body),
        "asks_usage": options.asks_usage,
        "timeout_s": options.timeout_s,
        "retries": options.retries,
        "max_failed": options.max_failed,
    }


def _described(request: LlmRequest) -> Session:
    model, endpoint = request.options.model, str(request.endpoint)
    return Session(
        folder=request.output,
        workload={
            "name": model,
            "title": f"{model} at {request.endpoint.address}",
            "task": "text generation",
            "data_set": request.prompts.name,
            "samples": len(request.prompts.entries),
            "prompts_sha256": request.prompts.sha256,
        },
        backend={
            "name": "openai",
            "framework": "OpenAI-compatible endpoint",
            "url": endpoint,
            "device": "the server's own",
            **_asked(request),
        },
        label=request.label,
        system=describe_system(),
        command=request.command,
        started_at=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    )
