"""Intake: takes in completions of any samples, from any thread, in any order.

A completion is claimed, kept and settled. Claiming stamps the samples that are still
open; keeping writes the answers that are wanted; settling counts the queries down. A
query is outstanding until its answers are kept, so nothing ends before that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen.errors import ResponseError
from inferometer.loadgen.incident import IncidentKind
from inferometer.loadgen.responses import ResponseWriter
from inferometer.loadgen.vocabulary import Scenario

if TYPE_CHECKING:
    from inferometer.loadgen.ledger import Ledger

__all__ = ["Answers", "Intake", "Samples"]

Answers = Callable[[int], bytes | memoryview]
"""Gives the bytes of the n-th answer of a completion; only called for those kept."""

Samples = Sequence[int] | NDArray[np.int64]
"""Places of samples in the flat arrays of a series."""

# Below so many samples a Python loop is cheaper than the fixed cost of NumPy calls.
_FEW = 32
# Answers are written out whenever so many bytes have come together.
_FRAME_BYTES = 1 << 20
_FRAME_ANSWERS = 4096


class Intake:
    """Takes in the completions of one series."""

    def __init__(self, ledger: Ledger, writer: ResponseWriter | None):
        self._ledger = ledger
        self._writer = writer
        self._keeps = ledger.keeps_responses
        self._logged = None if ledger.plan.logged is None else ledger.plan.logged.data
        self._size = ledger.samples_per_query
        self._needs_first = ledger.plan.scenario is not Scenario.OFFLINE
        self.missing: dict[int, int] = {}
        """How many samples are open of each query that is complete in part."""
        self._first_token_data: dict[int, bytes] = {}
        self._lock = threading.Lock()
        self.progress = 0
        """Grows with every completion."""

    def close(self) -> None:
        """Take in nothing more."""
        with self._lock:
            self._ledger.outstanding.clear()
            self.missing.clear()

    def complete_query(self, query: int, stamp: int) -> bool:
        """Record all samples of a query at once, where only the time is kept.

        Nothing of it may be complete yet. Tells whether the query was outstanding.
        """
        ledger, size = self._ledger, self._size
        if query in ledger.outstanding:
            ledger.completed_rows[query] = stamp
            if ledger.outstanding.pop(query, None) is not None:
                return True
        self._note_stale(query * size, size)
        return False

    def complete_one(self, sample: int, stamp: int) -> bool | None:
        """Record one sample, where only the time is kept; tell whether its query is done.

        ``None`` if the sample isn't open: `complete` has the words for that.
        """
        ledger = self._ledger
        query = sample // self._size
        with self._lock:
            if query not in ledger.outstanding or ledger.completed_ns[sample]:
                return None
            ledger.completed_ns[sample] = stamp
            return self._count_down(query, 1)

    def complete(
        self,
        samples: Samples,
        stamp: int,
        answers: Answers | None = None,
        token_counts: Sequence[int] | None = None,
    ) -> bool:
        """Record completions; tell whether any query is done by them.

        Raises `ResponseError` for a sample that wasn't issued, and whatever ``answers``
        raises.
        """
        is_few = len(samples) <= _FEW
        claim = self._claim_few if is_few else self._claim_many
        settle = self._settle_few if is_few else self._settle_many
        with self._lock:
            rows = claim(samples, stamp)
            if token_counts is not None:
                self._count_tokens(samples, rows, token_counts)
            if not self._keeps:
                return settle(samples, rows)
        self._keep(samples, rows, answers, token_counts)
        with self._lock:
            return settle(samples, rows)

    def first_tokens(self, samples: Samples, stamp: int, answers: Answers | None = None) -> None:
        """Record when first tokens came out; ``answers`` gives their bytes."""
        ledger = self._ledger
        array = ledger.first_token_array
        if array is None:
            return
        first = array.data
        with self._lock:
            for row, sample in enumerate(samples):
                if not self._is_open(int(sample)):
                    self._note(IncidentKind.FIRST_TOKEN_AFTER_COMPLETION, sample)
                elif first[sample]:
                    self._note(IncidentKind.FIRST_TOKEN_TWICE, sample)
                else:
                    first[sample] = stamp
                    if self._keeps and answers is not None and self._is_logged(int(sample)):
                        self._first_token_data[int(sample)] = bytes(answers(row))

    # ---- claiming

    def _is_open(self, sample: int) -> bool:
        """Tell whether a sample still waits for its completion."""
        ledger, size = self._ledger, self._size
        if not 0 <= sample < ledger.issued_count * size:
            raise ResponseError(f"sample {sample} of this series was never issued")
        return not ledger.completed_ns[sample] and sample // size in ledger.outstanding

    def _claim_few(self, samples: Samples, stamp: int) -> Sequence[int]:
        """Stamp the samples that are still open; give where they stand in ``samples``."""
        completed, rows = self._ledger.completed_ns, []
        for row, sample in enumerate(samples):
            if self._is_open(sample):
                completed[sample] = stamp
                rows.append(row)
            else:
                self._note_stale(sample, 1)
        return rows

    def _claim_many(self, samples: Samples, stamp: int) -> Sequence[int]:
        ledger, size = self._ledger, self._size
        chosen = np.asarray(samples, np.int64)
        first, last = int(chosen.min()), int(chosen.max())
        if first < 0 or last >= ledger.issued_count * size:
            wrong = first if first < 0 else last
            raise ResponseError(f"sample {wrong} of this series was never issued")
        is_open = ledger.completed_array[chosen] == 0
        for query in self._queries_of(chosen)[0]:
            if query not in ledger.outstanding:
                is_open &= chosen // size != query
        if not (np.diff(chosen) > 0).all():
            is_first = np.zeros(len(chosen), bool)
            is_first[np.unique(chosen, return_index=True)[1]] = True
            is_open &= is_first
        if is_open.all():
            ledger.completed_array[chosen] = stamp
            return range(len(chosen))
        stale = chosen[~is_open]
        ledger.completed_array[chosen[is_open]] = stamp
        for sample in stale.tolist():
            self._note_stale(sample, 1)
        rows: list[int] = np.flatnonzero(is_open).tolist()
        return rows

    def _queries_of(self, chosen: NDArray[np.int64]) -> tuple[list[int], list[int]]:
        """Give the numbers of the queries that samples belong to, and how many of each."""
        queries = chosen // self._size
        if int(queries[0]) == int(queries.min()) == int(queries.max()):
            return [int(queries[0])], [len(queries)]
        numbers, counts = np.unique(queries, return_counts=True)
        return numbers.tolist(), counts.tolist()

    # ---- settling

    def _settle_few(self, samples: Samples, rows: Sequence[int]) -> bool:
        size = self._size
        is_done = False
        for row in rows:
            is_done |= self._count_down(samples[row] // size, 1)
        return is_done

    def _settle_many(self, samples: Samples, rows: Sequence[int]) -> bool:
        chosen = np.asarray(samples, np.int64)
        if len(rows) != len(chosen):
            chosen = chosen[np.asarray(rows, np.int64)]
        if not len(chosen):
            return False
        done = [self._count_down(*pair) for pair in zip(*self._queries_of(chosen), strict=True)]
        return any(done)

    def _count_down(self, query: int, samples: int) -> bool:
        self.progress += 1
        left = self.missing.get(query, self._size) - samples
        if left > 0:
            self.missing[query] = left
            return False
        self.missing.pop(query, None)
        return self._ledger.outstanding.pop(query, None) is not None

    # ---- answers and tokens

    def _is_logged(self, sample: int) -> bool:
        return self._logged is None or bool(self._logged[sample])

    def _keep(
        self,
        samples: Samples,
        rows: Sequence[int],
        answers: Answers | None,
        token_counts: Sequence[int] | None,
    ) -> None:
        """Write the answers that are wanted, in frames of bounded size."""
        frame = _Frame()
        for row in rows:
            sample = int(samples[row])
            if not self._is_logged(sample):
                continue
            data = b"" if answers is None else answers(row)
            if not len(data):
                self._note(IncidentKind.EMPTY_RESPONSE, sample)
            tokens = None if token_counts is None else int(token_counts[row])
            first = self._first_token_data.pop(sample, b"")
            frame.add(sample + self._ledger.first_sample_id, data, first, tokens)
            if frame.is_full():
                self._write(frame)
                frame = _Frame()
        if frame.ids:
            self._write(frame)

    def _write(self, frame: _Frame) -> None:
        if self._writer is not None:
            has_tokens = self._ledger.uses_tokens
            self._writer.write(
                frame.ids,
                frame.answers,
                frame.first_tokens if has_tokens else None,
                frame.token_counts if has_tokens else None,
            )

    def _count_tokens(self, samples: Samples, rows: Sequence[int], counts: Sequence[int]) -> None:
        """Record token counts; wrong ones count as 0 and are put on record."""
        ledger = self._ledger
        first, tokens = ledger.first_token_array, ledger.token_count_array
        if first is None or tokens is None:
            return
        first_ns, token_counts = first.data, tokens.data
        for row in rows:
            sample, count = samples[row], counts[row]
            if count < 2:
                self._note(_WRONG_COUNTS.get(count, IncidentKind.TOKEN_COUNT_NEGATIVE), sample)
                count = 0
            token_counts[sample] = count
            if self._needs_first and not first_ns[sample]:
                self._note(IncidentKind.FIRST_TOKEN_MISSING, sample)

    # ---- incidents

    def _note_stale(self, sample: int, times: int) -> None:
        is_done = self._ledger.completed_ns[sample] != 0
        kind = IncidentKind.COMPLETED_TWICE if is_done else IncidentKind.COMPLETED_AFTER_END
        self._ledger.note_times(kind, times, query=sample // self._size)

    def _note(self, kind: IncidentKind, sample: int) -> None:
        self._ledger.note_times(kind, 1, query=int(sample) // self._size)


_WRONG_COUNTS = {0: IncidentKind.TOKEN_COUNT_MISSING, 1: IncidentKind.TOKEN_COUNT_ONE}


class _Frame:
    """Answers on their way to the response log."""

    __slots__ = ("_bytes", "answers", "first_tokens", "ids", "token_counts")

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.answers: list[bytes | memoryview] = []
        self.first_tokens: list[bytes] = []
        self.token_counts: list[int] = []
        self._bytes = 0

    def add(
        self, sample_id: int, data: bytes | memoryview, first_token: bytes, tokens: int | None
    ) -> None:
        self.ids.append(sample_id)
        self.answers.append(data)
        self.first_tokens.append(first_token)
        self.token_counts.append(tokens or 0)
        self._bytes += len(data)

    def is_full(self) -> bool:
        return self._bytes >= _FRAME_BYTES or len(self.ids) >= _FRAME_ANSWERS
