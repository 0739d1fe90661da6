"""Client: one thread that keeps many requests to a language model on their way."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from inferometer.serving.llm.account import LlmAccount
from inferometer.serving.llm.connection import LlmConnection, need_parser
from inferometer.serving.llm.endpoint import LlmEndpoint
from inferometer.serving.llm.fault import LlmFault, LlmFaultKind
from inferometer.serving.llm.options import LlmOptions
from inferometer.serving.llm.streamed_answer import StreamedAnswer

__all__ = ["LlmClient", "LlmJob"]

_BACKOFF_S = 0.05
_LONGEST_BACKOFF_S = 2.0


class LlmJob(Protocol):
    """A request, and who is told what becomes of it; all calls come from the client's thread.

    After `sent`, there comes `done`, or `failed`, once; `first_token` before, at most once.
    """

    def body(self) -> bytes:
        """Give the JSON of the request."""
        ...

    def sent(self) -> None:
        """Take that the request goes out; only the first time counts."""
        ...

    def first_token(self, answer: StreamedAnswer) -> None:
        """Take that the first text has come."""
        ...

    def done(self, answer: StreamedAnswer) -> None:
        """Take the whole answer."""
        ...

    def failed(self, error: BaseException) -> None:
        """Take that there will be no answer."""
        ...


class LlmClient:
    """Sends requests from a thread of its own, at most ``options.in_flight`` at once.

    The others wait in order. Connections are kept for the next request. Raises
    `InferometerError` if the package that reads HTTP isn't installed.
    """

    def __init__(self, endpoint: LlmEndpoint, options: LlmOptions):
        need_parser()
        self.endpoint, self.options = endpoint, options
        self.account = LlmAccount()
        self._context = endpoint.ssl_context()
        self._waiting: deque[LlmJob] = deque()
        self._idle: list[LlmConnection] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="inferometer-llm", daemon=True)
        self._thread.start()

    def submit(self, jobs: Sequence[LlmJob]) -> None:
        """Send requests, or have them wait for others to end; from any thread."""
        self._loop.call_soon_threadsafe(self._take, jobs)

    def forget(self) -> None:
        """Give up what waits and what is on its way; nobody is told."""
        asyncio.run_coroutine_threadsafe(self._forget(), self._loop).result()

    def close(self) -> None:
        """End the thread and all connections."""
        self.forget()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    # ---- in the thread

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            for connection in self._idle:
                connection.close()
            # Transports end in a further turn of the loop.
            self._loop.run_until_complete(asyncio.sleep(0))
            self._loop.close()

    async def _forget(self) -> None:
        self._waiting.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _take(self, jobs: Sequence[LlmJob]) -> None:
        self._waiting.extend(jobs)
        self._start_waiting()

    def _start_waiting(self) -> None:
        """Start as many requests as may be on their way."""
        while self._waiting and len(self._tasks) < self.options.in_flight:
            task = self._loop.create_task(self._serve(self._waiting.popleft()))
            self._tasks.add(task)
            task.add_done_callback(self._note_end)
        self.account.note_in_flight(len(self._tasks))

    def _note_end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._start_waiting()

    async def _serve(self, job: LlmJob) -> None:
        """Have a request answered, or tell why it can't be."""
        try:
            await self._try_until_answered(job)
        except Exception as error:
            if isinstance(error, LlmFault):
                self.account.note_failure(error)
            job.failed(error)

    async def _try_until_answered(self, job: LlmJob) -> None:
        request = self.endpoint.request(self.options.api, job.body())
        tries = 0
        job.sent()
        while True:
            exchange = _Exchange(job, self.account)
            try:
                async with asyncio.timeout(self.options.timeout_s):
                    is_stale = await self._exchange(request, exchange)
            except TimeoutError:
                text = f"no whole answer came within {self.options.timeout_s:g} s"
                raise LlmFault(text, LlmFaultKind.TIMEOUT) from None
            except LlmFault as fault:
                told = LlmFault(self.endpoint.without_key(str(fault)), fault.kind)
                if exchange.is_over:
                    # The answer was whole before the connection went.
                    return
                has_tries = tries < self.options.retries and fault.is_worth_a_retry
                if exchange.answer.chunks or not has_tries:
                    raise told from None
                self.account.note_retry(told)
                await asyncio.sleep(min(_LONGEST_BACKOFF_S, _BACKOFF_S * 2**tries))
                tries += 1
            else:
                if not is_stale:
                    return

    async def _exchange(self, request: bytes, exchange: _Exchange) -> bool:
        """Send a request once; tell whether it met a connection that was idle for too long."""
        connection = await self._connection()
        try:
            await connection.exchange(request, exchange.take)
        except LlmFault as fault:
            is_stale = connection.exchanges > 1 and connection.is_untouched
            if fault.kind is not LlmFaultKind.CONNECTION_LOST or not is_stale:
                raise
            self.account.note_retry(fault)
            return True
        if connection.is_open:
            self._idle.append(connection)
        exchange.end()
        return False

    async def _connection(self) -> LlmConnection:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
        endpoint = self.endpoint
        try:
            _, made = await self._loop.create_connection(
                LlmConnection, endpoint.host, endpoint.port, ssl=self._context
            )
        except OSError as error:
            raise LlmFault(
                f"{endpoint} can't be reached: {error}", LlmFaultKind.UNREACHABLE
            ) from error
        return made


class _Exchange:
    """One try of a request: takes its answer, and tells the job as soon as there is news."""

    def __init__(self, job: LlmJob, account: LlmAccount):
        self._job, self._account = job, account
        self._has_first = False
        self.answer = StreamedAnswer()
        self.is_over = False

    def take(self, piece: bytes) -> None:
        self.answer.feed(piece)
        if self.answer.chunks and not self._has_first:
            self._has_first = True
            self._job.first_token(self.answer)
        if self.answer.is_done:
            self._finish()

    def end(self) -> None:
        """Take the end of the body."""
        self.answer.end()
        self._finish()

    def _finish(self) -> None:
        if self.is_over:
            return
        if not self.answer.chunks:
            raise LlmFault("the model's answer was empty", LlmFaultKind.EMPTY)
        self.is_over = True
        self._account.note_answer(self.answer)
        self._job.done(self.answer)
