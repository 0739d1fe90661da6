"""Supervisor: runs the timed part where nothing can make the caller wait for ever.

The issue loop has a thread of its own. The calling thread only waits, so it takes
signals at once, and it can give up on a system whose callback never returns.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from types import FrameType

from inferometer.loadgen.incident import IncidentKind
from inferometer.loadgen.ledger import Ledger
from inferometer.loadgen.own_core import kept_core, leave_core

__all__ = ["Progress", "run_here", "supervise"]

_GRACE_S = 2.0
_LOOK_S = 1.0
_FIRST_LOOK_S = 0.02
_PROGRESS_LOOK_S = 0.25

Progress = Callable[[Ledger], None]


def supervise(
    work: Callable[[], None], ledger: Ledger, limit_s: float, progress: Progress | None = None
) -> None:
    """Run ``work`` on a thread of its own and wait for it.

    SIGINT and SIGTERM ask the series to end (if the caller is the main thread); a second
    signal, or a callback that stays away for ``limit_s`` seconds and a short grace,
    abandons the thread. The calling thread looks up rarely, so as not to disturb the
    timing. Errors of ``work`` itself are raised here.
    """
    errors: list[BaseException] = []
    done = threading.Event()

    def body() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            done.set()

    thread = threading.Thread(target=body, name="inferometer-issue", daemon=True)
    with _signals_stop(ledger):
        thread.start()
        try:
            _watch(ledger, done, limit_s, progress)
        except KeyboardInterrupt:
            ledger.is_abandoned = not done.is_set()
    if errors:
        raise errors[0]


def run_here(work: Callable[[], None], ledger: Ledger) -> None:
    """Run ``work`` on the calling thread.

    SIGINT and SIGTERM raise KeyboardInterrupt in it, to get out of a callback that waits;
    the series ends as interrupted. Handlers that the program has set itself stay.
    """
    is_running = True

    def handle(number: int, _frame: FrameType | None) -> None:
        ledger.stop(IncidentKind.INTERRUPTED, signal=signal.Signals(number).name)
        if is_running:
            raise KeyboardInterrupt

    defaults = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    with _handling(handle, lambda number: signal.getsignal(number) is defaults[number]):
        try:
            work()
        finally:
            is_running = False


def _watch(
    ledger: Ledger, done: threading.Event, limit_s: float, progress: Progress | None
) -> None:
    mark, since = _mark(ledger), time.monotonic()
    look_s = _LOOK_S if progress is None else _PROGRESS_LOOK_S
    # Systems that start threads with the first query have done so by the first look.
    next_s = look_s if kept_core() is None else _FIRST_LOOK_S
    while not done.wait(next_s):
        next_s = look_s
        leave_core()
        if progress is not None and not _told(progress, ledger):
            progress = None
        fresh = _mark(ledger)
        if fresh != mark or not ledger.outstanding:
            mark, since = fresh, time.monotonic()
        elif limit_s and time.monotonic() - since >= limit_s + _LOOK_S:
            ledger.stop(
                IncidentKind.OUTSTANDING_LIMIT,
                limit_s=limit_s,
                outstanding=len(ledger.outstanding),
            )
        if ledger.stopping:
            # A last chance for the issue thread to come back from the system's callback.
            ledger.is_abandoned = not done.wait(_GRACE_S)
            return


def _told(progress: Progress, ledger: Ledger) -> bool:
    """Call the progress function; one that fails doesn't cost the run, it isn't called again."""
    try:
        progress(ledger)
    except Exception as error:
        warnings.warn(f"the progress function failed: {error!r}", RuntimeWarning, stacklevel=2)
        return False
    return True


def _mark(ledger: Ledger) -> tuple[int, ...]:
    return (ledger.issued_count, *ledger.progress_mark())


def _signals_stop(ledger: Ledger) -> contextlib.AbstractContextManager[None]:
    """Turn SIGINT and SIGTERM into a request to end, for as long as the run lasts."""

    def handle(number: int, _frame: FrameType | None) -> None:
        if ledger.stopping:
            raise KeyboardInterrupt
        ledger.stop(IncidentKind.INTERRUPTED, signal=signal.Signals(number).name)

    return _handling(handle, lambda _: True)


@contextlib.contextmanager
def _handling(
    handle: Callable[[int, FrameType | None], None], is_taken: Callable[[signal.Signals], bool]
) -> Iterator[None]:
    """Handle SIGINT and SIGTERM, those that ``is_taken`` says, if on the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [number for number in (signal.SIGINT, signal.SIGTERM) if is_taken(number)]
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        for number in numbers:
            signal.signal(number, handle)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
