"""Intake: completions of any samples are taken in alike, in small numbers and in large."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inferometer.loadgen import (
    IncidentKind,
    Ledger,
    MemoryStore,
    Mode,
    Plan,
    Query,
    Response,
    ResponseError,
    ResponseWriter,
    Scenario,
    VirtualClock,
    derive,
    intake,
    loadable_sets,
    make_plan,
)
from tests.support import short_settings

KEPT: dict[str, dict[str, Any]] = {
    "all": {"mode": Mode.ACCURACY},
    "some": {"accuracy_log_probability": 0.5},
    "none": {},
}
ALWAYS_FEW, ALWAYS_MANY = 1 << 60, 0


def plan_of(queries: int, size: int, kept: str) -> Plan:
    """A plan of some queries of some samples each."""
    asked = short_settings(
        Scenario.MULTI_STREAM,
        multi_stream_samples_per_query=size,
        min_query_count=queries,
        **KEPT[kept],
    )
    total = queries * size
    effective = derive(asked, total, total)
    return make_plan(effective, asked.mode, loadable_sets(effective, asked.mode, total)[0])


@dataclass
class Account:
    """A ledger whose queries are all out, and where it writes the answers."""

    ledger: Ledger
    writer: ResponseWriter

    @classmethod
    def of(cls, plan: Plan, uses_tokens: bool = False) -> Account:
        writer = ResponseWriter()
        ledger = Ledger(
            plan,
            VirtualClock(),
            store=MemoryStore(),
            writer=writer,
            outstanding_limit_s=1.0,
            uses_tokens=uses_tokens,
        )
        ledger.begin()
        ledger.issued_count = plan.query_count
        ledger.outstanding.update(
            (number, Query(ledger, number)) for number in range(plan.query_count)
        )
        return cls(ledger, writer)

    def state(self) -> dict[str, Any]:
        """Everything that a recording would be made of."""
        ledger = self.ledger
        optional = (ledger.first_token_array, ledger.token_count_array)
        return {
            "completed": ledger.completed_array.tolist(),
            "tokens": [None if array is None else array.tolist() for array in optional],
            "outstanding": list(ledger.outstanding),
            "incidents": ledger.incidents.kept(),
            "counts": ledger.incidents.counts(),
            "answers": self.answers(),
            "latencies": ledger.query_latencies_ns(ledger.issued_count).tolist(),
        }

    def answers(self) -> list[Response]:
        return list(self.writer.reader())


@dataclass(frozen=True)
class Step:
    """One call: completions or first tokens of some samples, or a query that goes astray."""

    kind: str
    samples: list[int]
    counts: list[int]

    def apply(self, account: Account, stamp: int, form: Callable[[list[int]], Any]) -> None:
        ledger = account.ledger
        samples: Any = form(self.samples)

        def answer(row: int) -> bytes:
            # Which call and which row of it was kept can be told from the bytes.
            return b"" if self.samples[row] % 5 == 4 else f"{self.kind} {stamp}:{row}".encode()

        match self.kind:
            case "complete":
                counts = self.counts if ledger.uses_tokens else None
                ledger.complete_samples(samples, stamp, answer, counts)
            case "first":
                ledger.first_tokens(samples, stamp, answer)
            case _:
                ledger.outstanding.pop(self.samples[0] // ledger.samples_per_query, None)


@st.composite
def stories(draw: st.DrawFn) -> tuple[Plan, bool, list[Step]]:
    """A plan and what happens: splits, several queries, duplicates, completions too late."""
    queries, size = draw(st.integers(1, 7)), draw(st.integers(1, 6))
    plan = plan_of(queries, size, draw(st.sampled_from(list(KEPT))))
    some_samples = st.lists(st.integers(0, plan.sample_count - 1), min_size=1, max_size=40)
    steps = []
    for _ in range(draw(st.integers(1, 8))):
        samples = draw(some_samples)
        counts = draw(st.lists(st.integers(-1, 4), min_size=len(samples), max_size=len(samples)))
        kind = draw(st.sampled_from(["complete"] * 6 + ["first", "astray"]))
        steps.append(Step(kind, samples, counts))
    return plan, draw(st.booleans()), steps


@settings(max_examples=150, deadline=None)
@given(stories())
def test_both_ways_record_the_same(story: tuple[Plan, bool, list[Step]]) -> None:
    plan, uses_tokens, steps = story
    rest = Step("complete", list(range(plan.sample_count))[::-1], [3] * plan.sample_count)
    few, many = Account.of(plan, uses_tokens), Account.of(plan, uses_tokens)
    for stamp, step in enumerate([*steps, rest], start=1):
        with mock.patch.object(intake, "_FEW", ALWAYS_FEW):
            step.apply(few, stamp, list)
        # Small frames here: how answers are written out makes no difference either.
        with (
            mock.patch.object(intake, "_FEW", ALWAYS_MANY),
            mock.patch.object(intake, "_FRAME_ANSWERS", 3),
        ):
            step.apply(many, stamp, np.array)
        assert few.state() == many.state(), step
    assert not few.ledger.outstanding, "whatever came before, the rest completes all"
    claimed = {response.sample_id for response in few.answers()}
    assert len(claimed) == len(few.answers()), "no sample is answered twice"


def answers_to(samples: Sequence[int]) -> Callable[[int], bytes]:
    given = list(samples)
    return lambda row: bytes([given[row] % 251])


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 5),
    st.integers(1, 40),
    st.sampled_from(list(KEPT)),
    st.randoms(use_true_random=False),
)
def test_one_call_or_many_come_to_the_same(
    queries: int, size: int, kept: str, chance: random.Random
) -> None:
    """However the samples are split and ordered, with the threshold as it is."""
    plan = plan_of(queries, size, kept)
    whole, split = Account.of(plan), Account.of(plan)
    order = list(range(plan.sample_count))
    whole.ledger.complete_samples(order, 5, answers_to(order))
    chance.shuffle(order)
    start = 0
    while start < len(order):
        part = order[start : start + chance.randint(1, 45)]
        split.ledger.complete_samples(part, 5, answers_to(part))
        start += len(part)
    one, other = whole.state(), split.state()
    for state in (one, other):
        state["answers"] = sorted(state["answers"], key=lambda response: response.sample_id)
    assert one == other
    assert one["outstanding"] == []
    assert one["counts"] == {}


@pytest.mark.parametrize("few", [ALWAYS_FEW, ALWAYS_MANY], ids=["few", "many"])
@pytest.mark.parametrize("wrong", [[-1], [12], [0, 1, 12], [10**12, 3], [2, -(10**12)]])
def test_samples_that_were_never_issued_are_refused(wrong: list[int], few: int) -> None:
    account = Account.of(plan_of(4, 3, "none"))
    with mock.patch.object(intake, "_FEW", few), pytest.raises(ResponseError, match="never issued"):
        account.ledger.complete_samples(wrong, 1)
    assert account.ledger.stopping
    assert account.ledger.stopping_reason is IncidentKind.WRONG_RESPONSE
    assert isinstance(account.ledger.error, ResponseError)


@pytest.mark.parametrize("few", [ALWAYS_FEW, ALWAYS_MANY], ids=["few", "many"])
def test_a_query_not_issued_yet_is_refused(few: int) -> None:
    account = Account.of(plan_of(4, 3, "none"))
    account.ledger.issued_count = 2
    with mock.patch.object(intake, "_FEW", few), pytest.raises(ResponseError, match="never issued"):
        account.ledger.complete_samples([5, 6], 1)


@pytest.mark.parametrize("few", [ALWAYS_FEW, ALWAYS_MANY], ids=["few", "many"])
def test_nothing_is_recorded_once_the_series_has_ended(few: int) -> None:
    account = Account.of(plan_of(4, 3, "all"))
    with mock.patch.object(intake, "_FEW", few):
        account.ledger.complete_samples([0, 4], 1, lambda row: b"in time")
        before = account.state()
        account.ledger.close()
        account.ledger.complete_samples([0, 1, 2, 4], 2, lambda row: b"too late")
    after = account.state()
    assert after["completed"] == before["completed"]
    assert after["answers"] == before["answers"]
    assert after["counts"] == {
        IncidentKind.COMPLETED_TWICE: 2,
        IncidentKind.COMPLETED_AFTER_END: 2,
    }


@pytest.mark.parametrize("kept", list(KEPT))
@pytest.mark.parametrize("few", [ALWAYS_FEW, ALWAYS_MANY], ids=["few", "many"])
def test_threads_that_complete_the_same_samples(few: int, kept: str) -> None:
    """Each sample counts once, whichever thread comes first."""
    plan = plan_of(60, 4, kept)
    account = Account.of(plan)
    threads, count = 4, plan.sample_count
    gate = threading.Barrier(threads)

    def parts(seed: int) -> list[Sequence[int]]:
        chance = random.Random(seed)
        order = list(range(count))
        chance.shuffle(order)
        return [order[start : start + 5] for start in range(0, count, 5)]

    def work(number: int) -> None:
        mine = parts(number)
        gate.wait()
        for part in mine:
            account.ledger.complete_samples(part, number + 1, lambda row: bytes([number]))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with mock.patch.object(intake, "_FEW", few):
            workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
    finally:
        sys.setswitchinterval(interval)
    state = account.state()
    assert state["outstanding"] == []
    assert state["counts"] == {IncidentKind.COMPLETED_TWICE: (threads - 1) * count}
    stamps = state["completed"]
    assert min(stamps) >= 1
    logged = np.full(count, plan.logs_all) if plan.logged is None else plan.logged
    expected = np.flatnonzero(logged).tolist()
    assert sorted(one.sample_id for one in state["answers"]) == expected
    for one in state["answers"]:
        assert one.data == bytes([stamps[one.sample_id] - 1]), "the answer of who came first"
