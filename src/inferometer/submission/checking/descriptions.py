"""Descriptions: of the system, and of how a result was made on it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from inferometer.rounds import Round
from inferometer.submission.checking.notebook import Notebook
from inferometer.submission.checking.numbers import count_in
from inferometer.submission.places import ResultPlace
from inferometer.submission.tree import Tree, TreeError, shown

__all__ = ["check_measurements", "check_system"]

_FORMAT = re.compile(r"\b(?:u?int|bfloat|float|bf|fp|[iu](?=8|16))\s?-?\d{1,3}\b|\bbinary\b")
_LONGEST_VALUE = 80


def check_system(tree: Tree, place: ResultPlace, round_: Round, notebook: Notebook) -> None:
    """Check ``systems/<system>.json``."""
    where = (*place.submitter_parts, "systems", f"{place.system}.json")
    is_there = tree.has_file(*where)
    others = ", ".join(tree.files(*where[:-1])[:8]) or "no descriptions at all"
    seen = where[-1] if is_there else f"there is {others}"
    if not notebook.judge("system.file-missing", where, is_there, seen):
        return
    system = _object(tree, where, "system.damaged", notebook)
    if system is None:
        return
    keys = round_.system_keys
    _check_keys(system, keys.required, where, "system.field-missing", notebook)
    if not keys.allows_others:
        known = {*keys.required, *keys.optional, *keys.network}
        _check_known(system, known, where, "system.field-unknown", notebook)
    filled = keys.filled or keys.required
    empty = [key for key in filled if str(system.get(key, "-")).strip() == ""]
    notebook.judge("system.field-empty", where, not empty, ", ".join(empty))
    wrong = [key for key in keys.integers if count_in(str(system.get(key, ""))) is None]
    notebook.judge("system.not-a-number", where, not wrong, ", ".join(wrong))
    for key in ("submitter", "division"):
        if key in system:
            folder = getattr(place, key)
            seen = f"{_value(system[key])}, in the folder {folder}"
            notebook.judge(f"system.{key}", where, system[key] == folder, seen)
    _check_status(system, keys.values.get("status", ()), where, notebook)
    kind, kinds = str(system.get("system_type", "")), keys.values.get("system_type", ())
    is_kind = kind.strip().lower() in kinds
    notebook.judge("system.type", where, is_kind, _value(kind))
    _check_network(system, place, keys.network, where, notebook)


def _check_network(
    system: Mapping[str, Any],
    place: ResultPlace,
    keys: Sequence[str],
    where: tuple[str, ...],
    notebook: Notebook,
) -> None:
    """Check that a system behind a network is in its division, and says what the network is."""
    is_network = str(system.get("is_network", False)).strip().lower() in ("true", "1", "yes")
    is_right = place.division == "open" or is_network == (place.division == "network")
    seen = f"is_network {_value(system.get('is_network', 'missing'))}"
    notebook.judge("system.network", where, is_right, seen)
    missing = [key for key in keys if is_network and not str(system.get(key) or "").strip()]
    notebook.judge("system.network-field-missing", where, not missing, ", ".join(missing))


def _check_status(
    system: Mapping[str, Any], words: Sequence[str], where: tuple[str, ...], notebook: Notebook
) -> None:
    status = system.get("status")
    if not isinstance(status, str):
        return
    if words and status.strip().lower() not in words:
        notebook.fails("system.status", where, f"{_value(status)}, not {', '.join(words)}")
    else:
        notebook.declares("system.status", where, _value(status))


def check_measurements(
    tree: Tree,
    place: ResultPlace,
    round_: Round,
    *,
    with_code: bool,
    notebook: Notebook,
) -> None:
    """Check the measurements of a result, and whether the code that they name is there.

    In v0.5 they lie in a tree of their own, later beside the result.
    """
    is_beside = "{system}" not in round_.files.description
    where = (*place.submitter_parts, "measurements", *place.parts[3:])
    if is_beside:
        where = place.parts
    is_there = tree.has_folder(*where)
    seen = "" if is_there else _nearest(tree, where)
    if not notebook.judge("measurements.folder-missing", where, is_there, seen):
        return
    for name in round_.files.measurements:
        is_file = tree.has_file(*where, name)
        seen = "" if is_file else "missing"
        notebook.judge("measurements.file-missing", (*where, name), is_file, seen)
        if is_file and name in round_.files.filled and not tree.size_bytes(*where, name):
            notebook.fails("tree.empty-file", (*where, name), "empty")
    pattern = round_.files.description.replace("{system}", place.system)
    name = pattern if is_beside else _description_name(tree, where, place)
    if is_beside:
        _check_source(tree, place, round_, with_code=with_code, notebook=notebook)
        if not tree.has_file(*where, name):
            return
    else:
        seen = name or f"there is no {pattern}"
        if not notebook.judge("measurements.file-missing", where, bool(name), seen):
            return
        _check_code(tree, place, round_, name, with_code=with_code, notebook=notebook)
    _check_implementation(tree, (*where, name), round_, place, notebook)


def _check_source(
    tree: Tree, place: ResultPlace, round_: Round, *, with_code: bool, notebook: Notebook
) -> None:
    """Check that the submitter's folder of sources is there, which all results share."""
    where = (*place.submitter_parts, round_.files.source_folder)
    if not with_code:
        notebook.cannot("code.folder-missing", where, "the tree comes without code")
        return
    is_there = tree.has_folder(*where)
    notebook.judge("code.folder-missing", where, is_there, "" if is_there else "missing")


