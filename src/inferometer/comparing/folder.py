"""Folder of a comparison: its plan, and a session folder for every run of every option.

Nothing that is concluded is read back: a comparison is judged anew from the recordings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inferometer.comparing.plan import Candidate, Group, Plan
from inferometer.loadgen import InferometerError, Scenario
from inferometer.runs.folder import write_json
from inferometer.runs.kept_request import request_from, request_mapping

__all__ = [
    "ACCURACY",
    "PLAN",
    "ComparisonFolderError",
    "block_place",
    "is_comparison",
    "read_plan",
    "write_plan",
]

PLAN = "plan.json"
"""What a comparison folder has, and no other."""

ACCURACY = "accuracy"
"""Folder of the session that measured a candidate's accuracy, before the first block."""

_FORMAT = "inferometer-comparison"
_VERSION = 1


class ComparisonFolderError(InferometerError):
    """A folder holds no comparison, or a damaged one."""


def is_comparison(folder: Path) -> bool:
    """Whether a folder holds a comparison."""
    return (folder / PLAN).is_file()


def block_place(folder: Path, group: Group, candidate: Candidate, block: int | None) -> Path:
    """Give the session folder of a candidate in a block; of its accuracy for ``None``."""
    place = folder / group.name / candidate.place(group.candidates.index(candidate))
    return place / (ACCURACY if block is None else f"block_{block + 1:03}")


def write_plan(folder: Path, plan: Plan) -> None:
    """Write the plan, with the orders of the blocks finished so far."""
    folder.mkdir(parents=True, exist_ok=True)
    values = {
        "format": _FORMAT,
        "version": _VERSION,
        "scenarios": [scenario.value for scenario in plan.scenarios],
        "blocks": plan.blocks,
        "seconds": plan.seconds,
        "seed": plan.seed,
        "precision": plan.precision,
        "budget_s": plan.budget_s,
        "command": plan.command,
        "started_at": plan.started_at,
        "orders": {name: [list(order) for order in rows] for name, rows in plan.orders.items()},
        "groups": [_group_mapping(group) for group in plan.groups],
    }
    write_json(folder / PLAN, values)


def _group_mapping(group: Group) -> dict[str, Any]:
    return {
        "name": group.name,
        "server_target_qps": group.server_target_qps,
        "failed": dict(group.failed),
        "candidates": [
            {
                "label": one.label,
                "asked": dict(one.asked),
                "request": request_mapping(one.request),
            }
            for one in group.candidates
        ],
    }


def read_plan(folder: Path) -> Plan:
    """Read the plan of a comparison; raise `ComparisonFolderError` naming what is wrong."""
    path = folder / PLAN
    if not path.is_file():
        raise ComparisonFolderError(
            f"{folder} holds no comparison: it has no {PLAN}; give a folder that `inferometer "
            "compare` wrote"
        )
    try:
        return _plan_from(json.loads(path.read_text("utf-8")), folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ComparisonFolderError(f"{path}: damaged ({error!r})") from error


def _plan_from(values: Mapping[str, Any], folder: Path) -> Plan:
    if values["format"] != _FORMAT or values["version"] != _VERSION:
        raise ValueError(f"format {values['format']!r}, version {values['version']!r}")
    return Plan(
        groups=tuple(_group_from(group, folder) for group in values["groups"]),
        scenarios=tuple(Scenario(word) for word in values["scenarios"]),
        blocks=int(values["blocks"]),
        seconds=float(values["seconds"]),
        seed=int(values["seed"]),
        precision=None if values["precision"] is None else float(values["precision"]),
        budget_s=None if values["budget_s"] is None else float(values["budget_s"]),
        command=str(values["command"]),
        started_at=str(values["started_at"]),
        orders={str(name): list(rows) for name, rows in values["orders"].items()},
    )


def _group_from(values: Mapping[str, Any], folder: Path) -> Group:
    rate = values["server_target_qps"]
    return Group(
        name=_plain_name(values["name"]),
        candidates=tuple(
            Candidate(
                str(one["label"]),
                {str(name): str(value) for name, value in one["asked"].items()},
                request_from(one["request"], folder, resumes=False),
            )
            for one in values["candidates"]
        ),
        server_target_qps=None if rate is None else float(rate),
        failed={str(name): str(why) for name, why in values["failed"].items()},
    )


def _plain_name(value: Any) -> str:
    """Give a group's name, which is a folder's: it may not lead anywhere else."""
    name = str(value)
    if Path(name).name != name or name in ("", ".", ".."):
        raise ValueError(f"{name!r} is no name of a group")
    return name
