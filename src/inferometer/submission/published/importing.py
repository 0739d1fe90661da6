"""Importing: a published round, or one's own runs, read into rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from inferometer.loadgen import Finding, InferometerError
from inferometer.rounds import Round, load_round, round_names
from inferometer.runs import load_sessions
from inferometer.runs.folder import SESSION
from inferometer.submission.places import DIVISIONS, ResultPlace, result_places, scenario_of
from inferometer.submission.published.accuracy import read_accuracy
from inferometer.submission.published.findings import odd, without_repetition
from inferometer.submission.published.measurement import read_measurement
from inferometer.submission.published.own import own_rows
from inferometer.submission.published.performance import read_runs, sum_up
from inferometer.submission.published.row import ResultRow
from inferometer.submission.published.run_log import RunLog
from inferometer.submission.published.system import read_system
from inferometer.submission.published.values import path_text
from inferometer.submission.published.vocabulary import UNKNOWN, round_of_seeds
from inferometer.submission.tree import Tree, TreeProblem, shown

__all__ = ["OWN", "Imported", "ReadingError", "import_folder"]

OWN = "own"
"""Who submitted one's own runs, unless another name is given."""

_MOST_REMARKS = 20
_PLACE_DEPTH = 6
"""Folders from the root of a tree to a result: division, submitter, results, and three more."""


class ReadingError(InferometerError):
    """A folder holds neither results of a round nor runs; the message names it."""


@dataclass(frozen=True)
class Imported:
    """What came of an import: rows, and remarks on what belongs to none of them."""

    rows: tuple[ResultRow, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Result:
    """A result that is being read: where it lies, its runs, and what was odd so far."""

    place: ResultPlace
    runs: list[RunLog]
    findings: list[Finding]


def import_folder(folder: Path, *, name: str = OWN, round_name: str | None = None) -> Imported:
    """Read a folder into rows: one of a published round, or one that `inferometer run` wrote.

    ``name`` is who submitted one's own runs. ``round_name`` says which round a tree belongs to,
    instead of what its logs say. Nothing in a tree stops the import; what is odd about a result
    is a finding of its row. Raises `ReadingError`, `TreeError` or `RunFolderError` if there is
    nothing to read at all.
    """
    if not any((folder / division).is_dir() for division in DIVISIONS) and _is_run(folder):
        sessions = load_sessions(folder)
        return Imported(tuple(row for one in sessions for row in own_rows(one, name)))
    return _import_round(Tree(folder), round_name)


def _is_run(folder: Path) -> bool:
    return (folder / SESSION).is_file() or next(folder.glob(f"*/{SESSION}"), None) is not None


def _import_round(tree: Tree, round_name: str | None) -> Imported:
    problems = _problems_by_place(tree)
    results = [
        _read_result(tree, place, problems.pop(shown(str(place)), []))
        for place in result_places(tree)
    ]
    if not results:
        raise ReadingError(
            f"{tree.root} holds no results; give the folder of a round, which holds closed/ or "
            "open/ with <submitter>/results/<system>/<benchmark>/<scenario>, or a run folder "
            f"with {SESSION}"
        )
    names = [round_name or _round_of(result.runs) for result in results]
    usual = Counter(name for name in names if name).most_common(1)
    by_default = usual[0][0] if usual else UNKNOWN
    rows = tuple(
        _row(tree, result, name or by_default) for result, name in zip(results, names, strict=True)
    )
    elsewhere = [problem for found in problems.values() for problem in found]
    remarks = [f"{one.where} was left alone: {one.why}" for one in elsewhere[:_MOST_REMARKS]]
    if len(elsewhere) > _MOST_REMARKS:
        remarks.append(f"{len(elsewhere) - _MOST_REMARKS:,} more were left alone")
    return Imported(rows, tuple(remarks))


def _problems_by_place(tree: Tree) -> dict[str, list[TreeProblem]]:
    """Give what was left alone in the tree, by the folder of the result that it lies in."""
    found: dict[str, list[TreeProblem]] = {}
    for problem in tree.problems:
        place = "/".join(problem.where.split("/")[:_PLACE_DEPTH])
        found.setdefault(place, []).append(problem)
    return found


def _read_result(tree: Tree, place: ResultPlace, problems: list[TreeProblem]) -> _Result:
    found: list[Finding] = []
    if scenario_of(place.scenario) is None:
        found.append(odd("published.scenario-unknown", shown(place.scenario)))
    found.extend(odd("published.file-left-alone", f"{p.where}: {p.why}") for p in problems)
    return _Result(place, read_runs(tree, place, found), found)


def _round_of(runs: list[RunLog]) -> str | None:
    """Tell the round by the seeds of the runs, else by their dialect; ``None`` without runs."""
    for run in runs:
        name = _known_round(run.seeds) or round_of_seeds(run.seeds)
        if name:
            return name
    if any(run.is_v05 for run in runs):
        return "v0.5"
    return UNKNOWN if runs else None


def _known_round(seeds: tuple[str | None, ...]) -> str | None:
    for name in round_names():
        asked = load_round(name).seeds
        if seeds == tuple(map(str, (asked.qsl, asked.sample_index, asked.schedule))):
            return name
    return None


def _row(tree: Tree, result: _Result, round_name: str) -> ResultRow:
    place, found = result.place, result.findings
    rules = load_round(round_name) if round_name in round_names() else None
    benchmark = rules.benchmark_of(place.benchmark) if rules else None
    found.extend(_of_benchmark(place, rules))
    scenario = scenario_of(place.scenario)
    performance = sum_up(result.runs, place, rules, benchmark)
    accuracy = read_accuracy(tree, place, benchmark)
    system = read_system(tree, place)
    measurement = read_measurement(tree, place, rules)
    parts = (performance, accuracy, system, measurement)
    return ResultRow(
        round=round_name,
        division=place.division,
        submitter=shown(place.submitter),
        system_id=shown(place.system),
        benchmark=benchmark.name if benchmark else shown(place.benchmark),
        benchmark_written=shown(place.benchmark),
        scenario=scenario.value if scenario else shown(place.scenario),
        **performance.columns,
        accuracy=accuracy.value,
        accuracy_metric=accuracy.metric,
        accuracy_unit=accuracy.unit,
        accuracy_target=accuracy.target,
        meets_target=accuracy.meets_target,
        **system.columns,
        precision=measurement.precision,
        precision_written=measurement.written,
        source=path_text(tree.root),
        folder=shown(str(place)),
        findings=without_repetition([*found, *(one for part in parts for one in part.findings)]),
    )


def _of_benchmark(place: ResultPlace, rules: Round | None) -> Iterator[Finding]:
    """Look at the name of the benchmark: the open division may choose another one."""
    if rules is None or place.benchmark in rules.benchmarks:
        return
    meant = rules.benchmark_of(place.benchmark)
    if meant is None:
        yield odd("published.benchmark-unknown", f"{shown(place.benchmark)} in {rules.name}")
    elif place.division == "closed":
        yield odd("published.benchmark-name", f"{shown(place.benchmark)}, expected {meant.name}")
