"""Case: a result before the v6.1 round's checker, and what is the same for its checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from inferometer.rounds import Benchmark, Round
from inferometer.submission.checking.published_v6_1.files import StopsError
from inferometer.submission.places import ResultPlace
from inferometer.submission.tree import Tree, shown

__all__ = ["Case", "benchmark_named", "judged"]

_CAUGHT = (TypeError, ValueError, KeyError, AttributeError, ZeroDivisionError, OverflowError)


@dataclass(frozen=True)
class Case:
    """A result with its benchmark, and the description of its system as it stands in the file.

    ``is_demo`` lets the data set be of any size, as the checker's own option does.
    """

    tree: Tree
    place: ResultPlace
    round: Round
    benchmark: Benchmark
    system: Any
    is_demo: bool

    @property
    def is_open(self) -> bool:
        """Whether the open division's rules hold."""
        return self.place.division == "open"


def judged(what: str, check: Callable[..., Iterator[str]], *given: Any) -> Iterator[str]:
    """Give the reasons of a check; a value of a kind that it can't take is a reason too."""
    try:
        yield from check(*given)
    except _CAUGHT as error:
        yield f"{what} can't be told: {shown(repr(error))}"


def benchmark_named(name: str, mapping: Any, round_: Round) -> Benchmark | None:
    """Give the benchmark that a folder's name stands for; ``None`` if none of this round.

    Official names go first, then names that always stood for one, then the submitter's
    ``mapping``, then what the name looks like. Raises `StopsError` if the mapping is needed
    and is none.
    """
    if name in round_.benchmarks:
        return round_.benchmarks[name]
    if name in round_.retired_names:
        return None
    for benchmark in round_.benchmarks.values():
        if name in benchmark.aliases:
            return benchmark
    if not isinstance(mapping, dict) and mapping is not None:
        raise StopsError(f"{shown(name)} is looked up in a mapping that is no object")
    mapped = mapping.get(name) if mapping else None
    if mapped:
        return round_.benchmarks.get(mapped) if isinstance(mapped, str) else None
    fitting = [
        (len(alias), benchmark)
        for benchmark in round_.benchmarks.values()
        for alias in benchmark.aliases
        if fnmatchcase(name, alias)
    ]
    return max(fitting, key=lambda pair: pair[0])[1] if fitting else None
