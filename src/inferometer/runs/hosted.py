"""Hosted models of a request: a workload's parts, or a user's file, ready to be offered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends import BackendOptions, ModelFile, get_backend
from inferometer.hosting import HostedModel, HostOptions
from inferometer.loadgen import InferometerError
from inferometer.runs.model import load_model
from inferometer.runs.remote_model import names_on_server
from inferometer.runs.request import RunRequest
from inferometer.workloads import Workload

__all__ = ["hosted_file", "hosted_workload"]

_TRIED_SAMPLES = 2

Note = Callable[[str], None]


def hosted_workload(
    request: RunRequest, options: HostOptions, note: Note = lambda _: None
) -> list[HostedModel]:
    """Load a workload's model, to be offered by its name, or one for each of its parts.

    It is tried on a few samples, so that metadata tell shapes and types from the start; where
    the data aren't here, they do once a request has come.
    """
    workload, _, sessions = load_model(request, note)
    names = names_on_server(workload.info.name, list(sessions))
    models = {
        part: HostedModel(names[part], session, options) for part, session in sessions.items()
    }
    try:
        _try(workload, models)
    except InferometerError as error:
        note(f"shapes and types are not known before the first request: {error}")
    return list(models.values())


def hosted_file(
    path: Path, backend_name: str, backend_options: BackendOptions, options: HostOptions, name: str
) -> HostedModel:
    """Load a user's file, to be offered by a name."""
    backend = get_backend(backend_name)
    backend.version()
    file = ModelFile.of_user(path)
    return HostedModel(name, backend.load(file, backend_options), options)


def _try(workload: Workload, models: Mapping[str, HostedModel]) -> None:
    """Answer one sample, and some together: what differs then are open axes."""
    library = workload.library()
    several = np.arange(min(_TRIED_SAMPLES, library.total_sample_count))
    predict = workload.predictor({part: _Tried(model) for part, model in models.items()})
    library.load(several)
    for indices in (several[:1], several[1:], several):
        if len(indices):
            predict(indices, library.inputs(indices))
    library.unload(several)


class _Tried:
    """A hosted model in the place of its session."""

    def __init__(self, model: HostedModel):
        self._model = model
        signature = model.signature
        self.input_names, self.output_names = signature.input_names, signature.output_names
        self.description: Mapping[str, Any] = {}

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        return self._model.run(inputs)

    def close(self) -> None:
        pass
