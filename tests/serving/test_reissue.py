"""Re-issue: no batch lost or answered twice, under any order of deaths and answers."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from inferometer.serving.reissue import Assignments

REPLICAS = 3
MOST = 2

steps = st.lists(
    st.tuples(st.sampled_from(["answer", "stale", "lost", "back", "gone"]), st.integers(0, 99)),
    max_size=120,
)


class World:
    """Batches on their way to replicas that die as a test says."""

    def __init__(self, batches: int):
        self.assignments: Assignments[int] = Assignments(REPLICAS, (0, 1, 2), MOST)
        self.new = list(range(batches))
        self.count = batches
        self.tickets: list[int] = []
        self.old: list[int] = []
        self.answered: list[int] = []
        self.given_up: list[int] = []
        self.losses: Counter[int] = Counter()
        self.held: dict[int, list[tuple[int, int]]] = {n: [] for n in range(REPLICAS)}

    def spread(self) -> None:
        while (replica := self.assignments.free()) is not None:
            assert len(self.held[replica]) < MOST
            if self.assignments.has_again:
                ticket, batch = self.assignments.begin_again(replica)
            elif self.new:
                batch = self.new.pop()
                ticket = self.assignments.begin(replica, batch)
            else:
                return
            self.tickets.append(ticket)
            self.held[replica].append((ticket, batch))

    def answer(self, choice: int) -> None:
        if self.tickets:
            ticket = self.tickets.pop(choice % len(self.tickets))
            self.old.append(ticket)
            batch = self.assignments.answered(ticket)
            if batch is not None:
                self.answered.append(batch)
                for held in self.held.values():
                    held[:] = [one for one in held if one[0] != ticket]

    def stale(self, choice: int) -> None:
        """Answer once more what was answered before."""
        if self.old:
            assert self.assignments.answered(self.old[choice % len(self.old)]) is None

    def lose(self, replica: int, *, for_good: bool) -> None:
        take = self.assignments.gone if for_good else self.assignments.lost
        losses = take(replica)
        held = {batch for _, batch in self.held[replica]}
        assert held == {*losses.reissued, *losses.given_up}
        self.losses.update(held)
        assert all(self.losses[batch] == 1 for batch in losses.reissued)
        assert all(self.losses[batch] == 2 for batch in losses.given_up)
        self.given_up.extend(losses.given_up)
        self.held[replica] = []

    def step(self, what: str, choice: int) -> None:
        replica = choice % REPLICAS
        match what:
            case "answer":
                self.answer(choice)
            case "stale":
                self.stale(choice)
            case "lost":
                self.lose(replica, for_good=False)
            case "gone" if replica:  # the first stays, so that everything can end
                self.lose(replica, for_good=True)
            case "back":
                self.assignments.back(replica)


@given(steps, st.integers(1, 30))
def test_every_batch_is_answered_once_or_given_up(
    asked: list[tuple[str, int]], batches: int
) -> None:
    world = World(batches)
    for what, choice in asked:
        world.spread()
        world.step(what, choice)
    world.assignments.back(0)
    for _ in range(20 * batches):
        world.spread()
        # Answers of the dead come as well; they must answer nothing.
        world.answer(0)
    assert sorted(world.answered + world.given_up) == list(range(batches))
    assert not world.assignments.open_batches
    assert not world.assignments.is_hopeless


def test_the_replica_with_the_fewest_gets_the_next() -> None:
    assignments: Assignments[str] = Assignments(2, (0, 1), 2)
    given_to = []
    for _ in range(4):
        replica = assignments.free()
        assert replica is not None
        given_to.append(replica)
        assignments.begin(replica, "batch")
    assert given_to == [0, 1, 0, 1]
    assert assignments.free() is None


def test_what_was_lost_goes_before_anything_new_and_to_another() -> None:
    assignments: Assignments[str] = Assignments(2, (0, 1), 2)
    ticket = assignments.begin(0, "first")
    assert assignments.lost(0).reissued == ("first",)
    assert assignments.has_again
    assert assignments.free() == 1
    again, batch = assignments.begin_again(1)
    assert batch == "first"
    assert assignments.answered(ticket) is None
    assert assignments.answered(again) == "first"


def test_a_batch_that_is_lost_twice_is_given_up() -> None:
    assignments: Assignments[str] = Assignments(2, (0, 1), 2)
    assignments.begin(0, "poison")
    assignments.lost(0)
    assignments.begin_again(1)
    losses = assignments.lost(1)
    assert (losses.reissued, losses.given_up) == ((), ("poison",))


def test_it_is_hopeless_once_all_are_gone_for_good() -> None:
    assignments: Assignments[str] = Assignments(2, (0, 1), 2)
    assignments.gone(0)
    assignments.lost(1)
    assert not _is_hopeless(assignments)
    assignments.gone(1)
    assert _is_hopeless(assignments)
    assignments.back(1)
    assert assignments.free() is None


def _is_hopeless(assignments: Assignments[str]) -> bool:
    return assignments.is_hopeless
