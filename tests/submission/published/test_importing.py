"""Importing trees: what a whole result becomes, and that whatever is odd is kept and told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inferometer.submission import TreeError
from inferometer.submission.published import READING_RULES, ReadingError, import_folder
from tests.submission.published.trees import MEASUREMENT, SYSTEM, Made, ids, seen, summary

HOSTILE = "<script>alert('x')</script>\x1b[31m\u202e"


def test_a_whole_result(tmp_path: Path) -> None:
    row = Made(tmp_path).row()
    assert ids(row) == []
    assert (row.round, row.division, row.submitter, row.is_own) == ("v0.5", "closed", "ACME", False)
    assert (row.system_id, row.system_name, row.status) == ("box", "Box 1", "available")
    assert (row.processor_kind, row.accelerator, row.accelerator_count) == ("GPU", "NVIDIA T4", 8)
    assert (row.host_processor, row.host_processor_count, row.node_count) == ("Intel Xeon 1", 4, 2)
    assert (row.framework, row.framework_family) == ("TensorRT 6.0", "TensorRT")
    assert (row.benchmark, row.scenario) == ("resnet", "Server")
    assert (row.metric, row.metric_unit) == ("scheduled samples/s", "1/s")
    assert row.higher_is_better is True
    assert row.run_values == (100.0, 99.0, 101.0, 100.0, 100.0)
    assert row.metric_value == 99.0, "the worst of the runs, as each has to reach what is claimed"
    assert row.is_valid is True
    assert (row.latency_bound_ms, row.latency_percentile, row.latency_ms) == (15.0, 99.0, 5.0)
    assert (row.latency_mean_ms, row.latency_p50_ms, row.latency_p999_ms) == (1.5, 1.0, 6.0)
    assert (row.accuracy, row.accuracy_metric, row.accuracy_unit) == (76.456, "top-1", "%")
    assert (row.accuracy_target, row.meets_target) == (75.6954, True)
    assert (row.precision, row.precision_written) == ("int8", "int8")
    assert row.source == str(tmp_path.resolve())
    assert row.folder == "closed/ACME/results/box/resnet/Server"


def test_the_worst_latency_is_the_longest(tmp_path: Path) -> None:
    row = Made(tmp_path, scenario="SingleStream", values=(3e6, 5e6, 4e6)).row()
    assert row.metric_value == 5e6
    assert (row.metric, row.metric_unit, row.higher_is_better) == ("p90 latency", "ns", False)
    assert (row.latency_percentile, row.latency_ms, row.latency_bound_ms) == (90.0, 2.0, None)


def test_offline_has_no_latency(tmp_path: Path) -> None:
    row = Made(tmp_path, scenario="Offline", values=(5.5,)).row()
    assert (row.metric_value, row.latency_ms, row.latency_p99_ms) == (5.5, None, None)


def test_gnmt_counts_at_the_97th_percentile(tmp_path: Path) -> None:
    made = Made(tmp_path, benchmark="gnmt")
    made.write(made.accuracy, "BLEU: 23.8\n")
    row = made.row()
    assert (row.latency_percentile, row.latency_ms) == (97.0, 4.0)
    assert (row.accuracy, row.accuracy_metric, row.accuracy_unit) == (23.8, "BLEU", "")
    assert row.meets_target is True


def test_an_odd_spelling_of_the_scenario_is_read(tmp_path: Path) -> None:
    row = Made(tmp_path, scenario="singlestream", values=(1e6,)).row()
    assert row.scenario == "SingleStream"
    assert row.metric_value == 1e6


def test_systems_are_found_under_another_name(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.system.rename(made.system.with_name("Box_.json"))
    made.write_json(made.system.with_name("unlike.json"), SYSTEM)
    row = made.row()
    assert row.system_name == "Box 1"
    assert seen(row, "published.system-elsewhere") == "Box_.json for box"


def test_another_systems_description_is_not_taken(tmp_path: Path) -> None:
    made = Made(tmp_path, system="box-1")
    other = Made(tmp_path, system="box-2")
    made.system.unlink()
    first, second = import_folder(tmp_path).rows
    assert (first.system_name, ids(first)) == (None, ["published.system-missing"])
    assert first.processor_kind == "unknown"
    assert ids(second) == []
    assert other.system.is_file()


@pytest.mark.parametrize("text", ["{", "[1]", "null", '{"a": 1, "a": 2}', "[" * 100_000, "\x00"])
def test_damaged_descriptions_are_told(tmp_path: Path, text: str) -> None:
    made = Made(tmp_path)
    made.write(made.system, text)
    made.write(made.measurement / "box_impl.json", text)
    row = made.row()
    assert row.metric_value == 99.0
    assert row.precision == "unknown"
    assert "published.system-damaged" in ids(row)
    assert {"published.measurement-damaged", "published.measurement-missing"} & set(ids(row))


def test_names_that_differ_are_told(tmp_path: Path) -> None:
    made = Made(tmp_path)
    odd = {"submitter": "ACME Corp", "division": "Closed", "status": "soon", "framework": "ours",
           "accelerator_model_name": "Wonder"}  # fmt: skip
    made.write_json(made.system, SYSTEM | odd)
    row = made.row()
    assert ids(row) == [
        "published.division-differs",
        "published.framework-unknown",
        "published.processor-unknown",
        "published.status-unknown",
        "published.submitter-differs",
    ]
    assert (row.submitter, row.status, row.framework_family) == ("ACME", "soon", "other")


def test_an_accelerator_count_of_nought_means_the_cpu(tmp_path: Path) -> None:
    made = Made(tmp_path)
    values = {"accelerators_per_node": "0", "accelerator_model_name": "-"}
    made.write_json(made.system, SYSTEM | values)
    row = made.row()
    assert (row.processor_kind, row.accelerator, row.accelerator_count) == ("CPU", None, 0)
    assert row.hardware == "4 × Intel Xeon 1"


def test_missing_measurements_are_told(tmp_path: Path) -> None:
    made = Made(tmp_path)
    shutil.rmtree(made.measurement)
    row = made.row()
    assert (row.precision, ids(row)) == ("unknown", ["published.measurement-missing"])


def test_measurements_under_another_name_of_the_benchmark(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.measurement.parent.rename(made.measurement.parent.with_name("resnet50"))
    row = made.row()
    assert (row.precision, ids(row)) == ("int8", ["published.measurement-elsewhere"])


def test_measurements_of_the_current_layout(tmp_path: Path) -> None:
    made = Made(tmp_path)
    shutil.rmtree(made.measurement)
    made.write_json(made.result / "measurements.json", MEASUREMENT)
    assert made.row().precision == "int8"


def test_other_json_files_are_passed_over_and_contradictions_told(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.write_json(made.measurement / "config.json", {"precision": "fp16"})
    assert ids(made.row()) == []
    made.write_json(made.measurement / "z.json", MEASUREMENT | {"weight_data_types": "fp16"})
    row = made.row()
    assert (row.precision, ids(row)) == ("unknown", ["published.measurement-ambiguous"])
    assert seen(row, "published.measurement-ambiguous") == "fp16, int8"


def test_benchmarks_of_other_names(tmp_path: Path) -> None:
    closed = Made(tmp_path / "a", benchmark="resnet50").row()
    assert (closed.benchmark, closed.benchmark_written) == ("resnet", "resnet50")
    assert ids(closed) == ["published.benchmark-name"]
    is_open = Made(tmp_path / "b", benchmark="resnet50", division="open").row()
    assert (is_open.benchmark, ids(is_open)) == ("resnet", [])
    other = Made(tmp_path / "c", benchmark="mynet", division="open").row()
    assert (other.benchmark, other.accuracy_target) == ("mynet", None)
    assert ids(other) == ["published.benchmark-unknown"]


def test_unknown_scenarios_keep_their_row(tmp_path: Path) -> None:
    row = Made(tmp_path, scenario="Interactive").row()
    assert (row.scenario, row.metric_value) == ("Interactive", 99.0)
    assert "published.scenario-unknown" in ids(row)


def test_a_log_of_another_scenario(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.write(made.run(2), summary("Offline", 5.0))
    row = made.row()
    assert seen(row, "published.scenario-differs") == "run 2: Offline"
    assert seen(row, "published.log-damaged") == "run 2 doesn't tell its metric"
    assert row.run_values == (100.0, 101.0, 100.0, 100.0)


def test_a_folder_named_performance_in_capitals(tmp_path: Path) -> None:
    made = Made(tmp_path)
    (made.result / "performance").rename(made.result / "Performance")
    row = made.row()
    assert (row.metric_value, ids(row)) == (99.0, ["published.folder-name"])


def test_logs_without_run_folders_are_one_run(tmp_path: Path) -> None:
    made = Made(tmp_path, scenario="Offline", values=())
    made.write(made.result / "performance" / "mlperf_log_summary.txt", summary("Offline", 7.0))
    row = made.row()
    assert (row.metric_value, row.run_count, ids(row)) == (7.0, 1, ["published.folder-name"])


def test_runs_are_sorted_by_number_and_counted(tmp_path: Path) -> None:
    made = Made(tmp_path, values=tuple(100.0 + n for n in range(12)))
    assert made.row().run_values == tuple(100.0 + n for n in range(12))
    for number in range(3, 13):
        shutil.rmtree(made.run(number).parent)
    row = made.row()
    assert seen(row, "published.runs-too-few") == "2 of 5"
    shutil.rmtree(made.result / "performance")
    row = made.row()
    assert (row.run_count, row.metric_value, row.is_valid) == (0, None, None)
    assert ids(row) == ["published.run-missing"]


def test_damaged_logs_are_told(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.run(1).unlink()
    made.write(made.run(2), "rubbish")
    made.write(made.run(3), summary("Server", 98.0, "INVALID"))
    made.write(made.run(4), summary("Server", 98.0).replace("98.00", "nan"))
    row = made.row()
    assert seen(row, "published.log-missing").endswith("performance/run_1")
    assert (row.run_values, row.metric_value, row.is_valid) == ((98.0, 100.0), 98.0, False)
    assert ids(row).count("published.run-invalid") == 2
    assert ids(row).count("published.log-damaged") == 2


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (None, "published.accuracy-missing"),
        ("", "published.accuracy-unreadable"),
        ("the accuracy=76%", "published.accuracy-unreadable"),
        ("accuracy=75.909%, good=37805, total=49803", "published.accuracy-partial"),
        ("accuracy=70.000%, good=35000, total=50000", "published.accuracy-below-target"),
    ],
)
def test_odd_accuracies_are_told(tmp_path: Path, text: str | None, rule: str) -> None:
    made = Made(tmp_path)
    if text is None:
        made.accuracy.unlink()
    else:
        made.write(made.accuracy, text)
    assert ids(made.row()) == [rule]


def test_accuracies_of_other_metrics_meet_no_target(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.write(made.accuracy, "loading\nmAP=22.6%\naccuracy=1%\n")
    row = made.row()
    assert (row.accuracy, row.accuracy_metric, row.meets_target) == (22.6, "mAP", None)


def test_the_open_division_needs_no_target(tmp_path: Path) -> None:
    made = Made(tmp_path, division="open", benchmark="mobilenet-v1-0.5-160")
    made.write(made.accuracy, "accuracy=50.000%, good=25000, total=50000\n")
    row = made.row()
    assert (row.benchmark, row.meets_target, ids(row)) == ("mobilenet", False, [])


@pytest.mark.parametrize(
    ("line", "metric", "value"),
    [
        ('{"exact_match": 83.9, "f1": 90.8}', "F1", 90.8),
        ("{'rouge1': 44.4, 'rougeL': '28.8'}", "ROUGE-1", 44.4),
        ("{'exact_match': 81.5, 'tokens_per_sample': 3900.0}", "exact match", 81.5),
        ("Accuracy: mean = 0.86, kidney = 0.93", "DICE", 0.86),
        ("Word Error Rate: 2.07%, accuracy=97.93%", "100 - WER", 97.93),
        ("{'CLIP_SCORE': '31.7', 'FID_SCORE': '23.5'}", "CLIP", 31.7),
        ("AUC=80.31%", "AUC", 80.31),
        ("hash=abc\nmAP=22.6%", "mAP", 22.6),
    ],
)
def test_lines_of_other_accuracy_scripts(
    tmp_path: Path, line: str, metric: str, value: float
) -> None:
    made = Made(tmp_path)
    made.write(made.accuracy, f"loading annotations into memory...\n{line}\n")
    row = made.row()
    assert (row.accuracy_metric, row.accuracy) == (metric, value)


def test_hostile_names_and_texts_are_made_harmless(tmp_path: Path) -> None:
    made = Made(tmp_path, system="box <b>", benchmark="mynet", division="open")
    made.write_json(made.system, SYSTEM | dict.fromkeys(SYSTEM, HOSTILE))
    made.write(made.accuracy, HOSTILE * 100_000)
    row = made.row()
    text = json.dumps(row.to_mapping(), ensure_ascii=False)
    assert "\x1b" not in text
    assert "\\u202e" in text
    assert row.system_id == "box <b>"
    assert len(text) < 20_000


def test_links_and_their_like_are_left_alone_and_told(tmp_path: Path) -> None:
    made = Made(tmp_path)
    (made.result / "outside").symlink_to("/etc")
    for number in range(30):
        (made.submitter / f"link-{number}").symlink_to("/etc/passwd")
    found = import_folder(tmp_path)
    assert "a link" in seen(found.rows[0], "published.file-left-alone")
    assert len(found.remarks) == 21
    assert found.remarks[-1] == "10 more were left alone"


def test_of_very_many_findings_a_few_are_kept(tmp_path: Path) -> None:
    made = Made(tmp_path)
    for number in range(50):
        (made.result / f"link-{number}").symlink_to("/etc/passwd")
    found = [one for one in made.row().findings if one.rule.id == "published.file-left-alone"]
    assert len(found) == 6
    assert found[-1].seen == "45 more times"


def test_folders_without_results_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TreeError, match="is empty"):
        import_folder(tmp_path)
    made = Made(tmp_path / "tree")
    with pytest.raises(ReadingError, match="holds no results; give the folder of a round"):
        import_folder(made.submitter)
    with pytest.raises(TreeError, match="not a folder"):
        import_folder(tmp_path / "nothing")


def test_the_round_can_be_given(tmp_path: Path) -> None:
    made = Made(tmp_path)
    (row,) = import_folder(made.root, round_name="v9.9").rows
    assert (row.round, row.accuracy_target) == ("v9.9", None)


@given(st.binary(max_size=400), st.sampled_from(["system", "measurement", "run", "accuracy"]))
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_survived(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, what: str
) -> None:
    made = Made(tmp_path_factory.mktemp("tree"), scenario="Offline", values=(5.0,))
    places = {
        "system": made.system,
        "measurement": made.measurement / "box_impl.json",
        "run": made.run(1).with_name("mlperf_log_detail.txt"),
        "accuracy": made.accuracy,
    }
    if content.startswith(b":::M") or what != "run":
        places[what].write_bytes(content)
    else:
        places[what].write_bytes(b":::MLLOG" + content)
    assert len(import_folder(made.root).rows) == 1


def test_every_rule_has_a_remedy() -> None:
    for rule in READING_RULES.values():
        assert rule.title
        assert rule.remedy
