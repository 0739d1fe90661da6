"""Log words: whether logs are whole, of the right mode and scenario, and of which LoadGen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from inferometer.loadgen import Mode, Scenario
from inferometer.logs import DETAIL_LOG, SUMMARY_LOG
from inferometer.rounds import Round
from inferometer.submission.checking.notebook import Notebook
from inferometer.submission.checking.run_logs import RunLogs
from inferometer.submission.places import scenario_of

__all__ = ["check_log_words", "check_revisions"]

_CHANGED = "Loadgen built with uncommitted changes"
_CHANGED_KEY = "error_uncommitted_loadgen_changes"
_MODES = {Mode.ACCURACY: "Accuracy", Mode.PERFORMANCE: "Performance"}
_LONGEST_MESSAGE = 120


def check_log_words(
    run: RunLogs,
    mode: Mode,
    scenario: Scenario | None,
    round_: Round,
    notebook: Notebook,
) -> None:
    """Check what the logs of one test say about themselves."""
    if run.summary is not None and mode is Mode.PERFORMANCE:
        where = (*run.parts, SUMMARY_LOG)
        _check_mode(run.figures.get("Mode"), mode, where, notebook)
        _check_scenario(run.figures.get("Scenario"), scenario, where, notebook)
    if run.detail is None:
        return
    where = (*run.parts, DETAIL_LOG)
    words = "of v0.5" if run.is_v05 else "of a later LoadGen"
    if not notebook.judge(
        "log.other-round", where, run.is_v05 == round_.era.is_v05, f"a log {words}"
    ):
        return
    _check_mode(run.setting("test_mode"), mode, where, notebook)
    _check_scenario(run.setting("scenario"), scenario, where, notebook)
    seen = "ends with the record of its end" if run.has_end else "no record of the test's end"
    notebook.judge("log.cut-off", where, run.has_end, seen)
    _check_errors(run, where, notebook)
    _check_revision(run, where, round_, notebook)


def check_revisions(runs: Sequence[RunLogs], where: tuple[str, ...], notebook: Notebook) -> None:
    """Check that all tests of a result were made with one revision of LoadGen."""
    revisions = {run.revision for run in runs if run.revision}
    if not revisions:
        notebook.cannot("log.revisions-differ", where, "no detail log states the revision")
        return
    seen = ", ".join(sorted(revisions))
    notebook.judge("log.revisions-differ", where, len(revisions) == 1, seen)


def _check_mode(stated: str | None, mode: Mode, where: tuple[str, ...], notebook: Notebook) -> None:
    if stated is None:
        notebook.cannot("log.mode", where, "the log doesn't state its mode")
        return
    seen = f"{stated}, in a folder for {_MODES[mode]}"
    notebook.judge("log.mode", where, stated.removesuffix("Only") == _MODES[mode], seen)


def _check_scenario(
    stated: str | None, scenario: Scenario | None, where: tuple[str, ...], notebook: Notebook
) -> None:
    if stated is None or scenario is None:
        notebook.cannot("log.scenario", where, "the log, or the folder, doesn't name a scenario")
        return
    seen = f"{stated}, in a folder for {scenario.value}"
    notebook.judge("log.scenario", where, scenario_of(stated) is scenario, seen)


def _check_errors(run: RunLogs, where: tuple[str, ...], notebook: Notebook) -> None:
    errors = run.detail.errors if run.detail else []
    changed = [
        entry
        for entry in errors
        if entry.key == _CHANGED_KEY or str(entry.value).startswith(_CHANGED)
    ]
    others = Counter(
        str(entry.value).strip()[:_LONGEST_MESSAGE] for entry in errors if entry not in changed
    )
    notebook.judge(
        "log.loadgen-changed",
        where,
        not changed,
        "LoadGen built with uncommitted changes" if changed else "",
    )
    seen = "none"
    if others:
        first, count = next(iter(others.items()))
        seen = f"{others.total()}: {first}" + (f" ({count} times)" if count > 1 else "")
    notebook.judge("log.errors", where, not others, seen)


def _check_revision(
    run: RunLogs, where: tuple[str, ...], round_: Round, notebook: Notebook
) -> None:
    if not run.revision:
        notebook.cannot("log.loadgen-revision", where, "the log doesn't state the revision")
        return
    if not round_.loadgen_revisions:
        notebook.declares("log.loadgen-revision", where, run.revision)
        return
    is_named = run.revision.startswith(round_.loadgen_revisions)
    notebook.judge("log.loadgen-revision", where, is_named, run.revision)
