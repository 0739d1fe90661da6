"""Refusals: every run that doesn't belong is refused by its rule, and nothing is written."""

from __future__ import annotations

import dataclasses
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inferometer.cli.output import SilentListener
from inferometer.loadgen import Finding, Message, Recording, Scenario, Severity
from inferometer.rounds import load_round, load_rules
from inferometer.runs import RunFolderError, Runner, RunRequest
from inferometer.submission.building import (
    RefusedError,
    SubmissionError,
    SubmissionRequest,
    build_submission,
)
from inferometer.workloads import WorkloadOptions
from tests.submission.building.sessions import (
    BACKEND,
    DESCRIPTION,
    change_json,
    change_recordings,
    request_for,
)

SESSION, RESULT = "session.json", "result.json"
ACCURACY, PERFORMANCE = "Offline/accuracy", "Offline/performance/run_1"
Change = Callable[[Path], Any]


def workload(**values: Any) -> Change:
    return lambda runs: change_json(runs / SESSION, lambda v: v["workload"].update(values))


def option(**values: Any) -> Change:
    return workload(options=values)


def label(text: str) -> Change:
    def change(runs: Path) -> None:
        for path in runs.rglob(RESULT):
            change_json(path, lambda values: values.update(label=text))

    return change


def setting(**values: Any) -> Change:
    def change(recording: Recording) -> Recording:
        return dataclasses.replace(recording, settings=recording.settings.replace(**values))

    return lambda runs: change_recordings(runs, change)


def without(part: str) -> Change:
    return lambda runs: shutil.rmtree(runs / part)


def interrupted(runs: Path) -> None:
    said = Message("interrupted", "SIGTERM")

    def change(recording: Recording) -> Recording:
        return dataclasses.replace(recording, messages=(*recording.messages, said))

    change_recordings(runs / PERFORMANCE, change)


def backend(**values: Any) -> Change:
    def change(recording: Recording) -> Recording:
        notes = {**recording.notes, "backend": {**recording.notes["backend"], **values}}
        return dataclasses.replace(recording, notes=notes)

    return lambda runs: change_recordings(runs / PERFORMANCE, change)


def noted(**values: Any) -> Change:
    def change(recording: Recording) -> Recording:
        return dataclasses.replace(recording, notes={**recording.notes, **values})

    return lambda runs: change_recordings(runs / PERFORMANCE, change)


def too_short(runs: Path) -> None:
    """Let the performance end after half of the time that it has to last."""

    def change(recording: Recording) -> Recording:
        series = recording.performance
        assert series is not None
        short = dataclasses.replace(
            series, completed_ns=series.completed_ns // 2, issued_ns=series.issued_ns // 2
        )
        return dataclasses.replace(recording, series=(short,))

    change_recordings(runs / PERFORMANCE, change)


def accuracy(**values: Any) -> Change:
    return lambda runs: change_json(
        runs / ACCURACY / RESULT, lambda v: v["accuracy"].update(values)
    )


def second_run(runs: Path) -> None:
    shutil.copytree(runs / PERFORMANCE, runs / "Offline/performance/run_2")


def smaller_library(runs: Path) -> None:
    change_recordings(runs, lambda one: dataclasses.replace(one, total_sample_count=49_999))


