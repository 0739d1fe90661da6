"""Check: every result of a tree, in parallel, and what belongs to none."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from inferometer.loadgen import InferometerError
from inferometer.loadgen.cores import usable_cores
from inferometer.logs import DETAIL_LOG
from inferometer.rounds import Round, load_round
from inferometer.submission.checking.layout import check_tree_layout
from inferometer.submission.checking.naming import check_required_scenarios
from inferometer.submission.checking.notebook import Notebook
from inferometer.submission.checking.options import CheckOptions
from inferometer.submission.checking.outcome import ResultReport, TreeReport
from inferometer.submission.checking.published import published_verdict
from inferometer.submission.checking.published_v6_1 import published_verdict_v6_1
from inferometer.submission.checking.result import check_result
from inferometer.submission.checking.truth import labels_of
from inferometer.submission.places import ResultPlace, result_places
from inferometer.submission.tree import Tree, TreeError, shown

__all__ = ["SUPPORTED_ROUNDS", "CheckError", "check_tree", "round_of"]

SUPPORTED_ROUNDS = ("v0.5", "v6.1")
"""Rounds whose trees can be judged."""

_CURRENT_MARK = b":::MLLOG"
_MOST_LOOKED_AT = 200
_FEW = 4
"""So few results are checked in this process: starting others would take longer."""

Progress = Callable[[int, int], None]


class CheckError(InferometerError):
    """A tree can't be judged at all; the message says what can."""


def check_tree(
    root: Path,
    round_name: str | None = None,
    options: CheckOptions | None = None,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> TreeReport:
    """Check all results below a folder; ``workers`` processes, as many as cores by default.

    ``progress`` is told how many results are done, of how many. The round is found out from
    the logs unless it is given.

    Raises `TreeError` for a folder that is none, or is empty, and `CheckError` for a round
    whose trees can't be judged or a submitter who isn't there.
    """
    options = options or CheckOptions()
    tree = Tree(root)
    places = [p for p in result_places(tree) if options.submitter in (None, p.submitter)]
    if options.submitter is not None and not places:
        raise CheckError(_no_such_submitter(tree, options.submitter))
    name = round_name or round_of(tree, places)
    if name not in SUPPORTED_ROUNDS:
        raise CheckError(
            f"{root}: a tree of round {name}; judged can be those of "
            f"{', '.join(SUPPORTED_ROUNDS)}. Give --round if it is one of these"
        )
    round_ = load_round(name)
    if options.truth.labels is not None:
        labels_of(options.truth.labels)  # A damaged file is told before anything is checked.
    notebook = Notebook(name)
    check_tree_layout(tree, places, options.submitter, notebook)
    if round_.era.is_v05:
        published = published_verdict(tree, places, round_, options.submitter)
    else:
        published = published_verdict_v6_1(
            tree, places, round_, options.submitter, is_demo=options.is_demo
        )
    check_required_scenarios(tree, places, round_, notebook)
    count = usable_cores() if workers is None else workers
    results = []
    for report in _reports(tree, places, round_, options, count):
        results.append(report)
        if progress is not None:
            progress(len(results), len(places))
    results.sort(key=lambda result: result.place)
    return TreeReport(shown(str(root)), name, tuple(results), tuple(notebook.checks), published)


def round_of(tree: Tree, places: Sequence[ResultPlace]) -> str:
    """Find out which round a tree is of: by the first lines of its detail logs, else v0.5."""
    logs = (
        (*folder, name)
        for place in places
        for folder in _log_folders(tree, place)
        for name in tree.files(*folder)
        if name == DETAIL_LOG
    )
    current = old = 0
    for _, log in zip(range(_MOST_LOOKED_AT), logs, strict=False):
        try:
            with tree.open(*log) as file:
                is_current = file.read(len(_CURRENT_MARK)) == _CURRENT_MARK
        except (TreeError, OSError):
            continue
        current, old = current + is_current, old + (not is_current)
    return "v6.1" if current > old else "v0.5"


def _log_folders(tree: Tree, place: ResultPlace) -> Iterator[tuple[str, ...]]:
    yield (*place.parts, "accuracy")
    performance = (*place.parts, "performance")
    yield from ((*performance, name) for name in tree.folders(*performance))


def _no_such_submitter(tree: Tree, name: str) -> str:
    there = sorted({p.submitter for p in result_places(tree)})
    known = shown(", ".join(there)) if there else "none"
    return f"there are no results of a submitter {shown(name)!r}; there are some of {known}"


def _reports(
    tree: Tree,
    places: Sequence[ResultPlace],
    round_: Round,
    options: CheckOptions,
    workers: int,
) -> Iterator[ResultReport]:
    """Check each result, in order of completion."""
    if workers <= 1 or len(places) <= _FEW:
        for place in places:
            yield check_result(tree, place, round_, options)
        return
    arguments = (tree, round_.name, options)
    left, futures = list(places), {}
    with _pool(min(workers, len(places)), arguments) as pool:
        with contextlib.suppress(BrokenProcessPool):
            while left:
                futures[pool.submit(_check_one, left[0])] = left[0]
                left.pop(0)
        for future in as_completed(futures):
            try:
                yield future.result()
            except BrokenProcessPool:
                left.append(futures[future])
    yield from _one_by_one(left, round_, arguments)


def _one_by_one(
    places: Sequence[ResultPlace], round_: Round, arguments: tuple[Tree, str, CheckOptions]
) -> Iterator[ResultReport]:
    """Check what is left after a worker died, so that only the result that kills it is lost."""
    left = list(places)
    while left:
        with _pool(1, arguments) as pool:
            try:
                while left:
                    yield pool.submit(_check_one, left[0]).result()
                    left.pop(0)
            except BrokenProcessPool:
                yield _given_up(left.pop(0), round_)


def _pool(workers: int, arguments: tuple[Tree, str, CheckOptions]) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, context, initializer=_start_worker, initargs=arguments)


def _given_up(place: ResultPlace, round_: Round) -> ResultReport:
    """Report a result whose check took its process down, such as by using up all memory."""
    notebook = Notebook(round_.name)
    seen = "the process that checked results ended; try --workers 1"
    notebook.fails("check.gave-up", place.parts, seen)
    return ResultReport(place, "", "", "", None, "", "", tuple(notebook.checks))


_worker: tuple[Tree, Round, CheckOptions] | None = None


def _start_worker(tree: Tree, round_name: str, options: CheckOptions) -> None:
    """Keep what is the same for all results of a worker process."""
    global _worker  # noqa: PLW0603  a pool hands its initializer's work on in no other way
    _worker = tree, load_round(round_name), options


def _check_one(place: ResultPlace) -> ResultReport:
    assert _worker is not None, "the pool starts its workers by _start_worker"
    return check_result(_worker[0], place, *_worker[1:])
