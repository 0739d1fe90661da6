"""Submission requests: what a tree is to be built from, for whom, and where."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from inferometer.loadgen import Finding, InferometerError, nearest_name
from inferometer.rounds import Round
from inferometer.runs.request import CLOSED, NETWORK

__all__ = ["RefusedError", "SubmissionError", "SubmissionRequest", "check_name"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


class SubmissionError(InferometerError):
    """A submission can't be built as it was asked for; the message says what mends it."""


class RefusedError(SubmissionError):
    """Runs don't belong into the submission; ``findings`` say which rules they break."""

    def __init__(self, findings: tuple[Finding, ...]):
        self.findings = findings
        lines = (f"[{f.rule.id}] {f.rule.title}: {f.seen}; {f.rule.remedy}" for f in findings)
        super().__init__("nothing was written:\n" + "\n".join(lines))


def check_name(what: str, name: str) -> str:
    """Give a name that may be one folder of a tree; raise `SubmissionError` for others."""
    if not _NAME.fullmatch(name):
        raise SubmissionError(
            f"{what} is {name!r}; it names a folder, so it takes up to 100 letters, digits and "
            ". _ - +, beginning with a letter or digit"
        )
    return name


@dataclass(frozen=True)
class SubmissionRequest:
    """Everything that is asked of a submission.

    tree:
        The folder that holds the divisions; it may be there already.
    benchmark:
        The benchmark's folder in place of the official name, or, in the open division, of
        the workload's.
    implementation:
        Name of the implementation in place of one made from the backend's.
    measurements:
        Keys of the measurements' JSON file with values that override what is known.
    demo:
        Take small data and shortened runs, marked as such; never in the closed division.
    replace:
        Put results in the place of those that the tree has already.
    """

    runs: tuple[Path, ...]
    book: Round
    division: str
    submitter: str
    system_id: str
    tree: Path
    system_file: Path | None = None
    benchmark: str | None = None
    implementation: str | None = None
    code: Path | None = None
    calibration: Path | None = None
    checklist: Path | None = None
    audit: Path | None = None
    measurements: Mapping[str, str] = field(default_factory=dict)
    demo: bool = False
    replace: bool = False

    @property
    def is_closed(self) -> bool:
        """Whether the closed division's rules hold."""
        return self.division in (CLOSED, NETWORK)

    @property
    def is_network(self) -> bool:
        """Whether the system is on the other side of a network."""
        return self.division == NETWORK

    def check(self) -> None:
        """Raise `SubmissionError` for what can't be right whatever was recorded."""
        known = self.book.divisions
        if self.division not in known:
            raise SubmissionError(
                f"there is no division {self.division!r}{nearest_name(self.division, known)}; "
                f"known: {', '.join(known)}"
            )
        if self.demo and self.is_closed:
            raise SubmissionError(
                f"a demo never goes into the {self.division} division; use --division open"
            )
        check_name("--submitter", self.submitter)
        check_name("--system-id", self.system_id)
        for option, name in (
            ("--benchmark", self.benchmark),
            ("--implementation", self.implementation),
        ):
            if name is not None:
                check_name(option, name)
        for key in self.measurements:
            if key not in self.book.measurement_keys:
                raise SubmissionError(
                    f"--measurement {key}: there is no such key"
                    f"{nearest_name(key, self.book.measurement_keys)}; round {self.book.name} has "
                    f"{', '.join(self.book.measurement_keys)}"
                )
