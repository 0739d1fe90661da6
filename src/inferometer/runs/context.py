"""Context: under which circumstances a session and each of its tests were measured.

What stays the same stands once, in ``session.json``; what varies is looked at before and
after every test, and stands in the notes of its recording. Comparisons read both.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inferometer.backends import get_backend
from inferometer.loadgen import Recording
from inferometer.runs.loaded import LoadedWorkload
from inferometer.runs.machine_state import Counters, look, shares_between
from inferometer.runs.request import RunRequest

__all__ = ["ContextWatch", "session_context"]

_PYTHON = ".py"
_DECIDE_THREADS = (
    "OMP_NUM_THREADS",
    "OMP_PROC_BIND",
    "OMP_WAIT_POLICY",
    "KMP_AFFINITY",
    "KMP_BLOCKTIME",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "CUDA_VISIBLE_DEVICES",
)


class ContextWatch:
    """Looks at the machine before and after a test."""

    def __init__(self) -> None:
        self._before = look()
        self._counters = Counters.now()

    def noted_in(self, recording: Recording) -> Recording:
        """Give the recording of the test with what was seen in its notes."""
        during = shares_between(self._counters, Counters.now())
        note = {
            "before": self._before,
            "during": during,
            "after": look(),
            "settings_sha256": _sha256_of(recording.settings.to_mapping()),
        }
        return dataclasses.replace(recording, notes={**recording.notes, "context": note})


def session_context(request: RunRequest, loaded: LoadedWorkload) -> dict[str, Any]:
    """Give what stays the same through a session, as plain names and values.

    threads:
        Of a model call, by scenario; what is left to the framework is left out.
    affinity:
        The processors that this process may run on.
    environment:
        Variables that decide how frameworks use the processor, of those that are set.
    data_sha256:
        Of some samples as the model gets them; see `data_sha256`.
    code:
        Hashes of the code that measured: of this package, and of files of the user's own.
    """
    threads = {
        scenario.value: count
        for scenario in request.chosen_scenarios
        if (count := request.for_scenario(scenario, loaded.model_bytes).backend_options.threads)
    }
    facts: dict[str, Any] = {
        "threads": threads,
        "affinity": sorted(os.sched_getaffinity(0)),
        "environment": {name: os.environ[name] for name in _DECIDE_THREADS if name in os.environ},
        "data_sha256": loaded.data_sha256,
        "code": _code(request, loaded),
    }
    return {name: value for name, value in facts.items() if value not in ({}, [], "")}


def _code(request: RunRequest, loaded: LoadedWorkload) -> dict[str, str]:
    """Give hashes by name: of the package, and of the user's files and plugins."""
    own = Path(__file__).parents[1]
    found = {"inferometer": _package_sha256(own)}
    things = (loaded.workload, get_backend(request.backend))
    modules = (sys.modules.get(type(thing).__module__) for thing in things)
    files = [Path(place) for module in modules if (place := getattr(module, "__file__", None))]
    model = request.workload_options.model
    if model is not None and _PYTHON in str(model):
        files.append(Path(str(model).partition(f"{_PYTHON}:")[0] + _PYTHON))
    for path in files:
        if own not in path.resolve().parents and own not in path.parents and path.is_file():
            found[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@functools.cache
def _package_sha256(folder: Path) -> str:
    """Hash every Python file below a folder, with its name."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob(f"*{_PYTHON}")):
        digest.update(f"{path.relative_to(folder)}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _sha256_of(values: Mapping[str, Any]) -> str:
    text = json.dumps(values, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
