"""Photo library: files on disk become the inputs of a model, preprocessed once."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from inferometer.workloads.images.cache import CacheError, SampleCache, Stamp
from inferometer.workloads.images.decode import opencv_on_one_thread, read_image
from inferometer.workloads.images.parallel import Progress, for_each
from inferometer.workloads.images.preprocess import preprocess
from inferometer.workloads.images.recipe import Preprocessing
from inferometer.workloads.protocol import WorkloadError
from inferometer.workloads.rows import take_rows

__all__ = ["PhotoLibrary"]

_CHUNK = 256
"""Photos that are made while the cache is locked; other processes then have their turn."""

_MEMORY_SHARE = 0.8


class PhotoLibrary:
    """Photos as a sample library; a sample's index is its place in ``paths``.

    cache:
        Folder of all caches; ``None`` preprocesses the photos at each `load`.
    workers:
        Threads that decode and preprocess; one a usable core unless said otherwise.
    progress:
        Told how many photos of a `load` are there, and of how many.

    ``memory_limit_bytes`` bounds what `load` takes; ``None`` is 80 % of what is free.
    ``trouble`` says why samples couldn't be kept on disk, and is empty if they could; the
    library then goes on in memory, after a RuntimeWarning.
    """

    def __init__(
        self,
        name: str,
        paths: Sequence[Path],
        preprocessing: Preprocessing,
        input_name: str,
        performance_sample_count: int,
        cache: Path | None = None,
        workers: int | None = None,
        progress: Progress | None = None,
    ):
        self.name = name
        self.preprocessing = preprocessing
        self.total_sample_count = len(paths)
        self.performance_sample_count = min(performance_sample_count, len(paths))
        self.memory_limit_bytes: int | None = None
        self.trouble = ""
        self._has_warned = False
        self._paths = paths
        self._input_name = input_name
        self._workers = workers
        self._progress = progress
        self._rows = np.full(len(paths), -1, np.int64)
        self._loaded = self._empty(0)
        self._cache: SampleCache | None = None
        if cache is not None:
            try:
                self._cache = SampleCache(cache, name, preprocessing)
            except CacheError as error:
                self._give_up_cache(error)
                self._warn()

    def follow(self, progress: Progress) -> None:
        """Tell somebody from now on how many photos of a `load` are there, and of how many."""
        self._progress = progress

    def load(self, indices: NDArray[np.integer[Any]]) -> None:
        """Bring samples into memory, in one array; int [n], repetitions allowed.

        What was loaded before is let go. Raises `WorkloadError` naming the file that is
        missing or damaged, or if the samples don't fit into memory.
        """
        distinct = np.unique(indices)
        self._check_range(distinct)
        self._let_go()
        self._check_memory(len(distinct))
        loaded = self._empty(len(distinct))
        rows = dict(zip(distinct.tolist(), range(len(distinct)), strict=True))
        tell = self._counter(len(rows))
        missing = list(rows)
        if self._cache is not None:
            kept = for_each(
                lambda index: self._read_kept(index, loaded[rows[index]]), missing, self._workers
            )
            missing = [index for index, is_kept in zip(missing, kept, strict=True) if not is_kept]
            tell(len(rows) - len(missing))
        self._make(missing, lambda index: loaded[rows[index]], tell)
        self._loaded = loaded
        self._rows[distinct] = np.arange(len(distinct))

    def prepare(self) -> None:
        """Preprocess the whole data set into the cache, and load nothing.

        Raises `WorkloadError` as `load` does, and if there is no cache to fill.
        """
        if self._cache is None:
            raise WorkloadError(self.trouble or f"{self.name}: there is no cache to prepare")
        cache = self._cache
        tell = self._counter(self.total_sample_count)
        kept = [cache.holds(Stamp.of(path)) for path in self._paths]
        missing = [index for index, is_kept in enumerate(kept) if not is_kept]
        tell(self.total_sample_count - len(missing))
        buffers = threading.local()

        def buffer(_index: int) -> NDArray[Any]:
            if not hasattr(buffers, "row"):
                buffers.row = self._empty(1)[0]
            row: NDArray[Any] = buffers.row
            return row

        self._make(missing, buffer, tell, only_to_keep=True)

    def unload(self, indices: NDArray[np.integer[Any]]) -> None:  # noqa: ARG002
        """Let the samples go, and their memory."""
        self._let_go()

    def inputs(self, indices: NDArray[np.integer[Any]]) -> Mapping[str, NDArray[Any]]:
        """Give the model's input for loaded samples, [n, *sample shape].

        Samples that lie side by side, and so each single one, are given without copying.
        """
        return {self._input_name: take_rows(self._loaded, self._rows, indices)}

    def _empty(self, count: int) -> NDArray[Any]:
        shape = (count, *self.preprocessing.sample_shape)
        return np.empty(shape, self.preprocessing.dtype)

    def _let_go(self) -> None:
        self._rows[:] = -1
        self._loaded = self._empty(0)

    def _check_range(self, distinct: NDArray[np.integer[Any]]) -> None:
        if distinct.size and not 0 <= distinct[0] <= distinct[-1] < self.total_sample_count:
            raise WorkloadError(
                f"{self.name} has samples 0 … {self.total_sample_count - 1}, and "
                f"{distinct[0]} … {distinct[-1]} were asked for"
            )

    def _check_memory(self, count: int) -> None:
        limit = self.memory_limit_bytes
        if limit is None:
            limit = int(psutil.virtual_memory().available * _MEMORY_SHARE)
        needed = count * self.preprocessing.sample_bytes
        if needed > limit:
            raise WorkloadError(
                f"{self.name}: {count} samples of {self.preprocessing.sample_bytes / 1e6:.2f} MB "
                f"take {needed / 1e9:.2f} GB, and {limit / 1e9:.2f} GB may be used; load fewer "
                "at a time: lower the performance sample count"
            )

    def _counter(self, total: int) -> Callable[[int], None]:
        """Give a function that adds to what is done, and tells."""
        done = 0

        def tell(more: int) -> None:
            nonlocal done
            done += more
            if self._progress is not None and more:
                self._progress(done, total)

        return tell

    def _read_kept(self, index: int, out: NDArray[Any]) -> bool:
        cache = self._cache
        return cache is not None and cache.read(Stamp.of(self._paths[index]), out)

    def _make(
        self,
        indices: list[int],
        place: Callable[[int], NDArray[Any]],
        tell: Callable[[int], None],
        *,
        only_to_keep: bool = False,
    ) -> None:
        """Preprocess photos into the arrays that ``place`` gives, and keep them."""
        if not indices:
            return
        with opencv_on_one_thread():
            for start in range(0, len(indices), _CHUNK):
                chunk = indices[start : start + _CHUNK]
                with self._kept(len(chunk)):
                    for_each(
                        partial(self._make_one, place),
                        chunk,
                        self._workers,
                        lambda _done, _total: tell(1),
                    )
                if only_to_keep and self._cache is None:
                    raise WorkloadError(self.trouble)
                self._warn()

    @contextmanager
    def _kept(self, count: int) -> Iterator[None]:
        """Have the cache to write to, as long as it works."""
        with ExitStack() as stack:
            if self._cache is not None:
                try:
                    stack.enter_context(self._cache.writing(count))
                except CacheError as error:
                    self._give_up_cache(error)
            yield

    def _make_one(self, place: Callable[[int], NDArray[Any]], index: int) -> None:
        cache, out, path = self._cache, place(index), self._paths[index]
        if cache is None:
            preprocess(read_image(path), self.preprocessing, out)
            return
        stamp = Stamp.of(path)
        # Another process may have made it while this one waited.
        if cache.read(stamp, out):
            return
        preprocess(read_image(path), self.preprocessing, out)
        try:
            cache.write(stamp, out)
        except CacheError as error:
            self._give_up_cache(error)

    def _give_up_cache(self, error: CacheError) -> None:
        """Go on without; any worker may find out, so the warning is left to `_warn`."""
        self._cache = None
        self.trouble = f"{error}; until then samples are preprocessed at each load"

    def _warn(self) -> None:
        if self.trouble and not self._has_warned:
            self._has_warned = True
            warnings.warn(self.trouble, RuntimeWarning, stacklevel=3)
