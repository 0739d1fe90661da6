"""Recorded: comparisons read from folders, whatever machine they were measured on."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path

from inferometer.comparing.comparison import Comparison
from inferometer.comparing.folder import ACCURACY, block_place, read_plan
from inferometer.comparing.judging import compared_scenarios, judged_group
from inferometer.comparing.option import OptionError
from inferometer.comparing.option_record import OptionRecord, accuracy_of, record_of
from inferometer.comparing.plan import Candidate, Group, confidence_of
from inferometer.loadgen import CONFIDENCE, InferometerError
from inferometer.runs import Session, load_session, load_sessions
from inferometer.runs.folder import SESSION

__all__ = ["compare_folders", "load_comparison"]


def load_comparison(folder: Path) -> Comparison:
    """Read a comparison that was measured, judging all of its recordings anew.

    Raises `ComparisonFolderError` if it is none.
    """
    plan = read_plan(folder)
    groups = []
    pairs = sum(len(list(itertools.combinations(group.candidates, 2))) for group in plan.groups)
    for group in plan.groups:
        blocks = range(len(plan.orders.get(group.name, ())))
        records = [_record(folder, group, one, blocks) for one in group.candidates]
        significance = (1 - CONFIDENCE) / max(1, pairs)
        groups.append(
            judged_group(group.name, records, plan.confidence, significance, is_interleaved=True)
        )
    counts = [len(plan.orders.get(group.name, ())) for group in plan.groups]
    return Comparison(
        groups=tuple(groups),
        comparisons=plan.comparisons,
        confidence=plan.confidence,
        blocks=max(counts, default=0),
        is_complete=min(counts, default=0) >= plan.blocks,
        command=plan.command,
        started_at=plan.started_at,
        seed=plan.seed,
        seconds=plan.seconds,
        folder=folder,
    )


def _record(
    folder: Path, group: Group, candidate: Candidate, blocks: Iterable[int]
) -> OptionRecord:
    failure = group.failed.get(candidate.label, "")
    measured = _session_at(block_place(folder, group, candidate, None))
    sessions = [
        (block, session)
        for block in blocks
        if (session := _session_at(block_place(folder, group, candidate, block))) is not None
    ]
    accuracy = None if measured is None else accuracy_of([measured])
    return record_of(candidate.label, sessions, accuracy, candidate.asked, failure)


def _session_at(place: Path) -> Session | None:
    """Read a session; ``None`` for one that was cut off before it had a test."""
    try:
        return load_session(place)
    except InferometerError:
        return None


def compare_folders(folders: Sequence[Path], command: str = "") -> Comparison:
    """Compare recorded runs, each folder one option: a run, or several of the same kind.

    A folder may hold sessions of several workloads; they are compared workload by workload.
    Of folders that hold different workloads, one each, these are compared with each other.
    Raises `RunFolderError` for a folder that holds no run.
    """
    if len(folders) < 2:
        raise OptionError("one run folder alone can't be compared; give two or more")
    labels = _labels(folders)
    sessions = {label: _sessions(folder) for label, folder in zip(labels, folders, strict=True)}
    names = dict.fromkeys(
        str(one.workload.get("name")) for found in sessions.values() for one in found
    )
    common = [
        name
        for name in names
        if all(any(one.workload.get("name") == name for one in some) for some in sessions.values())
    ]
    records = {
        name or " / ".join(names): [
            _of_sessions(label, found, name) for label, found in sessions.items()
        ]
        for name in (common or [""])
    }
    pairs = len(list(itertools.combinations(folders, 2)))
    comparisons = pairs * sum(len(compared_scenarios(some)) for some in records.values())
    confidence = confidence_of(comparisons)
    significance = (1 - CONFIDENCE) / (pairs * len(records))
    groups = tuple(
        judged_group(name, some, confidence, significance, is_interleaved=False)
        for name, some in records.items()
    )
    return Comparison(groups, comparisons, confidence, blocks=0, command=command)


def _labels(folders: Sequence[Path]) -> list[str]:
    """Give names that tell the folders apart: the last parts of their paths that do."""
    paths = [folder.resolve() for folder in folders]
    for depth in range(1, max(len(path.parts) for path in paths) + 1):
        labels = ["/".join(path.parts[-depth:]) for path in paths]
        if len(set(labels)) == len(labels):
            return labels
    # The same folder twice is the same run twice; a number tells the two apart.
    return [f"{folder} ({number})" for number, folder in enumerate(folders, start=1)]


def _sessions(folder: Path) -> list[Session]:
    """Read a run, the runs of a suite, or several runs of the same kind, as they lie."""
    if (folder / SESSION).is_file() or any(folder.glob(f"*/{SESSION}")):
        return load_sessions(folder)
    places = sorted(path.parent for path in folder.rglob(SESSION))
    # Of a comparison's option, the blocks; its accuracy was measured by itself.
    return [load_session(place) for place in places] or load_sessions(folder)


def _of_sessions(label: str, sessions: Sequence[Session], name: str) -> OptionRecord:
    some = [one for one in sessions if not name or one.workload.get("name") == name]
    blocks = [one for one in some if one.folder.name != ACCURACY]
    return record_of(
        label, list(enumerate(blocks)), accuracy_of(some), _asked(some[0]) if some else None
    )


def _asked(session: Session) -> dict[str, str]:
    """Give what a recorded run shows of how it was asked for; it explains what follows."""
    options = session.workload.get("options", {})
    asked = {
        "backend": str(session.backend.get("name", "")),
        "workload": str(session.workload.get("name", "")),
        "number-format": str(options.get("number_format", "fp32")),
        "model": str(options.get("model", "")),
        "weights": str(options.get("weights", "published")),
    }
    return {name: value for name, value in asked.items() if value}