REFUSED: list[tuple[str, Change, dict[str, Any], str]] = [
    ("a quick run", label("quick"), {}, "quick-run"),
    ("another round", label("round v6.1"), {}, "other-round"),
    ("a script", label("script"), {}, "other-round"),
    ("random weights", option(weights="random"), {}, "random-weights"),
    ("random weights, noted", workload(not_scored="random weights"), {}, "random-weights"),
    ("synthetic data", option(data="synthetic"), {}, "synthetic-data"),
    ("synthetic samples", workload(data_set="synthetic samples"), {}, "synthetic-data"),
    ("a part of the data", option(count=100), {}, "part-of-data-set"),
    ("a preview", noted(preview="the first 100 samples"), {}, "part-of-data-set"),
    ("other data", smaller_library, {}, "small-data-set"),
    ("other seeds", setting(qsl_rng_seed=1), {}, "changed-settings"),
    ("fewer samples", setting(min_query_count=24_575), {}, "changed-settings"),
    ("a query limit", setting(max_query_count=1), {}, "changed-settings"),
    ("less time", setting(min_duration_ms=1000), {}, "changed-settings"),
    ("unique samples", setting(performance_issue_unique=True), {}, "changed-settings"),
    ("a signal", interrupted, {}, "interrupted"),
    ("too short a run", too_short, {}, "invalid"),
    ("no accuracy", without(ACCURACY), {}, "accuracy-missing"),
    ("no answers", lambda runs: (runs / ACCURACY / "responses.bin").unlink(), {},
     "accuracy-missing"),
    ("no performance", without("Offline/performance"), {}, "performance-missing"),
    ("two runs", second_run, {}, "run-count"),
    ("missing answers", accuracy(missing=3), {}, "accuracy-incomplete"),
    ("too low an accuracy", accuracy(line="accuracy=70.246%, good=35123, total=50000"), {},
     "below-target"),
    ("no accuracy line", accuracy(line="mAP"), {}, "below-target"),
    ("another device", backend(device="CUDAExecutionProvider"), {}, "other-backend"),
    ("other weights", noted(model_sha256="abc"), {}, "other-model"),
    ("an unknown benchmark", workload(name="classification"), {}, "not-in-round"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "asked", "rule"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_runs_that_do_not_belong(
    whole: Path, tmp_path: Path, change: Change, asked: dict[str, Any], rule: str
) -> None:
    change(whole)
    request = request_for(tmp_path, whole, division="closed", **asked)
    with pytest.raises(RefusedError) as refused:
        build_submission(request)
    found = refused.value.findings
    assert f"submit.{rule}" in {finding.rule.id for finding in found}
    assert all(finding.rule.severity is Severity.ERROR for finding in found)
    assert all(finding.seen for finding in found)
    assert not request.tree.exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def told(*rules: str) -> Change:
    """Let a session say of itself what a run by the book of the closed division is told."""
    book = load_rules()
    breaches = [Finding(book[rule].rule_in("v0.5"), "as asked").to_mapping() for rule in rules]

    def change(recording: Recording) -> Recording:
        return dataclasses.replace(recording, notes={**recording.notes, "breaches": breaches})

    return lambda runs: change_recordings(runs, change)


def refusal(request: SubmissionRequest) -> Counter[str]:
    with pytest.raises(RefusedError) as refused:
        build_submission(request)
    return Counter(found.rule.id for found in refused.value.findings)


def test_what_a_session_was_told_is_said_once(whole: Path, tmp_path: Path) -> None:
    told("submit.random-weights", "submit.changed-settings", "rule.number-format")(whole)
    option(weights="random")(whole)
    setting(qsl_rng_seed=1)(whole)
    wide = {**BACKEND, "precision": "fp64"}
    change_recordings(
        whole, lambda one: dataclasses.replace(one, notes={**one.notes, "backend": wide})
    )
    found = refusal(request_for(tmp_path, whole, division="closed"))
    assert found == {
        "submit.random-weights": 1, "submit.changed-settings": 1, "rule.number-format": 1,
    }  # fmt: skip


def test_what_only_the_closed_division_asks_does_not_keep_out_of_the_open(
    whole: Path, tmp_path: Path
) -> None:
    told("submit.changed-settings", "rule.number-format")(whole)
    assert build_submission(request_for(tmp_path, whole)).places


def test_a_session_of_python_is_refused_for_each_reason_once(tmp_path: Path) -> None:
    request = RunRequest(
        "pocket-mobilenet",
        tmp_path / "run",
        workload_options=WorkloadOptions(count=20),
        scenarios=(Scenario.SINGLE_STREAM,),
        round=load_round("v0.5"),
        division="closed",
        settings=lambda _: {"min_duration_ms": 20, "min_query_count": 20},
    )
    session = Runner(request, SilentListener()).run()
    said = {found.rule.id for test in session.tests for found in test.findings}
    assert {"submit.part-of-data-set", "submit.changed-settings"} <= said
    for division in ("closed", "open"):
        found = refusal(request_for(tmp_path, session.folder, division=division))
        assert found == {"submit.part-of-data-set": 1, "submit.changed-settings": 1}


def test_every_rule_is_in_both_rounds() -> None:
    rules = {key: rule for key, rule in load_rules().items() if key.startswith("submit.")}
    assert len(rules) > 20
    for rule in rules.values():
        assert set(rule.severity) == {"v0.5", "v6.1"}, rule.id
    named = {f"submit.{row[3]}" for row in REFUSED}
    elsewhere = {"accuracy-believed", "accuracy-differs", "audit-not-by-the-book",
                 "audit-not-passed", "audits-missing",
                 "calibration-missing", "checklist-open", "demo", "other-system",
                 "result-exists", "run-failed", "scenarios-missing"}  # fmt: skip
    assert named | {f"submit.{name}" for name in elsewhere} == set(rules)


@pytest.mark.parametrize("words", ["", ", closed, mobile", ", open, changed settings"])
def test_labels_of_the_round(whole: Path, tmp_path: Path, words: str) -> None:
    label(f"round v0.5{words}")(whole)
    assert build_submission(request_for(tmp_path, whole, division="closed")).places


def test_server_wants_five_runs(pocket_v05: Path, tmp_path: Path) -> None:
    runs = Path(shutil.copytree(pocket_v05, tmp_path / "runs"))
    shutil.rmtree(runs / "Server/performance/run_5")
    with pytest.raises(RefusedError, match="4 performance runs, and the round wants 5"):
        build_submission(request_for(tmp_path, runs, demo=True))


def test_runs_of_two_folders_make_one_result(whole: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(whole, tmp_path / "other"))
    shutil.rmtree(whole / "Offline/accuracy")
    shutil.rmtree(other / "Offline/performance")
    made = build_submission(request_for(tmp_path, whole, other, whole, division="closed"))
    assert len(made.places) == 1


def test_accuracy_of_another_model(whole: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(whole, tmp_path / "other"))
    shutil.rmtree(whole / "Offline/accuracy")
    shutil.rmtree(other / "Offline/performance")
    option(number_format="int8")(other)
    with pytest.raises(RefusedError, match=r"another model than .*: number_format"):
        build_submission(request_for(tmp_path, whole, other, division="closed"))


def test_a_tampered_accuracy_is_found_out(pocket_v61: Path, tmp_path: Path) -> None:
    runs = Path(shutil.copytree(pocket_v61, tmp_path / "runs"))
    line = "accuracy=99.000%, good=9900, total=10000"
    change_json(runs / "SingleStream/accuracy" / RESULT, lambda v: v["accuracy"].update(line=line))
    with pytest.raises(RefusedError, match=r"accuracy=99.000%.*anew accuracy=93.000%"):
        build_submission(request_for(tmp_path, runs, round_name="v6.1", demo=True))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"processor": "Other CPU 5000"}, "it ran on 'Other CPU 5000'"),
        ({"physical_cores": 4}, "it ran on 4 cores, and 8 are described"),
    ],
)
def test_another_system_than_the_described(
    whole: Path, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    described = {**DESCRIPTION, "host_processor_model_name": "Test CPU 9000"}
    change_json(whole / SESSION, lambda v: v["system"].update(changes))
    request = request_for(tmp_path, whole, description=described, division="closed")
    with pytest.raises(RefusedError, match=message) as refused:
        build_submission(request)
    assert {found.rule.id for found in refused.value.findings} == {"submit.other-system"}


def test_sessions_of_two_systems(whole: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(whole, tmp_path / "other"))
    shutil.rmtree(whole / "Offline/accuracy")
    shutil.rmtree(other / "Offline/performance")
    change_json(other / SESSION, lambda v: v["system"].update(host="bench-2", memory_gib=30.0))
    with pytest.raises(RefusedError, match="bench-") as refused:
        build_submission(request_for(tmp_path, whole, other, division="closed"))
    assert "memory" in str(refused.value)


def test_open_waives_bounds_and_targets_only(whole: Path, tmp_path: Path) -> None:
    accuracy(line="accuracy=10.000%, good=5000, total=50000")(whole)
    setting(server_target_latency_ns=50_000_000)(whole)
    made = build_submission(request_for(tmp_path, whole))
    assert [place.benchmark for place in made.places] == ["mobilenet"]


def test_a_demo_is_never_closed(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match="never goes into the closed division"):
        build_submission(request_for(tmp_path, whole, division="closed", demo=True))


def test_a_demo_takes_no_official_name(pocket_v05: Path, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="a name of its own") as refused:
        build_submission(request_for(tmp_path, pocket_v05, demo=True, benchmark="mobilenet"))
    assert {found.rule.id for found in refused.value.findings} == {"submit.small-data-set"}


def test_a_demo_lets_data_and_length_go_and_nothing_else(pocket_v05: Path, tmp_path: Path) -> None:
    runs = Path(shutil.copytree(pocket_v05, tmp_path / "runs"))
    setting(qsl_rng_seed=1)(runs)
    with pytest.raises(RefusedError) as refused:
        build_submission(request_for(tmp_path, runs, demo=True))
    assert {found.rule.id for found in refused.value.findings} == {"submit.changed-settings"}
    label("quick")(runs)
    with pytest.raises(RefusedError, match=r"submit\.quick-run"):
        build_submission(request_for(tmp_path, runs, demo=True))


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../up", "a/b", "a\\b", "-x", ".hidden", "a b", "ä", "a\n", "x" * 101]
)
@pytest.mark.parametrize("key", ["submitter", "system_id", "benchmark", "implementation"])
def test_hostile_names(whole_v05: Path, tmp_path: Path, key: str, name: str) -> None:
    changes: dict[str, Any] = {key: name}
    request = request_for(tmp_path, whole_v05, **changes)
    with pytest.raises(SubmissionError, match="it names a folder"):
        build_submission(request)
    assert not request.tree.exists()


