"""Supervised runs: measured in a process of their own, so that its death is only a finding."""

from __future__ import annotations

import codecs
import contextlib
import dataclasses
import os
import selectors
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator

from inferometer.backends import BackendFault
from inferometer.loadgen import Rule, SeriesProgress
from inferometer.runs.child_process import ChildProcess
from inferometer.runs.ending import (
    Ending,
    complete_session,
    cut_off_session,
    faulted_session,
    recover_running,
)
from inferometer.runs.folder import CRASH, load_header
from inferometer.runs.request import Listener, RunRequest
from inferometer.runs.result import Session, TestResult
from inferometer.runs.resuming import finished_tests
from inferometer.runs.rules import HUNG_AT_LOAD, STOOD_STILL
from inferometer.runs.supervised_child import LOADING, SIGNALS, STARTING, WARMING_UP

__all__ = ["LOAD_LIMIT_S", "run_supervised"]

LOAD_LIMIT_S = 600.0
"""Longest that loading a model may take, s."""

_START_LIMIT_S = 60.0
_SILENCE_LIMIT_S = 1800.0
_ENDING_LIMIT_S = 10.0
_ABANDON_LIMIT_S = 5.0
_SIGNAL_GRACE_S = 0.1
_LOOK_S = 5.0
_KEPT_OUTPUT = 16_384


def run_supervised(
    request: RunRequest, listener: Listener, load_limit_s: float = LOAD_LIMIT_S
) -> Session:
    """Run a request in a process of its own; give its session, whatever becomes of it.

    The process loads the model and measures at full speed; only how it goes is told here.
    If it dies, the test that ran is recovered, and the session has a finding. It is ended if
    it isn't done loading after ``load_limit_s`` seconds, or stands still for half an hour
    later (0 waits for ever). What it prints goes to standard error.

    Raises what `Runner` raises, and `KeyboardInterrupt` if a signal ended it outside a test.
    """
    if not request.resumes:
        with contextlib.suppress(OSError):
            (request.output / CRASH).unlink(missing_ok=True)
    with ChildProcess(request) as child:
        watch = _Watch(child, request, listener, load_limit_s)
        watch.follow()
        return watch.session()


