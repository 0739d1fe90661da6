"""Layout: folders and files that a tree and each of its results have to have."""

from __future__ import annotations

from collections.abc import Sequence

from inferometer.loadgen import Scenario
from inferometer.rounds import Round
from inferometer.submission.checking.notebook import Notebook
from inferometer.submission.places import DIVISIONS, ResultPlace
from inferometer.submission.tree import Tree, shown

__all__ = ["check_run_folders", "check_tree_layout", "run_folders"]

_READ_PARTS = ("results", "systems", "measurements")
"""Folders of a submitter that checks read."""


def check_tree_layout(
    tree: Tree, places: Sequence[ResultPlace], submitter: str | None, notebook: Notebook
) -> None:
    """Check what belongs to no single result."""
    notebook.judge("tree.no-results", (), bool(places), f"{len(places)} results")
    _check_problems(tree, submitter, notebook)
    for name in tree.folders():
        if name not in DIVISIONS and not name.startswith("."):
            notebook.fails("tree.unknown-division", (name,), shown(name))
    for division in DIVISIONS:
        if tree.has_file(division):
            notebook.fails("tree.not-a-folder", (division,), "a file")
        _check_files(tree, (division,), notebook)
        for name in tree.folders(division):
            if submitter not in (None, name):
                continue
            if not tree.has_folder(division, name, "results"):
                notebook.fails("tree.no-results-folder", (division, name), "no folder results")
    _check_places(tree, submitter, notebook)


def _check_problems(tree: Tree, submitter: str | None, notebook: Notebook) -> None:
    """Note what the tree couldn't take in; what lies beside the results matters less."""
    for problem in tree.problems:
        parts = tuple(problem.where.split("/"))
        if submitter is not None and len(parts) > 2 and parts[1] != submitter:
            continue
        is_beside = len(parts) > 3 and parts[2] not in _READ_PARTS
        rule_id = "tree.left-alone-elsewhere" if is_beside else "tree.left-alone"
        notebook.fails(rule_id, parts, problem.why)


def _check_places(tree: Tree, submitter: str | None, notebook: Notebook) -> None:
    """Note files that stand where folders of systems, benchmarks and scenarios belong."""
    for division in DIVISIONS:
        for name in tree.folders(division):
            if submitter not in (None, name):
                continue
            results = (division, name, "results")
            if tree.has_file(*results):
                notebook.fails("tree.not-a-folder", results, "a file")
            for system in tree.folders(*results):
                _check_files(tree, (*results, system), notebook)
                for benchmark in tree.folders(*results, system):
                    _check_files(tree, (*results, system, benchmark), notebook)


def _check_files(tree: Tree, parts: tuple[str, ...], notebook: Notebook) -> None:
    """Note files that have the names of folders; a README.md beside folders does no harm."""
    for name in tree.files(*parts):
        if "." not in name and name.upper() != name:
            notebook.fails("tree.not-a-folder", (*parts, name), "a file")


def run_folders(tree: Tree, place: ResultPlace, count: int) -> list[tuple[str, ...]]:
    """Give the folders of a result's performance runs that are there, in order.

    As the published checker does, ``run1`` is taken for ``run_1``, and the performance folder
    itself for its one run.
    """
    performance = (*place.parts, "performance")
    found = []
    for number in range(1, count + 1):
        names = (f"run_{number}", f"run{number}")
        found += [(*performance, n) for n in names if tree.has_folder(*performance, n)][:1]
    if not found and tree.files(*performance):
        return [performance]
    return found


def check_run_folders(
    tree: Tree, place: ResultPlace, round_: Round, scenario: Scenario | None, notebook: Notebook
) -> list[tuple[str, ...]]:
    """Check that accuracy folder and performance runs are there, with their files.

    Gives the folders of the runs that are there.
    """
    count = round_.runs[scenario] if scenario else 1
    accuracy, performance = (*place.parts, "accuracy"), (*place.parts, "performance")
    for folder in (accuracy, performance):
        if tree.has_file(*folder):
            notebook.fails("tree.not-a-folder", folder, "a file")
        is_there = tree.has_folder(*folder)
        notebook.judge("tree.folder-missing", folder, is_there, _others(tree, place, folder[-1]))
    runs = run_folders(tree, place, count)
    _check_run_names(runs, performance, count, notebook)
    if tree.has_folder(*accuracy):
        _check_folder(tree, accuracy, round_.files.accuracy, round_, notebook)
    for run in runs:
        _check_folder(tree, run, round_.files.performance, round_, notebook)
    return runs


def _check_run_names(
    runs: Sequence[tuple[str, ...]], performance: tuple[str, ...], count: int, notebook: Notebook
) -> None:
    for run in runs:
        if not run[-1].startswith("run_"):
            notebook.fails("tree.run-folder-name", run, run[-1])
    if not runs:
        notebook.fails("tree.folder-missing", (*performance, "run_1"), "no run at all")
    seen = f"{len(runs)} of {count} runs"
    notebook.judge("result.runs", performance, len(runs) == count, seen)


def _others(tree: Tree, place: ResultPlace, wanted: str) -> str:
    """Say what is there instead of a folder, if that is its name in other letters."""
    near = [name for name in tree.folders(*place.parts) if name.lower() == wanted]
    return f"{wanted} is missing, there is {shown(near[0])}" if near and near[0] != wanted else ""


def _check_folder(
    tree: Tree,
    parts: tuple[str, ...],
    required: Sequence[str],
    round_: Round,
    notebook: Notebook,
) -> None:
    """Check the files of one folder, by name and by being more than nothing."""
    missing = [name for name in required if not tree.has_file(*parts, name)]
    for name in missing:
        notebook.fails("tree.file-missing", (*parts, name), "missing")
    if not missing:
        notebook.passes("tree.file-missing", parts, f"all {len(required)} files")
    for name in required:
        if tree.has_file(*parts, name) and not tree.size_bytes(*parts, name):
            notebook.fails("tree.empty-file", (*parts, name), "empty")
    known = {*required, *round_.files.ignored}
    extra = [name for name in tree.files(*parts) if name not in known]
    extra += [f"{name}/" for name in tree.folders(*parts)]
    if extra:
        notebook.fails("tree.extra-file", parts, ", ".join(extra))