def test_wrong_use(whole: Path, tmp_path: Path) -> None:
    changes: dict[str, Any]
    for changes, message in (
        ({"division": "opne"}, "did you mean 'open'"),
        ({"measurements": {"retrainin": "no"}}, "did you mean 'retraining'"),
    ):
        with pytest.raises(SubmissionError, match=message):
            build_submission(request_for(tmp_path, whole, **changes))


HEADER = '"backend": {}, "label": "", "system": {}, "command": "", "started_at": "", "notes": []'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f'{{"workload": [], {HEADER}}}', "damaged: no workload"),
        (f'{{"workload": {{}}, {HEADER}}}', "names no workload"),
        ("{", "damaged"),
    ],
)
def test_damaged_sessions(whole: Path, tmp_path: Path, content: str, message: str) -> None:
    (whole / SESSION).write_text(content)
    with pytest.raises((SubmissionError, RunFolderError), match=message):
        build_submission(request_for(tmp_path, whole))


def test_a_workload_name_that_leaves_the_tree(whole: Path, tmp_path: Path) -> None:
    workload(name="../../escape")(whole)
    with pytest.raises(SubmissionError, match="the workload is"):
        build_submission(request_for(tmp_path, whole))


def test_what_the_runs_do_not_tell(whole: Path, tmp_path: Path) -> None:
    option(model="/models/mine.onnx")(whole)
    with pytest.raises(
        SubmissionError, match=r"--measurement retraining=… --measurement weight_transformations=…"
    ):
        build_submission(request_for(tmp_path, whole, measurements={}))
