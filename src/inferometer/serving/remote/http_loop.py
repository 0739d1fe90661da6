"""HTTP loop: one thread that keeps many requests in flight, each on its own connection.

A request is sent by the thread that submits it where a connection is free, which saves
handing it over; what doesn't fit into the connection's buffer, and all answers, are the
loop's.
"""

from __future__ import annotations

import contextlib
import heapq
import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue

from inferometer.serving.remote.account import Account
from inferometer.serving.remote.endpoint import RemoteOptions
from inferometer.serving.remote.fault import FaultKind, RemoteFault
from inferometer.serving.remote.http_connection import HttpConnection
from inferometer.serving.remote.http_exchange import HttpRequests
from inferometer.serving.remote.transport import Job, Reply, is_to_be_retried, note_reply

__all__ = ["HttpLoop"]

_LOOK_S = 0.1
_BACKOFF_S = 0.05
_LONGEST_BACKOFF_S = 2.0


class _Flight:
    """A job on its way, with how often it was sent."""

    __slots__ = ("job", "tries")

    def __init__(self, job: Job):
        self.job, self.tries = job, 0


class HttpLoop:
    """Keeps as many requests in flight as there are connections; the others wait in order."""

    def __init__(
        self,
        open_connection: Callable[[], HttpConnection],
        requests: HttpRequests,
        options: RemoteOptions,
        account: Account,
    ):
        self._open, self._requests, self._options = open_connection, requests, options
        self._account = account
        self._timeout_ns = int(options.timeout_s * 1e9)
        self._lock = threading.Lock()
        self._idle: list[HttpConnection] = []
        self._waiting: deque[_Flight] = deque()
        self._delayed: list[tuple[int, int, _Flight]] = []
        self._connections: dict[int, HttpConnection] = {}
        self._broken: SimpleQueue[HttpConnection] = SimpleQueue()
        self._missing = self._openings_failed = self._open_again_ns = 0
        self._is_closing = False
        self._poll = select.epoll()
        self._waker = os.eventfd(0, os.EFD_NONBLOCK)
        self._poll.register(self._waker, select.EPOLLIN)
        for _ in range(options.connections):
            self._add(self._open())
        self._thread = threading.Thread(target=self._run, name="inferometer-remote", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Send a job, or have it wait for a free connection."""
        flight = _Flight(job)
        with self._lock:
            connection = self._idle.pop() if self._idle else None
            if connection is None:
                self._waiting.append(flight)
        if connection is not None and not self._send(connection, flight):
            self._hand_on(connection)

    def close(self) -> None:
        """End the thread and all connections; what is in flight still is given up."""
        self._is_closing = True
        os.eventfd_write(self._waker, 1)
        self._thread.join()
        for connection in self._connections.values():
            connection.close()
        self._poll.close()
        os.close(self._waker)

    # ---- sending, on any thread

    def _add(self, connection: HttpConnection) -> None:
        connection.socket.setblocking(False)
        descriptor = connection.socket.fileno()
        self._connections[descriptor] = connection
        self._poll.register(descriptor, select.EPOLLIN)
        self._hand_on(connection)

    def _hand_on(self, connection: HttpConnection) -> None:
        """Give a free connection the next job that waits."""
        while True:
            with self._lock:
                if not self._waiting:
                    self._idle.append(connection)
                    return
                flight = self._waiting.popleft()
            if self._send(connection, flight):
                return

    def _send(self, connection: HttpConnection, flight: _Flight) -> bool:
        """Send a job; False if it has no inputs, so that the connection is free still."""
        try:
            request = self._requests.infer(flight.job.inputs())
        except BaseException as error:
            flight.job.failed(error)
            return False
        flight.tries += 1
        # The loop may see the answer before this thread goes on.
        connection.sent_ns = time.monotonic_ns()
        connection.flight = flight
        try:
            if not connection.begin(request):
                self._poll.modify(connection.socket, select.EPOLLIN | select.EPOLLOUT)
        except (RemoteFault, OSError, ValueError):
            # The loop owns connections; it may just have closed this one.
            self._broken.put(connection)
            os.eventfd_write(self._waker, 1)
        return True

    # ---- the thread

    def _run(self) -> None:
        look_ns = 0
        while not self._is_closing:
            for descriptor, events in self._poll.poll(_LOOK_S):
                connection = self._connections.get(descriptor)
                if connection is not None:
                    self._attend(connection, events)
                elif descriptor == self._waker:
                    self._mend()
            now_ns = time.monotonic_ns()
            if now_ns >= look_ns:
                look_ns = now_ns + int(_LOOK_S * 1e9)
                self._look(now_ns)

    def _attend(self, connection: HttpConnection, events: int) -> None:
        try:
            if events & select.EPOLLOUT and connection.go_on():
                self._poll.modify(connection.socket, select.EPOLLIN)
            is_whole = events & ~select.EPOLLOUT and connection.receive()
        except RemoteFault as fault:
            self._lose(connection, fault)
            return
        if is_whole:
            self._finish(connection)

    def _finish(self, connection: HttpConnection) -> None:
        flight, connection.flight = connection.flight, None
        if flight is None:
            self._lose(connection, RemoteFault("the server answered what nobody had asked"))
            return
        round_trip_ns = time.monotonic_ns() - connection.sent_ns
        answer = connection.answer
        try:
            outputs, timing = answer.outputs()
        except RemoteFault as fault:
            self._settle(flight, fault)
        else:
            reply = Reply(outputs, round_trip_ns, timing)
            note_reply(self._account, reply)
            flight.job.done(reply)
        if answer.is_last:
            self._drop(connection)
            self._open_missing(time.monotonic_ns())
        else:
            self._hand_on(connection)

    def _settle(self, flight: _Flight, fault: RemoteFault) -> None:
        """Have a job sent again after a while, or give it up."""
        if not is_to_be_retried(self._account, fault, flight.tries, self._options.retries):
            flight.job.failed(fault)
            return
        due_ns = time.monotonic_ns() + _pause_ns(flight.tries)
        heapq.heappush(self._delayed, (due_ns, id(flight), flight))

    def _look(self, now_ns: int) -> None:
        """Look for what took too long, what is to be sent again, and what is to be opened."""
        for connection in list(self._connections.values()):
            is_late = now_ns - connection.sent_ns > self._timeout_ns
            if is_late and connection.flight is not None:
                text = f"no answer came within {self._options.timeout_s:g} s"
                self._lose(connection, RemoteFault(text, FaultKind.TIMEOUT))
        while self._delayed and self._delayed[0][0] <= now_ns:
            self._submit_again(heapq.heappop(self._delayed)[2])
        self._open_missing(now_ns)

    def _submit_again(self, flight: _Flight) -> None:
        """Send a job again, before those that were never sent."""
        with self._lock:
            self._waiting.appendleft(flight)
            connection = self._idle.pop() if self._idle else None
        if connection is not None:
            self._hand_on(connection)

    # ---- connections that end

    def _mend(self) -> None:
        """Take leave of connections on which another thread couldn't send."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._waker)
        with contextlib.suppress(Empty):
            while True:
                text = "the connection was lost while a request was sent"
                self._lose(self._broken.get_nowait(), RemoteFault(text, FaultKind.CONNECTION_LOST))

    def _lose(self, connection: HttpConnection, fault: RemoteFault) -> None:
        """Settle what was on its way; an idle connection may end without loss."""
        # Closed first, so that a thread that is about to send on it is told.
        self._drop(connection)
        flight, connection.flight = connection.flight, None
        if flight is not None:
            self._settle(flight, fault)
        self._open_missing(time.monotonic_ns())

    def _drop(self, connection: HttpConnection) -> None:
        descriptor = connection.socket.fileno()
        with self._lock, contextlib.suppress(ValueError):
            self._idle.remove(connection)
        if self._connections.get(descriptor) is connection:
            del self._connections[descriptor]
            self._missing += 1
            self._poll.unregister(descriptor)
        connection.close()

    def _open_missing(self, now_ns: int) -> None:
        """Open connections in place of those that ended; pause after each failure."""
        while self._missing and now_ns >= self._open_again_ns:
            try:
                connection = self._open()
            except RemoteFault as fault:
                self._openings_failed += 1
                self._open_again_ns = time.monotonic_ns() + _pause_ns(self._openings_failed)
                if not self._connections and self._openings_failed > self._options.retries:
                    self._give_up(fault)
            else:
                self._missing -= 1
                self._openings_failed = 0
                self._add(connection)

    def _give_up(self, fault: RemoteFault) -> None:
        """Fail what waits for connections to a server that isn't there any more."""
        with self._lock:
            waiting = [*self._waiting, *(flight for _, _, flight in self._delayed)]
            self._waiting.clear()
        self._delayed.clear()
        for flight in waiting:
            self._account.note_failure(fault)
            flight.job.failed(fault)


def _pause_ns(times: int) -> int:
    """Give how long to pause after so many failures."""
    return int(min(_LONGEST_BACKOFF_S, _BACKOFF_S * 2.0 ** min(times - 1, 10)) * 1e9)
