"""What a round gives: settings, benchmarks by any name, areas, audits, files and keys."""

from __future__ import annotations

import json
import pickle
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.loadgen import Scenario, SettingsError
from inferometer.logs import ignored_keys, parse_config
from inferometer.rounds import Round, load_round, round_names
from tests.support import shared_data

V05, V61 = load_round("v0.5"), load_round("v6.1")
ROUNDS = [V05, V61]


@pytest.mark.parametrize("scenario", V61.scenarios, ids=lambda s: s.value)
def test_a_pocket_model_takes_its_settings_from_v61(scenario: Scenario) -> None:
    settings = V61.settings(scenario, "mobilenet")
    assert settings == V61.settings(scenario, "resnet50") == V61.settings(scenario, "resnet")
    assert settings.min_duration_ms == 600_000
    assert settings.qsl_rng_seed == V61.seeds.qsl
    assert settings.performance_sample_count_override == 1024
    if scenario is Scenario.OFFLINE:
        assert settings.min_query_count == 24_576
    if scenario is Scenario.SERVER:
        assert settings.server_target_latency_ns == 15_000_000


def test_a_model_that_the_configuration_knows_keeps_its_own_row() -> None:
    settings = V61.settings(Scenario.SERVER, "ssd-mobilenet")
    assert settings.performance_sample_count_override == 256
    unknown = V61.settings(Scenario.SERVER, "no such model")
    assert unknown.performance_sample_count_override == 0
    assert unknown.min_duration_ms == 600_000


@pytest.mark.parametrize(
    ("round_name", "name", "official"),
    [
        ("v0.5", "resnet", "resnet"),
        ("v0.5", "resnet50", "resnet"),
        ("v0.5", "resnet50-v1.5", None),
        ("v0.5", "mobilenet-v2", "mobilenet"),
        ("v0.5", "ssd-mobilenet-v1", "ssd-small"),
        ("v0.5", "ssd-resnet50-fpn", "ssd-small"),
        ("v0.5", "ssd-inception-v2", "ssd-small"),
        ("v0.5", "yolo-v3", "ssd-small"),
        ("v0.5", "rcnn-nas", "ssd-small"),
        ("v0.5", "ssdlite-mobilenet", "ssd-small"),
        ("v0.5", "ssd-resnet34", "ssd-large"),
        ("v0.5", "ssd-resnet34-x", None),
        ("v0.5", "gnmt", "gnmt"),
        ("v0.5", "bert", None),
        ("v6.1", "resnet50", "resnet"),
        ("v6.1", "mobilenet", "resnet"),
        ("v6.1", "my-efficientnet-b0", "resnet"),
        ("v6.1", "fast-resnet50-int8", "resnet"),
        ("v6.1", "bert-99.9-pruned", "bert-99.9"),
        ("v6.1", "bert-99-pruned", "bert-99"),
        ("v6.1", "llama3_1-8b", "llama3.1-8b"),
        ("v6.1", "ssd-resnet34", None),
        ("v6.1", "gnmt", None),
    ],
)
def test_other_names_of_benchmarks(round_name: str, name: str, official: str | None) -> None:
    found = load_round(round_name).benchmark_of(name)
    assert (found and found.name) == official


@given(st.text())
def test_any_name_can_be_asked_for(name: str) -> None:
    for asked in ROUNDS:
        found = asked.benchmark_of(name)
        assert found is None or found.name in asked.benchmarks


@pytest.mark.parametrize("asked", ROUNDS, ids=round_names())
def test_areas(asked: Round) -> None:
    assert list(asked.areas) == ["mobile", "automotive", "robotics", "cloud"]
    for area in asked.areas.values():
        assert set(area.required) <= set(area.scenarios) <= set(asked.scenarios)
        assert area.why.endswith(".")
        assert area.system_type in ("", *asked.system_types)
    main = {name: area.scenarios[0] for name, area in asked.areas.items()}
    assert main == {
        "mobile": Scenario.SINGLE_STREAM,
        "automotive": Scenario.MULTI_STREAM,
        "robotics": Scenario.SINGLE_STREAM,
        "cloud": Scenario.SERVER,
    }


