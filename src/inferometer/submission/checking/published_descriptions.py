"""Descriptions as the published v0.5 checker judges them: systems, measurements, code."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Sequence
from typing import Any

from inferometer.rounds import Round
from inferometer.submission.checking.published_files import plain_text
from inferometer.submission.places import ResultPlace
from inferometer.submission.tree import Tree, TreeError, shown

__all__ = ["measurement_errors", "system_errors"]


def system_errors(tree: Tree, place: ResultPlace, round_: Round) -> list[str]:
    """Say what is wrong with the description of a good result's system."""
    where = (*place.submitter_parts, "systems", f"{place.system}.json")
    keys = round_.system_keys
    # The division is required only by a crash where it is missing, which comes to the same.
    found, errors = _json_errors(tree, where, keys.required, {*keys.required, *keys.optional})
    if not errors:
        errors = [
            f"{shown('/'.join(where))} names another {key}"
            for key in ("submitter", "division")
            if found.get(key) != getattr(place, key)
        ][:1]
    return errors


def measurement_errors(tree: Tree, place: ResultPlace, round_: Round) -> list[str]:
    """Say what is wrong with the measurements and the code of a good result."""
    where = (*place.submitter_parts, "measurements", *place.parts[3:])
    label = shown("/".join(where))
    if not tree.has_folder(*where):
        return [f"{label} is missing"]
    files = tree.files(*where)
    errors = [f"{label}/{n} is missing" for n in round_.files.measurements if n not in files]
    names = [n for n in files if fnmatch.fnmatchcase(n, f"{_literal(place.system)}*.json")]
    if not names:
        return [*errors, f"{label}/{shown(place.system)}*.json is missing"]
    name = names[0]
    keys = round_.measurement_keys
    errors += _json_errors(tree, (*where, name), keys, set(keys))[1]
    ending = f"_{place.scenario}.json"
    plain = name.removesuffix(ending if name.endswith(ending) else ".json")
    code = (*place.submitter_parts, round_.files.source_folder, place.benchmark)
    implementation = plain[len(place.system) + 1 :]
    if implementation:
        code = (*code, implementation)
    if not (tree.has_folder(*code) or tree.has_file(*code)):
        errors.append(f"{shown('/'.join(code))} is missing")
    return errors


def _json_errors(
    tree: Tree, where: tuple[str, ...], required: Sequence[str], known: set[str]
) -> tuple[dict[str, Any], list[str]]:
    """Read a JSON object as loosely as the checker does, and compare its keys."""
    label = shown("/".join(where))
    try:
        tree.json(*where)  # Refuses what would take all memory, or too deep a nesting.
    except TreeError as error:
        if "twice" not in str(error) and "is no number" not in str(error):
            return {}, [str(error)]
    try:
        found = json.loads(plain_text(tree, *where))
    except (TreeError, ValueError) as error:
        return {}, [f"{label}: {error}"]
    if not isinstance(found, dict):
        return {}, [f"{label} is no object"]
    errors = [f"{label}: {key} is missing" for key in required if found.get(key) is None]
    errors += [f"{label}: {shown(key)} is unknown" for key in found if key not in known]
    return found, errors


def _literal(name: str) -> str:
    """Write a name so that a pattern means just this name."""
    return re.sub(r"([\[*?])", r"[\1]", name)
