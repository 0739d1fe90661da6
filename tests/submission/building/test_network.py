"""Results of systems behind a network: what they are called, and what describes them."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from inferometer.rounds import load_round
from inferometer.runs import load_session
from inferometer.submission.building import (
    RefusedError,
    SubmissionError,
    SubmissionRequest,
    build_submission,
    describing,
    description_of_machine,
)
from inferometer.submission.building.describing import describe_for
from inferometer.submission.checking import check_tree
from inferometer.submission.system import Sources, SystemDescriptionError
from tests.submission.building.sessions import (
    BACKEND,
    DESCRIPTION,
    SYSTEM,
    change_json,
    change_recordings,
    request_for,
)
from tests.submission.checking.current_trees import DETAIL, EDGE
from tests.submission.system.machines import make_machine, server

NAME = "Network SUT triton 2.50: resnet50 remote in-flight"
NETWORK = {
    "network_type": "Ethernet",
    "network_media": "copper",
    "network_rate": "25 Gbit/s",
    "nic_sut": "Ethernet 25 Gbit/s",
    "number_nic_sut": "1",
    "net_software_stack_sut": "TCP/IP of Linux 6.8",
    "network_topology": "one switch",
}
SUT = {
    **DESCRIPTION,
    **NETWORK,
    "number_of_nodes": "1",
    "host_processor_model_name": "Other CPU 7",
    "host_memory_capacity": "128 GiB",
    "framework": "TensorRT 10",
    "operating_system": "Other OS 2",
    "other_software_stack": "Triton 2.50",
}
REMOTE = {
    **BACKEND,
    "name": "remote",
    "framework": "remote server",
    "version": "triton 2.50",
    "url": "grpcs://sut.example:8001",
    "connections": 64,
}


def behind_a_network(runs: Path, folder: Path, name: str = NAME) -> Path:
    """Copy runs as if their system had been on a server."""
    shutil.copytree(runs, folder)
    change_recordings(folder, lambda recording: dataclasses.replace(recording, sut_name=name))
    change_json(folder / "session.json", lambda values: values.update(backend=REMOTE))
    return folder


def network_request(
    tmp_path: Path, runs: Path, description: Mapping[str, str] = SUT
) -> SubmissionRequest:
    request = request_for(tmp_path, runs, round_name="v6.1", division="network")
    assert request.system_file is not None
    request.system_file.write_text(json.dumps(dict(description)))
    return request


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sources:
    """Make this the machine of the generator."""
    monkeypatch.setattr(describing, "describe_system", lambda: SYSTEM)
    return Sources(make_machine(tmp_path / "machine", server()), lambda _: "")


def test_the_system_is_described_by_its_owner_and_the_generator_by_its_machine(
    pocket_v61: Path, tmp_path: Path, here: Sources
) -> None:
    runs = behind_a_network(pocket_v61, tmp_path / "runs")
    values = describe_for([load_session(runs)], network_request(tmp_path, runs), here)
    assert values["is_network"] == "true"
    assert values["division"] == "network"
    assert {key: values[key] for key in SUT} == {**SUT, "system_name": "Test system"}
    assert values["network_protocol"] == "Open Inference Protocol, gRPC over TLS, TCP"
    assert values["number_connections"] == "64"
    assert int(values["number_nic_loadgen"]) > 0
    assert "Gbit/s" in values["nic_loadgen"]
    assert values["net_software_stack_loadgen"].startswith("TCP/IP of Linux")


def test_nothing_of_this_machine_is_taken_for_the_systems(
    pocket_v61: Path, tmp_path: Path, here: Sources
) -> None:
    runs = behind_a_network(pocket_v61, tmp_path / "runs")
    known = {key: SUT[key] for key in DESCRIPTION}
    with pytest.raises(SystemDescriptionError) as raised:
        describe_for([load_session(runs)], network_request(tmp_path, runs, known), here)
    for key in ("host_processor_model_name", "framework", *NETWORK):
        assert f'"{key}": "…"' in str(raised.value)
    assert "network_protocol" not in str(raised.value)


def test_what_is_known_beforehand(pocket_v61: Path, tmp_path: Path, here: Sources) -> None:
    runs = behind_a_network(pocket_v61, tmp_path / "runs")
    values = description_of_machine(load_round("v6.1"), [load_session(runs)], here)
    assert values["is_network"] == "true"
    assert values["number_connections"] == "64"
    assert values["host_processor_model_name"] == values["nic_sut"] == ""


def refused(request: SubmissionRequest) -> dict[str, str]:
    with pytest.raises(RefusedError) as raised:
        build_submission(request)
    return {found.rule.id: found.seen for found in raised.value.findings}


def test_the_name_has_to_say_it(pocket_v61: Path, tmp_path: Path) -> None:
    plain = refused(network_request(tmp_path, pocket_v61))
    assert plain["log.network-name"].endswith("it was SUT")
    runs = behind_a_network(pocket_v61, tmp_path / "runs")
    assert "log.network-name" not in refused(network_request(tmp_path, runs))
    closed = refused(request_for(tmp_path, runs, round_name="v6.1", division="closed"))
    assert closed["system.network"].endswith(f"it was {NAME}")


def test_a_round_without_such_a_division(whole_v05: Path, tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match=r"no division 'network'.*known: closed, open"):
        build_submission(request_for(tmp_path, whole_v05, division="network"))


@pytest.mark.slow
def test_the_published_checker_takes_the_tree(whole_v61: Path, tmp_path: Path) -> None:
    runs = behind_a_network(whole_v61, tmp_path / "runs")
    shutil.rmtree(runs / "Server")
    audits = tmp_path / "audits"
    for scenario in EDGE:
        for name in ("TEST01", "TEST04"):
            test = audits / scenario / name
            logs = test / "performance/run_1"
            logs.mkdir(parents=True)
            for path in sorted((runs / scenario / "performance/run_1").glob("mlperf_log_*.txt")):
                text = path.read_text().replace('"SUT"', json.dumps(NAME))
                (logs / path.name).write_text(text)
            assert NAME in (logs / DETAIL).read_text()
            for verdict in ("verify_accuracy.txt", "verify_performance.txt"):
                (test / verdict).write_text("TEST PASS\n")
    generator = {
        "nic_loadgen": "Ethernet 25 Gbit/s",
        "number_nic_loadgen": "1",
        "net_software_stack_loadgen": "TCP/IP of Linux 6.1",
    }
    request = network_request(tmp_path, runs, {**SUT, **generator})
    made = build_submission(dataclasses.replace(request, audit=audits))
    assert (made.tree / "network/ACME/systems/sysA.json").is_file()
    published = check_tree(made.tree, workers=1).published
    assert len(published.results) == 3
    assert published.exit_code == 0, published
