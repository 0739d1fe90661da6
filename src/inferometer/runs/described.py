"""Described session: what its tests have in common, from its request and its loaded workload."""

from __future__ import annotations

import time

from inferometer.runs.context import session_context
from inferometer.runs.kept_request import plain_options
from inferometer.runs.loaded import LoadedWorkload
from inferometer.runs.request import RunRequest
from inferometer.runs.result import Session
from inferometer.runs.system import describe_system

__all__ = ["described_session"]


def described_session(request: RunRequest, loaded: LoadedWorkload) -> Session:
    """Give a session that begins now, without tests."""
    info = loaded.workload.info
    return Session(
        folder=request.output,
        workload={
            "name": info.name,
            "title": info.title,
            "task": info.task,
            "metric": info.metric,
            "unit": info.unit,
            "data_set": info.data_set,
            "samples": info.sample_count,
            "reference_accuracy": info.reference_accuracy,
            "target_accuracy": info.target_accuracy,
            "not_scored": info.not_scored,
            "options": plain_options(request.workload_options),
            "model_sha256": loaded.model_sha256,
            "model_bytes": loaded.model_bytes,
            **info.notes,
        },
        backend=loaded.backend_description,
        label=request.label,
        system=describe_system(),
        command=request.command,
        started_at=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        round="" if request.round is None else request.round.name,
        division=request.division,
        area=request.area,
        context=session_context(request, loaded),
    )