def _nearest(tree: Tree, where: tuple[str, ...]) -> str:
    """Say what is there where a folder of measurements is missing."""
    for depth in range(len(where) - 1, 2, -1):
        if tree.has_folder(*where[:depth]):
            there = ", ".join(tree.folders(*where[:depth])[:8]) or "nothing"
            return f"no {shown(where[depth])} there, but {shown(there)}"
    return "no measurements at all"


def _description_name(tree: Tree, where: tuple[str, ...], place: ResultPlace) -> str:
    """Find the JSON file that begins with the system's name; one for the scenario goes first."""
    names = [
        name
        for name in tree.files(*where)
        if name.startswith(place.system) and name.endswith(".json")
    ]
    for_scenario = [name for name in names if name.endswith(f"_{place.scenario}.json")]
    return next(iter([*for_scenario, *names]), "")


def _check_implementation(
    tree: Tree,
    where: tuple[str, ...],
    round_: Round,
    place: ResultPlace,
    notebook: Notebook,
) -> None:
    found = _object(tree, where, "measurements.damaged", notebook)
    if found is None:
        return
    keys = round_.measurement_keys
    _check_keys(found, keys, where, "measurements.field-missing", notebook)
    _check_known(found, set(keys), where, "measurements.field-unknown", notebook)
    empty = [key for key in keys if str(found.get(key, "-")).strip() == ""]
    notebook.judge("measurements.field-empty", where, not empty, ", ".join(empty))
    if "retraining" in found:
        notebook.declares("measurements.retraining", where, _value(found["retraining"]))
    if "weight_data_types" in found:
        _check_formats(str(found["weight_data_types"]), place, where, round_, notebook)


def _check_formats(
    stated: str, place: ResultPlace, where: tuple[str, ...], round_: Round, notebook: Notebook
) -> None:
    """Check the number formats that a text names; free texts name more than the weights' own."""
    rule_id = "measurements.number-format"
    words = [re.sub(r"[\s-]", "", word) for word in _FORMAT.findall(stated.lower()[:2000])]
    if not words:
        notebook.cannot(rule_id, where, f"no number format in {_value(stated)}")
        return
    if place.division != "closed":
        notebook.declares(rule_id, where, f"open division: {_value(stated)}")
        return
    meant = {word: round_.number_format_of(word) for word in words}
    others = [word for word in words if meant[word] is None]
    named = sorted({name for name in meant.values() if name is not None})
    seen = f"{', '.join(others)} in {_value(stated)}" if others else ", ".join(named)
    notebook.judge(rule_id, where, not others, seen)


def _check_code(
    tree: Tree,
    place: ResultPlace,
    round_: Round,
    name: str,
    *,
    with_code: bool,
    notebook: Notebook,
) -> None:
    """Check that the folder of the implementation is there."""
    ending = f"_{place.scenario}.json" if name.endswith(f"_{place.scenario}.json") else ".json"
    implementation = name.removesuffix(ending)[len(place.system) + 1 :]
    where = (*place.submitter_parts, round_.files.source_folder, place.benchmark, implementation)
    if not with_code:
        notebook.cannot("code.folder-missing", where, "the tree comes without code")
        return
    is_there = tree.has_folder(*where)
    if not implementation:
        # Some name no implementation; then the benchmark's folder has to hold something.
        where = where[:-1]
        is_there = bool(tree.folders(*where) or tree.files(*where))
    notebook.judge("code.folder-missing", where, is_there, "" if is_there else "missing")


def _object(
    tree: Tree, where: tuple[str, ...], rule_id: str, notebook: Notebook
) -> dict[str, Any] | None:
    """Read a JSON object whose values are texts; note what is wrong with it."""
    try:
        found = tree.json(*where)
    except TreeError as error:
        notebook.fails(rule_id, where, str(error))
        return None
    if not isinstance(found, dict):
        notebook.fails(rule_id, where, "not an object of names and values")
        return None
    others = [key for key, value in found.items() if isinstance(value, (dict, list))]
    notebook.judge(rule_id, where, not others, ", ".join(map(shown, others)))
    return found


def _check_keys(
    found: Mapping[str, Any],
    required: Sequence[str],
    where: tuple[str, ...],
    rule_id: str,
    notebook: Notebook,
) -> None:
    missing = [key for key in required if found.get(key) is None]
    notebook.judge(rule_id, where, not missing, ", ".join(missing))


def _check_known(
    found: Mapping[str, Any],
    known: set[str],
    where: tuple[str, ...],
    rule_id: str,
    notebook: Notebook,
) -> None:
    unknown = [shown(key) for key in found if key not in known]
    notebook.judge(rule_id, where, not unknown, ", ".join(unknown))


def _value(value: object) -> str:
    text = shown(str(value))
    return repr(text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…")
