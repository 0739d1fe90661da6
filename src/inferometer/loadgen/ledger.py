"""Ledger: the account of one series while it runs.

It knows what is outstanding, stamps completions from any thread, keeps the responses
that are wanted, and says when to stop. Arrays are flat: a query or a sample costs a
fixed number of bytes and no Python object once it is complete.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen.arrays import ArrayStore
from inferometer.loadgen.clock import Clock
from inferometer.loadgen.errors import ResponseError
from inferometer.loadgen.incident import Incident, IncidentKind, IncidentLog
from inferometer.loadgen.intake import Answers, Intake, Samples
from inferometer.loadgen.plan import Plan
from inferometer.loadgen.query import Query
from inferometer.loadgen.responses import ResponseWriter, answers_of
from inferometer.loadgen.stamps import PhaseStamps
from inferometer.loadgen.waking import Waker

__all__ = ["NEVER_DUE", "Ledger"]

NEVER_DUE = 1 << 62
_NEVER_WAKE = -1
_WAKE_ALWAYS = 1 << 62


class Ledger:
    """The account of one series.

    Times are readings of ``clock``; 0 means "not yet". ``store`` provides the arrays, so
    that they can live where a crash of the process doesn't reach them.
    """

    def __init__(
        self,
        plan: Plan,
        clock: Clock,
        *,
        store: ArrayStore,
        writer: ResponseWriter | None,
        outstanding_limit_s: float,
        uses_tokens: bool = False,
    ):
        self.plan = plan
        self.clock = clock
        self.now_ns: Callable[[], int] = clock.now_ns
        self.samples_per_query = plan.samples_per_query
        self.sample_indices = plan.sample_indices
        self.first_sample_id = plan.first_sample_id
        self.keeps_responses = plan.logs_all or plan.logged is not None
        self.uses_tokens = uses_tokens
        self.start_ns = 0
        self.issued_count = 0
        self.incidents = IncidentLog()
        self.error: BaseException | None = None
        self.stopping = False
        self.stopping_reason: IncidentKind | None = None
        """Why the series was aborted, if it was."""
        self.is_abandoned = False
        """Whether the issue thread was left behind in a callback of the system."""
        self.waker = Waker()
        self.wake_at = _NEVER_WAKE
        self.next_due_ns = NEVER_DUE
        """When the issue thread, asleep now, is due; a completing thread that finds this
        moment past gives way to it."""
        self.give_way = clock.give_way

        self.store = store
        self._start_array = store.zeros("start", 1)
        self.issued_array: NDArray[np.int64] = store.zeros("issued", plan.query_count)
        self.completed_array: NDArray[np.int64] = store.zeros("completed", plan.sample_count)
        self.issued_ns = self.issued_array.data
        self.completed_ns = self.completed_array.data
        self.completed_rows = self.completed_array.reshape(-1, plan.samples_per_query)
        self.first_token_array: NDArray[np.int64] | None = None
        self.token_count_array: NDArray[np.int64] | None = None
        if uses_tokens:
            self.first_token_array = store.zeros("first_token", plan.sample_count)
            self.token_count_array = store.zeros("token_count", plan.sample_count)

        self.phases = PhaseStamps(plan.sample_count)

        self.outstanding: dict[int, Query] = {}
        self.counts_only = not self.keeps_responses and not uses_tokens
        """Whether nothing but the time of a completion is kept."""
        is_plain = plan.samples_per_query == 1 and self.counts_only
        self.plain_outstanding = self.outstanding if is_plain else {}
        self._intake = Intake(self, writer)
        self._partly_done = self._intake.missing
        self._limit_ns = int(outstanding_limit_s * 1e9)

    # ---- the issue thread's side

    def begin(self) -> None:
        """Set the start of the series, from which its times count."""
        self.start_ns = self.now_ns()
        self._start_array[0] = self.start_ns

    def stop(self, kind: IncidentKind, **values: int | float | str) -> None:
        """Ask the series to end; the first reason given is the one that counts."""
        # No lock: a signal handler may call this while any thread holds one.
        if self.stopping:
            return
        self.stopping = True
        self.stopping_reason = kind
        self.note(kind, **values)
        self.waker.set()

    def is_stopping(self) -> bool:
        """Tell whether the series has been asked to end."""
        return self.stopping

    def wait_until_outstanding(self, at_most: int) -> bool:
        """Wait until at most so many queries are outstanding; False if stopped before."""
        self.wake_at = at_most
        try:
            return self._wait(lambda: len(self.outstanding) <= at_most)
        finally:
            self.wake_at = _NEVER_WAKE

    def wait_for(self, key: int) -> bool:
        """Wait until the query of this number is complete; False if stopped before."""
        self.wake_at = _WAKE_ALWAYS
        try:
            return self._wait(lambda: key not in self.outstanding)
        finally:
            self.wake_at = _NEVER_WAKE

    def _wait(self, is_done: Callable[[], bool]) -> bool:
        seen = self.progress_mark()
        deadline = self.now_ns() + self._limit_ns if self._limit_ns else None
        while not is_done():
            if self.stopping:
                return False
            self.clock.wait(self.waker, deadline)
            if deadline is not None and not is_done():
                mark, now = self.progress_mark(), self.now_ns()
                if mark != seen:
                    seen, deadline = mark, now + self._limit_ns
                elif now >= deadline:
                    self.stop(
                        IncidentKind.OUTSTANDING_LIMIT,
                        limit_s=self._limit_ns / 1e9,
                        outstanding=len(self.outstanding),
                    )
        return True

    def progress_mark(self) -> tuple[int, int]:
        """Give a value that changes whenever something completes."""
        return len(self.outstanding), self._intake.progress

    def query_latencies_ns(self, issued: int) -> NDArray[np.int64]:
        """Give completion minus issue time of the first queries that are complete, int64."""
        size = self.samples_per_query
        stamps = self.completed_array[: issued * size].reshape(issued, size)
        done = stamps.min(axis=1) > 0
        latencies: NDArray[np.int64] = stamps.max(axis=1)[done] - self.issued_array[:issued][done]
        return latencies

    def close(self) -> None:
        """End the account: whatever completes from now on is not recorded any more."""
        self._intake.close()
        self.stopping = True

    # ---- the system's side

    def complete(
        self, key: int, stamp: int, responses: Any, positions: Any, token_counts: Any
    ) -> None:
        """Record the completion of a query, or of some of its samples."""
        try:
            done = self._complete(key, stamp, responses, positions, token_counts)
        except (OSError, ResponseError) as error:
            self.end_by(error)
            raise
        except Exception as error:
            self.end_by(error)
            raise ResponseError(f"the completion can't be read: {error}") from error
        self._tell(done, stamp)

    def _complete(
        self, key: int, stamp: int, responses: Any, positions: Any, token_counts: Any
    ) -> bool:
        if self.counts_only and positions is None and key not in self._partly_done:
            if responses is not None:
                _check_count(responses, self.samples_per_query)
            return self._intake.complete_query(key, stamp)
        samples = self._samples_at(key, positions)
        answers = self._answers(responses, len(samples))
        counts = self._counts(token_counts, len(samples))
        return self._intake.complete(samples, stamp, answers, counts)

    def complete_query(self, key: int, stamp: int) -> bool:
        """Record all samples of a query of which nothing is complete yet.

        Only where nothing but the time is kept. Tells whether it could be done: a query
        that isn't outstanding, or is complete in part, is left as it is.
        """
        if key not in self.outstanding or key in self._partly_done:
            return False
        # The time is stored before the query stops being outstanding.
        self.completed_rows[key] = stamp
        if self.outstanding.pop(key, None) is None:
            self.note_completed_twice(key)
        else:
            if self.wake_at >= 0 and len(self.outstanding) <= self.wake_at:
                self.waker.set()
            if stamp >= self.next_due_ns:
                self.give_way()
        return True

    def complete_one(self, sample: int, stamp: int) -> bool:
        """Record one sample by its place in the series; False if it isn't open.

        Only where nothing but the time is kept.
        """
        done = self._intake.complete_one(sample, stamp)
        if done is None:
            return False
        if done or stamp >= self.next_due_ns:
            self._tell(done, stamp)
        return True

    def complete_samples(
        self,
        samples: Samples,
        stamp: int,
        answers: Answers | None = None,
        token_counts: Sequence[int] | None = None,
    ) -> None:
        """Record the completion of samples of any queries, by their place in the series."""
        try:
            done = self._intake.complete(samples, stamp, answers, token_counts)
        except Exception as error:
            self.end_by(error)
            raise
        self._tell(done, stamp)

    def first_token(self, key: int, stamp: int, responses: Any, positions: Any) -> None:
        """Record when the first token of some or all samples of a query came out."""
        samples = self._samples_at(key, positions)
        answers = None if responses is None else self._answers(responses, len(samples))
        self.first_tokens(samples, stamp, answers)

    def first_tokens(self, samples: Samples, stamp: int, answers: Answers | None = None) -> None:
        """Record when first tokens came out, by the samples' place in the series."""
        try:
            self._intake.first_tokens(samples, stamp, answers)
        except Exception as error:
            self.end_by(error)
            raise

    def _tell(self, done: bool, stamp: int) -> None:
        """Wake the issue thread if it waits for this, and let it run if it is overdue."""
        if done and len(self.outstanding) <= self.wake_at:
            self.waker.set()
        if stamp >= self.next_due_ns:
            self.give_way()

    def end_by(self, error: Exception) -> None:
        """End the series because a completion can't be recorded."""
        is_disk = isinstance(error, OSError)
        kind = IncidentKind.RESPONSES_NOT_KEPT if is_disk else IncidentKind.WRONG_RESPONSE
        self.error = error
        self.stop(kind, message=f"{type(error).__name__}: {error}")

    def fail(self, error: BaseException) -> None:
        """End the series because the system cannot go on."""
        self.error = error
        where = "".join(traceback.format_exception(error)[-2:]).strip()
        self.stop(IncidentKind.SUT_FAILED, error=f"{type(error).__name__}: {error}", where=where)

    def note(self, kind: IncidentKind, **values: int | float | str) -> None:
        """Put an incident on record."""
        self.incidents.add(Incident(kind, max(0, self.now_ns() - self.start_ns), values))

    def note_completed_twice(self, key: int) -> None:
        """Put a second completion of a query on record; the first time stands."""
        self.note(IncidentKind.COMPLETED_TWICE, query=key)

    def note_times(self, kind: IncidentKind, times: int, **values: int) -> None:
        """Put something that happened some times, maybe never, on record."""
        if times:
            at_ns = max(0, self.now_ns() - self.start_ns)
            self.incidents.add(Incident(kind, at_ns, values), times)

    # ---- samples, responses, tokens

    def _samples_at(self, key: int, positions: Any) -> Samples:
        """Give the places of a query's samples in the arrays of the series."""
        size = self.samples_per_query
        if positions is None:
            return range(key * size, (key + 1) * size)
        if isinstance(positions, slice):
            chosen = range(*positions.indices(size))
            return range(chosen.start + key * size, chosen.stop + key * size, chosen.step)
        places = np.atleast_1d(np.asarray(positions, np.int64))
        if places.size and not (int(places.min()) >= 0 and int(places.max()) < size):
            raise ResponseError(
                f"positions run from {places.min()} to {places.max()}, but the query has "
                f"{size} samples (0 to {size - 1})"
            )
        return [place + key * size for place in places.tolist()]

    def _answers(self, responses: Any, count: int) -> Answers | None:
        """Give access to the answers, in whichever form they were given."""
        if self.keeps_responses:
            return answers_of(responses, count)
        if responses is not None:
            _check_count(responses, count)
        return None

    def _counts(self, given: Any, count: int) -> list[int] | None:
        """Give one token count a sample."""
        if not self.uses_tokens:
            return None
        counts = np.broadcast_to(0 if given is None else given, count)
        return [int(number) for number in counts.tolist()]


def _check_count(responses: Any, count: int) -> None:
    given = 1 if isinstance(responses, bytes | bytearray | memoryview) else len(responses)
    if given != count:
        raise ResponseError(f"{given} responses were given for {count} samples")
