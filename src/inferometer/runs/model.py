"""Model of a run: found, or made, in a format that the backend reads, and loaded."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from inferometer.backends import (
    BackendOptions,
    ModelFile,
    OptionsChecker,
    Session,
    backend_place,
    content_sha256,
    get_backend,
    load_isolated,
)
from inferometer.runs.remote_model import remote_models
from inferometer.runs.request import RunRequest, threads_of
from inferometer.workloads import Workload
from inferometer.workloads.for_backend import model_files, workload_for

__all__ = ["load_model", "model_hashes"]


def load_model(
    request: RunRequest, note: Callable[[str], None] = lambda _: None
) -> tuple[Workload, Mapping[str, ModelFile], dict[str, Session]]:
    """Load every part of the model into the backend; give the workload and the files with it.

    Raises `MissingBackendError`, and `BackendError` for what the backend refuses beforehand,
    before a model is looked for or made.
    """
    backend = get_backend(request.backend)
    backend.version()
    options = dataclasses.replace(
        request.backend_options, threads=threads_of(request.system_options)
    )
    if isinstance(backend, OptionsChecker):
        backend.check(options)
    workload = workload_for(request.workload, request.workload_options, backend)
    if getattr(backend, "is_remote", False):
        files = remote_models(workload, request.backend_options.extra)
    else:
        files = model_files(workload, request.workload_options, backend, note)
    sessions = {part: _loaded(request, file, options) for part, file in files.items()}
    return workload, files, sessions


def model_hashes(files: Mapping[str, ModelFile]) -> dict[str, str]:
    """Give the sha256 of each part's file or folder; what loading has checked is believed."""
    return {
        part: file.sha256 or content_sha256(file.path)
        for part, file in files.items()
        if file.sha256 or file.path.exists()
    }


def _loaded(request: RunRequest, file: ModelFile, options: BackendOptions) -> Session:
    """Load one part, in this process or in others."""
    backend, isolation = get_backend(request.backend), request.isolation
    if isolation is None:
        return backend.load(file, options)
    if getattr(backend, "is_isolated", False):
        extra = {"processes": str(isolation.processes), **options.extra}
        return backend.load(file, dataclasses.replace(options, extra=extra))
    return load_isolated(
        backend_place(request.backend),
        file,
        options,
        processes=isolation.processes,
        memory_limit_bytes=isolation.memory_limit_bytes,
    )
