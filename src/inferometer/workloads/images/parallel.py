"""Parallel: one function over many files, on as many threads as there are cores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from inferometer.loadgen.cores import usable_cores

__all__ = ["Progress", "for_each", "usable_cores"]

Progress = Callable[[int, int], None]
"""Told how many are done, and of how many."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def for_each(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    workers: int | None = None,
    progress: Progress | None = None,
) -> list[Result]:
    """Call a function with each item; give the results in order.

    The first error, in the order of the items, ends it: what hasn't started then doesn't.
    ``workers`` are threads, one a usable core unless said otherwise.
    """
    results: list[Result] = []
    workers = min(workers or usable_cores(), max(1, len(items)))
    if workers == 1:
        for item in items:
            results.append(function(item))
            _tell(progress, len(results), len(items))
        return results
    with ThreadPoolExecutor(workers, thread_name_prefix="inferometer-images") as pool:
        futures = [pool.submit(function, item) for item in items]
        try:
            for future in futures:
                results.append(future.result())
                _tell(progress, len(results), len(items))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return results


def _tell(progress: Progress | None, done: int, total: int) -> None:
    if progress is not None:
        progress(done, total)