class _Watch:
    """Follows a child to its end: what it tells and prints, signals, and its silence."""

    def __init__(
        self, child: ChildProcess, request: RunRequest, listener: Listener, load_limit_s: float
    ):
        self._child = child
        self._request = request
        self._listener = listener
        self._load_limit_s = load_limit_s
        self._phase = STARTING
        self._silent_s = 0.0
        self._rule: Rule | None = None
        self._rule_silent_s = 0.0
        self._asked, self._seen = 0, 0
        self._escalation = [signal.SIGABRT, signal.SIGKILL]
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._printed = ""
        self._tests: list[TestResult] = []
        if request.resumes:
            # The child tells only what it runs itself.
            self._tests = finished_tests(request.output, request.session_id)
        self._session: Session | None = None
        self._error: Exception | None = None
        self._was_interrupted = False

    def follow(self) -> None:
        """Wait for the end of the child."""
        with selectors.DefaultSelector() as selector, _signals_heard() as heard:
            sources: list[tuple[int, Callable[[], bool]]] = [
                (self._child.messages.fileno(), self._take_message),
                (self._child.printed, self._relay),
                (self._child.death, self._take_death),
            ]
            if heard is not None:
                sources.append((heard, lambda: self._pass_on(_read(heard))))
            for descriptor, act in sources:
                selector.register(descriptor, selectors.EVENT_READ, act)
            while not self._child.is_over:
                begun, wait_s = time.monotonic(), self._wait_s()
                ready = selector.select(wait_s)
                # While this process is stopped, so is the child: that time doesn't count.
                self._silent_s += min(time.monotonic() - begun, wait_s)
                for key, _ in ready:
                    if not key.data():
                        selector.unregister(key.fileobj)
                if self._silent_s >= self._limit_s:
                    self._give_up()
        self._take_what_is_left()

    @property
    def _limit_s(self) -> float:
        """How long the child may be silent in what it does now."""
        if self._is_done:
            return _ENDING_LIMIT_S
        if self._asked > 1 or self._rule is not None:
            return _ABANDON_LIMIT_S
        if not self._load_limit_s:
            return float("inf")
        if self._phase == STARTING:
            return self._load_limit_s + _START_LIMIT_S
        if self._phase in (LOADING, WARMING_UP):
            return self._load_limit_s
        return max(self._load_limit_s, _SILENCE_LIMIT_S)

    @property
    def _is_done(self) -> bool:
        """Whether the child has told what came out, and has only to end."""
        return self._was_interrupted or (self._session or self._error) is not None

    def _wait_s(self) -> float:
        return min(_LOOK_S, max(0.0, self._limit_s - self._silent_s))

    def _give_up(self) -> None:
        """End a child that stands still: first so that it leaves its stacks, then for good."""
        if not self._is_done and self._asked < 2 and self._rule is None:
            is_loading = self._phase in (STARTING, LOADING, WARMING_UP)
            self._rule = HUNG_AT_LOAD if is_loading else STOOD_STILL
            self._rule_silent_s = self._silent_s
        self._silent_s = 0.0
        if self._escalation:
            self._child.signal(self._escalation.pop(0))
        else:
            self._child.leave()

    def _take_message(self) -> bool:
        """Take one message; ``False`` if there will be no more."""
        try:
            name, values = self._child.messages.recv()
        except (EOFError, OSError):
            return False
        self._silent_s = 0.0
        getattr(self, f"_on_{name}")(*values)
        return True

    def _on_phase(self, words: str) -> None:
        self._phase = words

    def _on_note(self, text: str) -> None:
        self._listener.note(text)

    def _on_begin(self, name: str, expected_s: float) -> None:
        self._phase = f"during {name}"
        self._listener.begin(name, expected_s)

    def _on_progress(self, progress: SeriesProgress) -> None:
        self._listener.progress(progress)

    def _on_end(self, result: TestResult) -> None:
        self._phase = f"after {result.title}"
        self._tests.append(result)
        self._listener.end(result)

    def _on_finished(self, session: Session) -> None:
        self._session = session

    def _on_failed(self, error: Exception) -> None:
        self._error = error

    def _on_interrupted(self) -> None:
        self._was_interrupted = True

    def _relay(self) -> bool:
        """Print what the child printed, and keep the last of it."""
        content = _read(self._child.printed)
        text = self._decoder.decode(content, final=not content)
        self._printed = (self._printed + text)[-_KEPT_OUTPUT:]
        sys.stderr.write(text)
        sys.stderr.flush()
        return bool(content)

    def _take_death(self) -> bool:
        self._child.reap()
        return False

    def _pass_on(self, heard: bytes) -> bool:
        """Pass a signal on that came to this process alone; a terminal sends it to both."""
        for number in (number for number in heard if number in SIGNALS):
            self._asked += 1
            self._silent_s = 0.0
            time.sleep(_SIGNAL_GRACE_S)
            self._seen += sum(number in SIGNALS for number in _read(self._child.signals_seen))
            if self._seen < self._asked:
                self._child.signal(signal.Signals(number))
        return True

    def _take_what_is_left(self) -> None:
        """Take what the child told and printed before its end; another may hold the pipes."""
        os.set_blocking(self._child.messages.fileno(), False)
        while self._take_message():
            pass
        while self._relay():
            pass

    def session(self) -> Session:
        """Give the session, with a finding if the child was cut off."""
        request = self._request
        if isinstance(self._error, BackendFault):
            return faulted_session(request, self._tests, self._error, self._phase)
        if self._error is not None:
            raise self._error
        if self._was_interrupted:
            raise KeyboardInterrupt
        if self._session is not None:
            return complete_session(self._session, self._tests, self._ending)
        recovered = recover_running(request.output, self._child.process_id)
        if recovered is not None:
            self._tests.append(recovered)
            self._listener.end(recovered)
        if self._asked and self._rule is None:
            if recovered is None:
                raise KeyboardInterrupt
            return dataclasses.replace(load_header(request.output), tests=tuple(self._tests))
        return cut_off_session(
            request,
            self._tests,
            self._ending,
            is_loaded=self._phase not in (STARTING, LOADING),
        )

    @property
    def _ending(self) -> Ending:
        return Ending(
            exit_code=self._child.exit_code,
            phase=self._phase,
            stacks=self._child.stacks(),
            output=self._printed,
            peak_bytes=self._child.peak_bytes,
            rule=self._rule,
            silent_s=self._rule_silent_s,
        )


def _read(descriptor: int) -> bytes:
    """Read what is there."""
    try:
        return os.read(descriptor, 65_536)
    except BlockingIOError:
        return b""


@contextlib.contextmanager
def _signals_heard() -> Iterator[int | None]:
    """Hear SIGINT and SIGTERM as bytes in a pipe; only the main thread can."""
    if threading.current_thread() is not threading.main_thread():
        yield None
        return
    heard, tell = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    numbers = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    handlers = {number: signal.signal(number, lambda *_: None) for number in numbers}
    told_before = signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    try:
        yield heard
    finally:
        signal.set_wakeup_fd(told_before)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        os.close(heard)
        os.close(tell)
