"""Result: all checks of one result, in one go."""

from __future__ import annotations

from collections.abc import Sequence

from inferometer.loadgen import Mode, Scenario
from inferometer.rounds import Benchmark, Round
from inferometer.submission.checking.accuracy import AccuracyFound, check_accuracy
from inferometer.submission.checking.accuracy_asked import AccuracyAsked
from inferometer.submission.checking.accuracy_log import read_logged
from inferometer.submission.checking.compliance import check_compliance
from inferometer.submission.checking.descriptions import check_measurements, check_system
from inferometer.submission.checking.figures import check_figures, headline_name, headline_of
from inferometer.submission.checking.layout import check_run_folders
from inferometer.submission.checking.log_words import check_log_words, check_revisions
from inferometer.submission.checking.naming import benchmark_of, check_names
from inferometer.submission.checking.notebook import Notebook
from inferometer.submission.checking.options import CheckOptions
from inferometer.submission.checking.outcome import ResultReport
from inferometer.submission.checking.replay import (
    check_accuracy_order,
    check_loaded_set,
    check_logged_samples,
)
from inferometer.submission.checking.run_logs import RunLogs, read_run
from inferometer.submission.checking.schedule import check_schedule
from inferometer.submission.checking.settings import (
    Asked,
    check_runs_alike,
    check_seeds,
    check_settings,
)
from inferometer.submission.checking.shuffles import CppLibrary
from inferometer.submission.places import ResultPlace
from inferometer.submission.tree import Tree, shown

__all__ = ["check_result"]


def check_result(
    tree: Tree, place: ResultPlace, round_: Round, options: CheckOptions
) -> ResultReport:
    """Check one result; what goes wrong while doing so is a finding that spoils it."""
    notebook = Notebook(round_.name)
    checker = _ResultChecker(tree, place, round_, options, notebook)
    try:
        checker.check()
    except Exception as error:
        seen = f"{type(error).__name__}: {error}"
        notebook.fails("check.gave-up", place.parts, seen)
    return checker.report()


class _ResultChecker:
    """Checks a result step by step, and knows what was found so far."""

    def __init__(
        self,
        tree: Tree,
        place: ResultPlace,
        round_: Round,
        options: CheckOptions,
        notebook: Notebook,
    ):
        self._tree = tree
        self._place = place
        self._round = round_
        self._options = options
        self._notebook = notebook
        self._benchmark: Benchmark | None = benchmark_of(tree, place, round_)
        self._is_closed = place.division != "open"
        self._scenario: Scenario | None = None
        self._runs: list[RunLogs] = []
        self._accuracy = AccuracyFound("", "", None)

    def check(self) -> None:
        """Check everything."""
        tree, place, notebook = self._tree, self._place, self._notebook
        self._scenario = check_names(place, self._benchmark, self._round, notebook)
        folders = check_run_folders(tree, place, self._round, self._scenario, notebook)
        cpp = self._check_runs(folders)
        self._check_accuracy(cpp)
        if self._is_closed and self._benchmark is not None and self._scenario is not None:
            check_compliance(tree, place, self._benchmark, self._asked(self._scenario), notebook)
        check_system(tree, place, self._round, notebook)
        check_measurements(
            tree,
            place,
            self._round,
            with_code=self._options.with_code,
            notebook=notebook,
        )

    def report(self) -> ResultReport:
        """Give what was found."""
        return ResultReport(
            place=_shown(self._place),
            benchmark=self._benchmark.name if self._benchmark else "",
            scenario=self._scenario.value if self._scenario else "",
            metric=headline_name(self._scenario, self._round.era) if self._scenario else "",
            value=self._value(),
            accuracy=self._accuracy.stated,
            recomputed=self._accuracy.recomputed,
            checks=tuple(self._notebook.checks),
        )

    def _value(self) -> float | None:
        """Give the headline of the worst run: the highest latency, or the lowest rate."""
        if self._scenario is None:
            return None
        found = [headline_of(run, self._scenario, self._round.era) for run in self._runs]
        values = [value for value in found if value is not None]
        is_latency = "latency" in headline_name(self._scenario, self._round.era)
        worst = max if is_latency else min
        return worst(values) if values else None

    def _check_runs(self, folders: Sequence[tuple[str, ...]]) -> CppLibrary | None:
        """Check the performance runs; give the C++ library that explains their samples."""
        cpp = None
        for folder in folders:
            run = read_run(self._tree, folder, self._notebook)
            cpp = self._check_run(run, cpp) or cpp
            self._runs.append(run.without_loaded_sets())
        where = (*self._place.parts, "performance")
        check_runs_alike(self._runs, where, self._notebook)
        return cpp

    def _asked(self, scenario: Scenario) -> Asked:
        return Asked(self._round, self._benchmark, scenario, is_closed=self._is_closed)

    def _check_run(self, run: RunLogs, likely: CppLibrary | None) -> CppLibrary | None:
        notebook, scenario = self._notebook, self._scenario
        check_log_words(run, Mode.PERFORMANCE, scenario, self._round, notebook)
        if scenario is None:
            return None
        asked = self._asked(scenario)
        check_settings(run, asked, notebook)
        check_figures(run, asked, notebook)
        cpp = check_loaded_set(run, scenario, likely, notebook)
        check_schedule(run, scenario, notebook)
        logged = read_logged(self._tree, run.parts, notebook)
        if logged is not None:
            check_logged_samples(run, scenario, logged, cpp, notebook)
        return cpp

    def _check_accuracy(self, cpp: CppLibrary | None) -> None:
        notebook, parts = self._notebook, (*self._place.parts, "accuracy")
        if not self._tree.has_folder(*parts):
            return
        run = read_run(self._tree, parts, notebook)
        check_log_words(run, Mode.ACCURACY, self._scenario, self._round, notebook)
        check_seeds(run, self._round, notebook, "settings.accuracy-seeds")
        check_schedule(run, self._scenario, notebook)
        asked = AccuracyAsked(
            round=self._round,
            benchmark=self._benchmark,
            scenario=self._scenario,
            truth=self._options.truth,
            is_closed=self._is_closed,
            is_demo=self._options.is_demo,
        )
        self._accuracy = check_accuracy(self._tree, run, asked, notebook)
        if self._accuracy.answers is not None and self._scenario is not None:
            answers = self._accuracy.answers
            check_accuracy_order(run, self._scenario, answers, cpp, notebook)
        check_revisions([*self._runs, run], self._place.parts, notebook)


def _shown(place: ResultPlace) -> ResultPlace:
    return ResultPlace(*(shown(getattr(place, name)) for name in place.__dataclass_fields__))
