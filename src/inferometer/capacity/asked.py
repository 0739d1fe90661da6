"""Asked: what the user asks of a search, and the file of its folder that keeps it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inferometer.capacity.bench import SearchError
from inferometer.capacity.question import Length, Question
from inferometer.capacity.reading import Bound
from inferometer.capacity.search import Goal
from inferometer.loadgen import Settings
from inferometer.runs import RunRequest
from inferometer.runs.kept_request import request_from, request_mapping

__all__ = ["SEARCH", "Asked", "Wishes"]

SEARCH = "search.json"
"""The file of a search folder that names what was asked, every run, and what they came to."""

_FORMAT = 2
_WORDS = ("system", "backend_description", "label", "started_at", "command")


@dataclass(frozen=True)
class Wishes:
    """What the user asks of a search, beside the request.

    run_s:
        Length of a whole run; ``None`` for the round's, or five seconds.
    start:
        First load; ``None`` for one sized by how fast the system seems.
    verify:
        How many runs in a row have to pass at the load that is given; 0 for none.
    budget_s:
        The search ends after so many seconds of load; the verification comes on top.
    """

    precision: float = 0.1
    confidence: float = 0.95
    pass_share: float = 0.9
    bound_ms: float | None = None
    percentile: float | None = None
    run_s: float | None = None
    start: float | None = None
    verify: int = 5
    budget_s: float = 120.0
    most_runs: int = 15


@dataclass(frozen=True)
class Asked:
    """The request, the wishes and the question of a search, as its folder keeps them.

    head:
        What is written of the search whatever it comes to: plain names and values.
    identity:
        What has to be the same when it is gone on with.
    """

    request: RunRequest
    wishes: Wishes
    question: Question
    goal: Goal
    head: Mapping[str, Any]
    identity: Mapping[str, Any]

    def to_mapping(self) -> dict[str, Any]:
        """Give names and plain values, ready for JSON."""
        question = self.question
        return {
            "format": _FORMAT,
            **self.head,
            "identity": dict(self.identity),
            "request": request_mapping(self.request),
            "wishes": vars(self.wishes),
            "settings": question.settings.to_mapping(),
            "bound": vars(question.bound),
            "whole_run": {**vars(question.length), "by_the_book": question.by_the_book},
            "goal": _finite(vars(self.goal)),
        }

    @classmethod
    def read(cls, folder: Path) -> Asked:
        """Read what a search folder keeps; raise `SearchError` naming what is wrong."""
        path = folder / SEARCH
        if not path.is_file():
            raise SearchError(
                f"{folder} holds no search: it has no {SEARCH}; give a folder that "
                "`inferometer search` wrote"
            )
        try:
            return cls._from(json.loads(path.read_text("utf-8")), folder)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise SearchError(f"{path}: damaged ({error!r})") from error

    @classmethod
    def _from(cls, values: dict[str, Any], folder: Path) -> Asked:
        if values["format"] != _FORMAT:
            raise ValueError(f"format {values['format']!r}")
        whole = values["whole_run"]
        question = Question(
            Settings.from_mapping(values["settings"]),
            Bound(**values["bound"]),
            Length(whole["seconds"], whole["queries"]),
            whole["by_the_book"],
        )
        goal: dict[str, Any] = values["goal"]
        if goal["budget_s"] is None:
            goal["budget_s"] = math.inf
        return cls(
            request_from(values["request"], folder, resumes=True),
            Wishes(**values["wishes"]),
            question,
            Goal(**goal),
            {name: values[name] for name in _WORDS},
            values["identity"],
        )


def _finite(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give values with an infinite one as ``None``, as JSON has none."""
    return {name: None if value == math.inf else value for name, value in values.items()}
