"""System description: ``systems/<system>.json`` of a submitter, found and read."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inferometer.loadgen import Finding
from inferometer.submission.places import ResultPlace
from inferometer.submission.published.findings import odd
from inferometer.submission.published.values import count_of, name_like, text_of
from inferometer.submission.published.vocabulary import (
    OTHER,
    UNKNOWN,
    framework_family,
    processor_kind,
)
from inferometer.submission.tree import Tree, TreeError, shown

__all__ = ["SystemFacts", "read_system"]

_FOLDER = "systems"
_STATUS = ("available", "preview", "rdi")
_LONGEST_NAME = 100
_ALIKE = 0.7
"""Share of letters that two names have in common when one is taken for the other."""


@dataclass(frozen=True)
class SystemFacts:
    """What a description says of a system, as columns of a row, and what was odd about it."""

    columns: Mapping[str, Any]
    findings: tuple[Finding, ...]


def read_system(tree: Tree, place: ResultPlace) -> SystemFacts:
    """Read the description that belongs to a result; nothing but findings if there is none.

    If no file is named like the folder of the results, the most similar of those that no other
    folder claims is taken, and that is told.
    """
    found: list[Finding] = []
    name = _file_of(tree, place, found)
    if name is None:
        return SystemFacts({}, tuple(found))
    parts = (*place.submitter_parts, _FOLDER, name)
    try:
        values = tree.json(*parts)
    except TreeError as error:
        return SystemFacts({}, (*found, odd("published.system-damaged", str(error))))
    if not isinstance(values, dict):
        seen = f"{shown('/'.join(parts))}: not a JSON object"
        return SystemFacts({}, (*found, odd("published.system-damaged", seen)))
    _compare(values, place, found)
    return SystemFacts(_columns(values, found), tuple(found))


def _file_of(tree: Tree, place: ResultPlace, found: list[Finding]) -> str | None:
    files = [name for name in tree.files(*place.submitter_parts, _FOLDER) if _is_json(name)]
    wanted = f"{place.system}.json"
    name = name_like(files, wanted)
    if name is None:
        claimed = {f"{system}.json" for system in tree.folders(*place.submitter_parts, "results")}
        name = _most_alike([file for file in files if file not in claimed], place.system)
    if name is None:
        found.append(odd("published.system-missing", f"{place.division}/{place.submitter}/"
                         f"{_FOLDER}/{wanted}"))  # fmt: skip
    elif name != wanted:
        found.append(odd("published.system-elsewhere", f"{name} for {place.system}"))
    return name


def _is_json(name: str) -> bool:
    return name.lower().endswith(".json")


def _most_alike(files: list[str], system: str) -> str | None:
    """Give the file whose name is most like the system's, letters and digits alone."""
    likeness = {name: _likeness(name.rsplit(".", 1)[0], system) for name in files}
    best = max(likeness, key=lambda name: likeness[name], default=None)
    return best if best is not None and likeness[best] >= _ALIKE else None


def _likeness(first: str, second: str) -> float:
    """Give the share of letters and digits that two names have in common."""
    return difflib.SequenceMatcher(None, _letters(first), _letters(second)).ratio()


def _letters(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())[:_LONGEST_NAME]


def _compare(values: Mapping[str, Any], place: ResultPlace, found: list[Finding]) -> None:
    """Compare who and where the description says it is with the folders it lies in."""
    for key, folder in (("submitter", place.submitter), ("division", place.division)):
        written = text_of(values.get(key))
        if written != folder:
            seen = f"{key} {written!r} in folder {folder!r}" if written else f"no {key}"
            found.append(odd(f"published.{key}-differs", seen))


def _columns(values: Mapping[str, Any], found: list[Finding]) -> dict[str, Any]:
    nodes = count_of(values.get("number_of_nodes"))
    accelerator = text_of(values.get("accelerator_model_name"))
    each = count_of(values.get("accelerators_per_node"))
    host = text_of(values.get("host_processor_model_name"))
    kind = processor_kind(accelerator, each, host)
    framework = text_of(values.get("framework"))
    family = framework_family(framework)
    if kind == UNKNOWN:
        found.append(odd("published.processor-unknown", accelerator or "neither is named"))
    if family in (OTHER, UNKNOWN):
        found.append(odd("published.framework-unknown", framework or "none is named"))
    return {
        "system_name": text_of(values.get("system_name")),
        "status": _status(values, found),
        "processor_kind": kind,
        "accelerator": accelerator,
        "accelerator_count": 0 if accelerator is None else _times(each, nodes),
        "host_processor": host,
        "host_processor_count": _times(count_of(values.get("host_processors_per_node")), nodes),
        "node_count": nodes,
        "framework": framework,
        "framework_family": family,
        "operating_system": text_of(values.get("operating_system")),
    }


def _status(values: Mapping[str, Any], found: list[Finding]) -> str | None:
    written = text_of(values.get("status"))
    status = written.lower() if written else None
    if status not in _STATUS:
        found.append(odd("published.status-unknown", repr(written) if written else "none is told"))
    return status


def _times(each: int | None, nodes: int | None) -> int | None:
    """Give how many there are in all; a number of nodes that isn't told counts as one."""
    return None if each is None else each * (nodes or 1)
