"""Rescoring: accuracy computed anew from the recorded answers, where the data are here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inferometer.loadgen import InferometerError, ResponseReader
from inferometer.runs.recorder import scored_answers
from inferometer.submission.building.candidate import RecordedTest
from inferometer.workloads import WorkloadOptions, get_workload

__all__ = ["has_answers", "rescored_line"]

_RESPONSES = "responses.bin"


def has_answers(test: RecordedTest) -> bool:
    """Tell whether the answers of a test were kept."""
    folder = test.result.folder
    return folder is not None and (folder / _RESPONSES).is_file()


def rescored_line(test: RecordedTest) -> str | None:
    """Give the line of accuracy.txt that the answers come to; ``None`` without data or answers."""
    folder = test.result.folder
    if folder is None or not has_answers(test):
        return None
    try:
        workload = get_workload(str(test.session.workload["name"]), _options(test))
        # One's own data know their truth once they have been listed.
        workload.library()
        answers = scored_answers(test.result.recording, ResponseReader(folder / _RESPONSES))
        return workload.score(answers).line
    except (InferometerError, OSError):
        return None


def _options(test: RecordedTest) -> WorkloadOptions:
    """Give what decides the data set and how answers are read."""
    data, extra = test.options.get("data"), test.options.get("extra")
    chosen: dict[str, Any] = {}
    if isinstance(data, str):
        chosen["data"] = Path(data)
    if isinstance(extra, dict):
        chosen["extra"] = {str(name): str(value) for name, value in extra.items()}
    count = test.options.get("count")
    if isinstance(count, int):
        chosen["count"] = count
    model = test.options.get("model")
    if isinstance(model, str):
        chosen["model"] = Path(model)
    return WorkloadOptions(**chosen)
