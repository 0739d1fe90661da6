"""Ledger: the account of one series while it runs.

It knows what is outstanding, stamps completions from any thread, keeps the responses
that are wanted, and says when to stop. Arrays are flat: a query or a sample costs a
fixed number of bytes and no Python object once it is complete.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen.arrays import ArrayStore
from inferometer.loadgen.clock import Clock
from inferometer.loadgen.errors import ResponseError
from inferometer.loadgen.incident import Incident, IncidentKind, IncidentLog
from inferometer.loadgen.plan import Plan
from inferometer.loadgen.query import Query
from inferometer.loadgen.responses import ResponseWriter, split_responses
from inferometer.loadgen.vocabulary import Scenario
from inferometer.loadgen.waking import Waker

__all__ = ["Ledger"]

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

        self.store = store
        self._start_array = store.zeros("start", 1)
        self.issued_array: NDArray[np.int64] = store.zeros("issued", plan.query_count)
        self.completed_array: NDArray[np.int64] = store.zeros("completed", plan.sample_count)
        self.issued_ns = self.issued_array.data
        self.completed_ns = self.completed_array.data
        self.first_token_array: NDArray[np.int64] | None = None
        self.token_count_array: NDArray[np.int64] | None = None
        if uses_tokens:
            self.first_token_array = store.zeros("first_token", plan.sample_count)
            self.token_count_array = store.zeros("token_count", plan.sample_count)

        self.outstanding: dict[int, Query] = {}
        self._counts_only = not self.keeps_responses and not uses_tokens
        is_plain = plan.samples_per_query == 1 and self._counts_only
        self.plain_outstanding = self.outstanding if is_plain else {}
        self._missing: dict[int, int] = {}
        self._first_token_data: dict[int, bytes] = {}
        self._writer = writer
        self._lock = threading.Lock()
        self._limit_ns = int(outstanding_limit_s * 1e9)
        self._progress = 0

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
        return len(self.outstanding), self._progress

    def query_latencies_ns(self, issued: int) -> NDArray[np.int64]:
        """Give completion minus issue time of the first queries that are complete, int64."""
        size = self.samples_per_query
        stamps = self.completed_array[: issued * size].reshape(issued, size)
        done = stamps.min(axis=1) > 0
        latencies: NDArray[np.int64] = stamps.max(axis=1)[done] - self.issued_array[:issued][done]
        return latencies

    def close(self) -> None:
        """End the account: whatever completes from now on is not recorded any more."""
        with self._lock:
            self.outstanding.clear()
            self._missing.clear()
            self.stopping = True

    # ---- the system's side

    def complete(
        self, key: int, stamp: int, responses: Any, positions: Any, token_counts: Any
    ) -> None:
        """Record the completion of a query, or of some of its samples."""
        try:
            if self._counts_only and positions is None and key not in self._missing:
                done = self._complete_whole(key, stamp, responses)
            else:
                with self._lock:
                    done = self._complete_locked(key, stamp, responses, positions, token_counts)
        except OSError as error:
            self._end_by(IncidentKind.RESPONSES_NOT_KEPT, error)
            raise
        except Exception as error:
            self._end_by(IncidentKind.WRONG_RESPONSE, error)
            if isinstance(error, ResponseError):
                raise
            raise ResponseError(f"the completion can't be read: {error}") from error
        if done and len(self.outstanding) <= self.wake_at:
            self.waker.set()

    def _end_by(self, kind: IncidentKind, error: Exception) -> None:
        self.error = error
        self.stop(kind, message=f"{type(error).__name__}: {error}")

    def _complete_whole(self, key: int, stamp: int, responses: Any) -> bool:
        """Record all samples of a query at once, where only the time is kept."""
        if key not in self.outstanding:
            self._note_stale(key)
            return False
        if responses is not None:
            _check_count(responses, self.samples_per_query)
        start = key * self.samples_per_query
        self.completed_array[start : start + self.samples_per_query] = stamp
        if self.outstanding.pop(key, None) is None:
            self._note_stale(key)
            return False
        return True

    def _complete_locked(
        self, key: int, stamp: int, responses: Any, positions: Any, token_counts: Any
    ) -> bool:
        if key not in self.outstanding:
            self._note_stale(key)
            return False
        chosen = self._chosen_samples(key, positions)
        fresh = chosen
        # A query without an entry in _missing hasn't been answered in part.
        if key in self._missing or positions is not None:
            fresh = self._fresh_samples(chosen, isinstance(positions, slice))
        count = len(chosen)
        answers: list[bytes | memoryview] | None = None
        if self.keeps_responses:
            answers = split_responses(responses, count)
        elif responses is not None:
            _check_count(responses, count)
        counts = self._token_counts(chosen, token_counts) if self.uses_tokens else None

        self.completed_array[fresh] = stamp
        if answers is not None:
            self._keep(chosen, fresh, answers, counts)
        self._progress += 1
        left = self._missing.get(key, self.samples_per_query) - len(fresh)
        if left > 0:
            self._missing[key] = left
            return False
        self._missing.pop(key, None)
        self.outstanding.pop(key, None)
        return True

    def first_token(self, key: int, stamp: int, responses: Any, positions: Any) -> None:
        """Record when the first token of some or all samples of a query came out."""
        array = self.first_token_array
        if array is None:
            return
        with self._lock:
            if key not in self.outstanding:
                self.note(IncidentKind.FIRST_TOKEN_AFTER_COMPLETION, query=key)
                return
            chosen = self._chosen_samples(key, positions)
            late = self.completed_array[chosen] != 0
            again = (array[chosen] != 0) & ~late
            self._note_times(IncidentKind.FIRST_TOKEN_AFTER_COMPLETION, int(late.sum()))
            self._note_times(IncidentKind.FIRST_TOKEN_TWICE, int(again.sum()))
            array[chosen[~late & ~again]] = stamp
            if self.keeps_responses and responses is not None:
                for sample, data in zip(
                    chosen.tolist(), split_responses(responses, len(chosen)), strict=True
                ):
                    if self._is_logged(sample):
                        self._first_token_data[sample] = bytes(data)

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

    def _note_stale(self, key: int) -> None:
        if self.stopping and not self.outstanding:
            self.note(IncidentKind.COMPLETED_AFTER_END, query=key)
        else:
            self._note_times(IncidentKind.COMPLETED_TWICE, self.samples_per_query, query=key)

    def _note_times(self, kind: IncidentKind, times: int, **values: int) -> None:
        if times:
            at_ns = max(0, self.now_ns() - self.start_ns)
            self.incidents.add(Incident(kind, at_ns, values), times)

    # ---- samples, responses, tokens

    def _chosen_samples(self, key: int, positions: Any) -> NDArray[np.int64]:
        """Give the positions in the sample arrays, int64 [n]."""
        size = self.samples_per_query
        if positions is None:
            return np.arange(key * size, (key + 1) * size, dtype=np.int64)
        if isinstance(positions, slice):
            return np.arange(*positions.indices(size), dtype=np.int64) + key * size
        chosen = np.atleast_1d(np.asarray(positions, np.int64))
        if chosen.size and not (int(chosen.min()) >= 0 and int(chosen.max()) < size):
            raise ResponseError(
                f"positions run from {chosen.min()} to {chosen.max()}, but the query has "
                f"{size} samples (0 to {size - 1})"
            )
        return chosen + key * size

    def _fresh_samples(self, chosen: NDArray[np.int64], distinct: bool) -> NDArray[np.int64]:
        """Drop samples that are complete already, or named twice, and say so."""
        if distinct and not self.completed_array[chosen].any():
            return chosen
        fresh = chosen[self.completed_array[chosen] == 0]
        fresh = np.unique(fresh)
        self._note_times(IncidentKind.COMPLETED_TWICE, len(chosen) - len(fresh))
        return fresh

    def _is_logged(self, sample: int) -> bool:
        return self.plan.logs_all or (
            self.plan.logged is not None and bool(self.plan.logged[sample])
        )

    def _keep(
        self,
        chosen: NDArray[np.int64],
        fresh: NDArray[np.int64],
        answers: list[bytes | memoryview],
        counts: NDArray[np.int64] | None,
    ) -> None:
        """Write the answers that are wanted, those of fresh samples only."""
        wanted = np.ones(len(chosen), bool)
        if self.plan.logged is not None:
            wanted = self.plan.logged[chosen]
        if len(fresh) != len(chosen):
            _, first = np.unique(chosen, return_index=True)
            unrepeated = np.zeros(len(chosen), bool)
            unrepeated[first] = True
            wanted = wanted & unrepeated & np.isin(chosen, fresh)
        rows = np.flatnonzero(wanted)
        if not len(rows):
            return
        samples = chosen[rows]
        kept = answers if len(rows) == len(answers) else [answers[row] for row in rows]
        empty = sum(not len(answer) for answer in kept)
        self._note_times(IncidentKind.EMPTY_RESPONSE, empty)
        first_tokens = None
        if self.uses_tokens:
            first_tokens = [self._first_token_data.pop(s, b"") for s in samples.tolist()]
        if self._writer is not None:
            self._writer.write(
                samples + self.first_sample_id,
                kept,
                first_tokens,
                None if counts is None else counts[rows].astype(np.int32),
            )

    def _token_counts(self, chosen: NDArray[np.int64], given: Any) -> NDArray[np.int64]:
        """Record token counts; wrong ones count as 0 and are put on record."""
        array, first = self.token_count_array, self.first_token_array
        assert array is not None
        assert first is not None
        counts = np.array(np.broadcast_to(0 if given is None else given, len(chosen)), np.int64)
        reported = counts.copy()
        self._note_times(IncidentKind.TOKEN_COUNT_MISSING, int((counts == 0).sum()))
        self._note_times(IncidentKind.TOKEN_COUNT_NEGATIVE, int((counts < 0).sum()))
        self._note_times(IncidentKind.TOKEN_COUNT_ONE, int((counts == 1).sum()))
        counts[counts < 2] = 0
        array[chosen] = counts
        if self.plan.scenario is not Scenario.OFFLINE:
            missing = int((first[chosen] == 0).sum())
            self._note_times(IncidentKind.FIRST_TOKEN_MISSING, missing)
        return reported


def _check_count(responses: Any, count: int) -> None:
    given = 1 if isinstance(responses, bytes | bytearray | memoryview) else len(responses)
    if given != count:
        raise ResponseError(f"{given} responses were given for {count} samples")
