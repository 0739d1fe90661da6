"""The description that comes with runs: of this machine if they ran on it, or of none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inferometer.rounds import load_round
from inferometer.runs import load_session
from inferometer.submission.building import (
    SubmissionError,
    build_submission,
    describing,
    description_of_machine,
)
from inferometer.submission.building.belonging import differences, differs_from_description
from inferometer.submission.building.describing import describe_for
from inferometer.submission.system import Sources, SystemDescriptionError
from tests.submission.building.sessions import DESCRIPTION, SYSTEM, request_for
from tests.submission.system.machines import make_machine, server


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sources:
    """Make this the machine that the sessions were recorded on."""
    monkeypatch.setattr(describing, "describe_system", lambda: SYSTEM)
    return Sources(make_machine(tmp_path / "machine", server()), lambda _: "")


def test_this_machine_tells(whole_v05: Path, tmp_path: Path, here: Sources) -> None:
    request = request_for(tmp_path, whole_v05, description={"status": "preview"})
    values = describe_for([load_session(whole_v05)], request, here)
    assert values["host_storage_type"] == "NVMe SSD, hard disk"
    assert values["framework"] == "ONNX Runtime 1.32.0"
    assert values["other_software_stack"] == "CPython 3.11.7, inferometer 0.1.0, numpy 2.0.0"
    assert values["submitter"] == "ACME"
    assert values["division"] == "open"
    assert values["status"] == "preview"
    assert values["system_name"] == "Maker Box 1"
    build_submission(request, here)
    written = json.loads((tmp_path / "tree/open/ACME/systems/sysA.json").read_text())
    assert written == values


def test_another_machine_tells_nothing(whole_v05: Path, tmp_path: Path) -> None:
    elsewhere = Sources(make_machine(tmp_path / "machine", server()), lambda _: "")
    request = request_for(tmp_path, whole_v05, description={"status": "available"})
    values = describe_for([load_session(whole_v05)], request, elsewhere)
    assert values["host_storage_type"] == ""
    assert values["host_processor_model_name"] == SYSTEM["processor"]
    assert values["host_memory_capacity"] == "62.5 GiB"
    assert values["operating_system"] == "Test OS 1"
    assert values["system_name"] == "sysA"


def test_what_is_missing_is_named(pocket_v61: Path, tmp_path: Path) -> None:
    request = request_for(tmp_path, pocket_v61, round_name="v6.1", description={}, demo=True)
    with pytest.raises(SystemDescriptionError, match=r"system_type.*--system system\.json"):
        build_submission(request)
    assert not request.tree.exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"submitter": "Other"}, "submitter is 'Other', and --submitter is 'ACME'"),
        ({"division": "closed"}, "division is 'closed', and --division is 'open'"),
        ({"framework": "PyTorch 2"}, "ran on ONNX Runtime; name it, or leave framework out"),
    ],
)
def test_files_that_contradict(
    whole_v05: Path, tmp_path: Path, given: dict[str, str], message: str
) -> None:
    request = request_for(tmp_path, whole_v05, description={**DESCRIPTION, **given})
    with pytest.raises(SubmissionError, match=message):
        build_submission(request)


def test_a_description_without_runs_leaves_the_framework_open(tmp_path: Path) -> None:
    sources = Sources(make_machine(tmp_path, server()), lambda _: "")
    values = description_of_machine(load_round("v6.1"), [], sources)
    assert values["framework"] == ""
    assert values["host_processors_per_node"] == "2"


def test_a_description_of_runs(whole_v05: Path, here: Sources) -> None:
    values = description_of_machine(load_round("v0.5"), [load_session(whole_v05)], here)
    assert values["framework"] == "ONNX Runtime 1.32.0"
    assert values["submitter"] == ""


def test_differences() -> None:
    assert differences(SYSTEM, SYSTEM) == []
    assert differences(SYSTEM, {}) == []
    assert differences(SYSTEM, {**SYSTEM, "memory_gib": 62.0}) == []
    assert differences(SYSTEM, {**SYSTEM, "host": "b"}) == ["host b, not bench-1"]
    assert differences(SYSTEM, {**SYSTEM, "memory_gib": 31.0}) == ["memory 31.0 GiB, not 62.5 GiB"]


@pytest.mark.parametrize(
    ("recorded", "named", "is_same"),
    [
        ("Intel(R) Xeon(R) Platinum 8380 CPU @ 2.30GHz", "Intel Xeon Platinum 8380", True),
        ("Intel(R) Xeon(R) Platinum 8380 CPU @ 2.30GHz", "8380", True),
        ("Intel(R) Xeon(R) Platinum 8380 CPU @ 2.30GHz", "Intel Xeon Platinum 8280", False),
        ("AMD EPYC", "AMD EPYC", True),
        ("AMD EPYC", "AMD EPYC 9575F", False),
        ("AMD EPYC 9575F 64-Core Processor", "AMD EPYC 9575F", True),
        ("", "anything", True),
        ("Neoverse-N1", "", True),
    ],
)
def test_spellings_of_processors(recorded: str, named: str, is_same: bool) -> None:
    found = differs_from_description({"processor": recorded}, {"host_processor_model_name": named})
    assert (list(found) == []) is is_same