def test_scenarios_for_an_area() -> None:
    single, several, server, offline = V05.scenarios
    assert V05.scenarios_for("mobile", "mobilenet", is_closed=True) == (single,)
    assert V05.scenarios_for("cloud", "gnmt", is_closed=False) == (server, offline)
    assert V61.scenarios_for("mobile", "mobilenet", is_closed=False) == (single,)
    # A closed v6.1 submission of an edge system has to have all three.
    closed = V61.scenarios_for("mobile", "mobilenet", is_closed=True)
    assert closed == (single, several, offline)
    # Server is there already, so Interactive isn't asked for.
    cloud = V61.scenarios_for("cloud", "llama3.1-8b", is_closed=True)
    assert cloud == (server, offline)
    with pytest.raises(SettingsError, match="no area 'mobil'; did you mean 'mobile'"):
        V05.scenarios_for("mobil", "mobilenet", is_closed=False)


@pytest.mark.parametrize("asked", ROUNDS, ids=round_names())
def test_audit_configurations_are_read_by_the_round(asked: Round) -> None:
    for audit in asked.audits.values():
        for scenario in asked.scenarios:
            for benchmark in asked.benchmarks:
                table = parse_config(audit.config_text(scenario, benchmark))
                assert table.errors == []
                # Newer releases take no seeds from an audit.config.
                assert ignored_keys(table, asked.era) == []
                if audit.config:
                    assert table.find("*", scenario.value, "mode") == "2"


def test_audits_of_v05() -> None:
    assert list(V05.audits) == ["TEST01", "TEST03", "TEST04-A", "TEST04-B", "TEST05"]
    seeds = {
        scenario.value: parse_config(V05.audits["TEST01"].config_text(scenario, "resnet")).find(
            "*", scenario.value, "accuracy_log_rng_seed"
        )
        for scenario in V05.scenarios
    }
    assert seeds == {
        "SingleStream": "789",
        "MultiStream": "123",
        "Server": "147",
        "Offline": "456",
    }
    assert V05.audits["TEST03"].config_text(Scenario.SERVER, "resnet") == ""
    first = V05.audits["TEST01"]
    assert first.tolerance_at(Scenario.SINGLE_STREAM, 200_000) == 0.2
    assert first.tolerance_at(Scenario.SINGLE_STREAM, 200_001) == 0.1
    assert (
        first.tolerance_at(Scenario.SERVER, 1) == first.tolerance_at(Scenario.OFFLINE, None) == 0.1
    )


def test_required_audits_of_v61() -> None:
    def of(benchmark: str) -> list[str]:
        return [name for name, a in V61.audits.items() if benchmark in a.required_for]

    assert of("resnet") == ["TEST01", "TEST04"]
    assert of("yolo-99") == ["TEST01"]
    assert of("llama3.1-8b") == ["TEST06"]
    assert of("gpt-oss-120b") == ["TEST07", "TEST09"]
    assert V61.audits["TEST01"].accuracy_tolerance_of == {"bert-99.9": 0.001, "3d-unet-99.9": 0.001}


def test_files_and_keys() -> None:
    old, new = V05.system_keys, V61.system_keys
    assert len(old.required) + len(old.optional) == 32
    assert len(new.required) == 35
    added = {"system_type", "system_type_detail", "host_network_card_count"}
    assert set(new.required) - {*old.required, *old.optional} == added
    assert len(new.filled) == 26
    assert not old.allows_others
    assert V05.measurement_keys == V61.measurement_keys
    assert set(V05.files.performance) - set(V61.files.performance) == {"mlperf_log_accuracy.json"}
    assert V61.files.most_bytes == {"mlperf_log_accuracy.json": 10_240}


@pytest.mark.parametrize("asked", ROUNDS, ids=round_names())
def test_a_round_can_be_sent_to_another_process(asked: Round) -> None:
    assert pickle.loads(pickle.dumps(asked)) == asked


@pytest.mark.slow
def test_published_trees_use_the_names_and_keys_of_v05() -> None:
    keys = {*V05.system_keys.required, *V05.system_keys.optional}
    closed: set[str] = set()
    odd: list[str] = []
    with tarfile.open(shared_data("published-v0.5", "results.tar.xz")) as archive:
        for member in archive:
            parts = member.name.split("/")
            below = parts[parts.index("results") + 1 :] if "results" in parts else []
            # System, benchmark, scenario, and what lies in there.
            if parts[0] == "closed" and len(below) > 3:
                closed.add(below[1])
            if parts[-2:-1] == ["systems"] and parts[-1].endswith(".json"):
                file = archive.extractfile(member)
                assert file is not None
                odd.extend(set(json.load(file)) - keys)
    assert closed == set(V05.benchmarks)
    # One submitter gave a count of virtual cores in place of one of cores.
    assert odd == ["host_processor_vcpu_count"]
