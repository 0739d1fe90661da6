"""Shelf: loaded models within reach, so that trials which only serve differently share one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends import BackendOptions, get_backend
from inferometer.runs import RunRequest, SystemOptions
from inferometer.runs.loaded import LoadedWorkload
from inferometer.workloads import InputLibrary

__all__ = ["KeptLibrary", "Shelf"]

_MOST_LOADED = 6
_WARM_UP_S = 0.1
_PROBE_S = 0.05


class KeptLibrary:
    """A sample library that goes on holding what was loaded; trials don't load it again."""

    def __init__(self, library: InputLibrary):
        self._library = library
        self._held: NDArray[np.int64] = np.empty(0, np.int64)
        self.name = library.name
        self.total_sample_count = library.total_sample_count
        self.performance_sample_count = library.performance_sample_count

    def load(self, indices: NDArray[np.int64]) -> None:
        """Load what isn't held yet; int64 [n], repetitions allowed."""
        wanted = np.union1d(self._held, indices)
        if len(wanted) > len(self._held):
            self._library.load(wanted)
            self._held = wanted

    def unload(self, indices: NDArray[np.int64]) -> None:
        """Do nothing: the samples stay."""

    def inputs(self, indices: NDArray[np.integer[Any]]) -> Mapping[str, NDArray[Any]]:
        """Give the model's inputs for loaded samples."""
        return self._library.inputs(indices)


class Shelf:
    """Loads models for trials and keeps the few that were used last.

    The samples are loaded once for all. A backend whose ``threads`` are set for the whole
    process, which says so by ``threads_are_global``, has one model loaded at a time.
    """

    def __init__(self, request: RunRequest, note: Callable[[str], None]):
        self._request = request
        self._note = note
        is_global = getattr(get_backend(request.backend), "threads_are_global", False)
        self._most = 1 if is_global else _MOST_LOADED
        # Backend options hold a mapping, so they can be compared but not hashed.
        self._loaded: list[tuple[BackendOptions, LoadedWorkload]] = []
        first = LoadedWorkload(request, note)
        first.follow_loading(note)
        first.library = self._library = KeptLibrary(first.library)
        first.warm_up()
        self.info = first.workload.info
        self.pace = first.pace
        self.model_bytes = first.model_bytes
        self.description = dict(first.backend_description)
        first.close()

    def take(self, options: SystemOptions) -> LoadedWorkload:
        """Give a model that runs and is served so, loaded already or now."""
        for place, (backend, loaded) in enumerate(self._loaded):
            if backend == options.backend:
                self._loaded.append(self._loaded.pop(place))
                loaded.serve_by(options.serving)
                return loaded
        while len(self._loaded) >= self._most:
            self._loaded.pop(0)[1].close()
        loaded = self.fresh(options)
        self._loaded.append((options.backend, loaded))
        return loaded

    def fresh(self, options: SystemOptions) -> LoadedWorkload:
        """Give a model that was loaded just now and run a few times; the caller closes it."""
        loaded = LoadedWorkload(self._request.set_up(options), self._note, self._library)
        loaded.warm_up(_WARM_UP_S, _PROBE_S)
        return loaded

    def clear(self) -> None:
        """Let all models go."""
        while self._loaded:
            self._loaded.pop()[1].close()
