"""Descriptions: what the v6.1 round's checker asks of system and measurements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from inferometer.loadgen import Scenario
from inferometer.submission.checking.published_v6_1.case import Case, judged
from inferometer.submission.checking.published_v6_1.files import StopsError

__all__ = ["check_table_row", "measurement_reasons", "system_reasons"]

_CAUGHT = (TypeError, ValueError, KeyError)


def system_reasons(case: Case) -> Iterator[str]:
    """Say what is bad about the description of the system."""
    yield from judged("the status", _status, case)
    kinds = case.round.system_keys.values["system_type"]
    yield from judged("the kind of system", _is_one_of, "system_type", kinds, case)
    yield from judged("the network", _network, case)
    yield from judged("the fields", _fields, case)
    for key in ("submitter", "division"):
        yield from judged(f"the {key}", _names, key, case)


def measurement_reasons(found: Any, case: Case) -> Iterator[str]:
    """Say what is bad about the measurements; ``found`` is their JSON, ``None`` if missing."""
    tree, files, home = case.tree, case.round.files, case.place.submitter_parts
    if not (
        tree.has_folder(*home, files.source_folder) or tree.has_file(*home, files.source_folder)
    ):
        yield f"there is no {files.source_folder}"
    for name in files.filled:
        if not tree.size_bytes(*case.place.parts, name):
            yield f"{name} is missing, or empty"
    if found is None:
        yield f"there is no {files.description}"
        return
    keys = case.round.measurement_keys
    yield from judged("the measurements", _filled, found, keys, keys)


def check_table_row(case: Case) -> None:
    """Raise `StopsError` if a result that passes can't be written into the checker's table."""
    scenario = case.place.scenario
    names = {word.value for word in Scenario} | {"Interactive"}
    if scenario not in names | {name.lower() for name in names}:
        raise StopsError(f"{scenario} isn't how the checker's table writes a scenario")
    try:
        for key in case.round.system_keys.integers:
            int(case.system[key])
        if case.system.get("sw_notes"):
            _ = (case.system.get("hw_notes") or "") + case.system["sw_notes"]
    except _CAUGHT as error:
        raise StopsError(f"the system doesn't fit into the checker's table: {error}") from error


def _status(case: Case) -> Iterator[str]:
    status = case.system.get("status").lower()
    if status not in case.round.system_keys.values["status"]:
        yield f"status {status}"


def _is_one_of(key: str, words: tuple[str, ...], case: Case) -> Iterator[str]:
    if case.system.get(key) not in words:
        yield f"{key} {case.system.get(key)}"


def _network(case: Case) -> Iterator[str]:
    word = case.system.get("is_network")
    is_network = word is not None and word.lower() == "true"
    if not case.is_open and is_network != (case.place.division == "network"):
        yield f"is_network is {word} in the division {case.place.division}"


def _fields(case: Case) -> Iterator[str]:
    keys = case.round.system_keys
    required = keys.required + (keys.network if case.system.get("is_network") else ())
    yield from _filled(case.system, required, keys.filled)


def _filled(found: Any, required: tuple[str, ...], filled: tuple[str, ...]) -> Iterator[str]:
    for key in required:
        if key not in found:
            yield f"{key} is missing"
        elif key in filled and not found[key]:
            yield f"{key} is empty"


def _names(key: str, case: Case) -> Iterator[str]:
    if case.system.get(key).lower() != getattr(case.place, key).lower():
        yield f"the system is of another {key}"
