"""The tuned file: what is written is read back, and what is wrong is named with its line."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inferometer.backends import BackendOptions, get_backend
from inferometer.loadgen import Scenario
from inferometer.runs import RunRequest, ServingOptions, SystemOptions, describe_system
from inferometer.tuning import (
    Gain,
    Outcome,
    TunedFileError,
    TunedScenario,
    Tuning,
    differences,
    read_tuned_file,
    with_tuned,
    write_tuned_file,
)

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
setups = st.builds(
    SystemOptions,
    st.builds(
        BackendOptions,
        threads=st.integers(1, 256),
        extra=st.dictionaries(words, words, max_size=3),
    ),
    st.builds(
        ServingOptions,
        kind=st.sampled_from(["inline", "pool"]),
        workers=st.integers(1, 256),
        max_batch_size=st.integers(1, 4096),
        max_wait_ms=st.floats(0, 1e4),
    ),
)
DEFAULT = SystemOptions(
    BackendOptions(threads=1), ServingOptions(kind="pool", workers=2, max_batch_size=32)
)
FASTER = SystemOptions(
    BackendOptions(threads=2, extra={"graph_optimization": "extended"}),
    ServingOptions(kind="pool", workers=1, max_batch_size=8, max_wait_ms=0.5),
)


def tuning_of(*scenarios: TunedScenario, **changes: Any) -> Tuning:
    system = describe_system()
    values: dict[str, Any] = {
        "identity": {
            "workload": "pocket-mobilenet",
            "backend": "onnxruntime",
            "device": "cpu",
            "number_format": "fp32",
        },
        "machine": {name: system[name] for name in ("processor", "usable_cores")},
        "versions": {"backend": get_backend("onnxruntime").version()},
        "made_at": "2026-11-24T02:43:06+0000",
        "command": 'inferometer tune "x"',
        "scenarios": scenarios,
    }
    return Tuning(**{**values, **changes})


def tuned(scenario: Scenario = Scenario.OFFLINE, **changes: Any) -> TunedScenario:
    gain = Gain(1.23, 1.18, 1.29, 12)
    values: dict[str, Any] = {"outcome": Outcome.TUNED, "found": FASTER, "gain": gain}
    return TunedScenario(scenario, default=DEFAULT, **{**values, **changes})


@given(setup=setups)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read_back(setup: SystemOptions, tmp_path: Path) -> None:
    path = tmp_path / "t.toml"
    found = TunedScenario(Scenario.SERVER, Outcome.DEFAULTS_BEST, setup)
    write_tuned_file(path, tuning_of(found))
    assert read_tuned_file(path).setups == {Scenario.SERVER: setup}


def test_only_a_confirmed_gain_changes_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "t.toml"
    unsure = tuned(Scenario.SERVER, outcome=Outcome.NOT_CONFIRMED, gain=Gain(1.1, 0.9, 1.3, 12))
    trials = write_tuned_file(path, tuning_of(tuned(), unsure))
    setups = read_tuned_file(path).setups
    assert setups == {Scenario.OFFLINE: FASTER, Scenario.SERVER: DEFAULT}
    text = path.read_text("utf-8")
    assert "tuned is 1.23 [1.18, 1.29] times as good as the defaults" in text
    assert "the best that was found: threads 2" in text
    gain = tomllib.loads(text)["Offline"]["gain"]
    assert (gain["value"], gain["low"], gain["high"], gain["pairs"]) == (1.23, 1.18, 1.29, 12)
    assert json.loads(trials.read_text("utf-8")) == {"Offline": [], "Server": []}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("threads = 2", "threds = 2", "line 21: there is no 'threds'; did you mean 'threads'?"),
        ("threads = 2", "threads = 0", "line 21: threads is 0; it has to be a whole number"),
        ("threads = 2\n", "", "t.toml, line 19: threads is missing"),
        ('serving = "pool"', 'serving = "pol"', "line 22: serving is 'pol'; it has to be inline"),
        ("max_wait_ms = 0.5", "max_wait_ms = -1", "line 25: max_wait_ms is -1; it has to be"),
        ('"extended"', "3", "graph_optimization is 3; it has to be a string"),
        ("[Offline]", "[Ofline]", "line 19: there is no 'Ofline'; did you mean 'Offline'?"),
        ("format = 1", "format = 9", "line 3: format is 9, and 1 was expected"),
        ("format = 1", "format = ", "not a TOML file"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = tmp_path / "t.toml"
    write_tuned_file(path, tuning_of(tuned(gain=None)))
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(TunedFileError) as caught:
        read_tuned_file(path)
    assert message in str(caught.value)


def test_a_missing_file_says_what_writes_one(tmp_path: Path) -> None:
    with pytest.raises(TunedFileError, match="inferometer tune"):
        read_tuned_file(tmp_path / "none.toml")


def request_of(**changes: Any) -> RunRequest:
    base = RunRequest("pocket-mobilenet", Path("x"), scenarios=(Scenario.OFFLINE,))
    return dataclasses.replace(base, **changes)


def test_a_request_takes_the_setup_of_each_scenario(tmp_path: Path) -> None:
    path = tmp_path / "t.toml"
    write_tuned_file(path, tuning_of(tuned()))
    request = with_tuned(request_of(), read_tuned_file(path), ())
    assert request.for_scenario(Scenario.OFFLINE).system_options == FASTER
    untuned = SystemOptions(BackendOptions(threads=1))
    assert request.for_scenario(Scenario.SERVER).system_options == untuned


def test_what_the_user_says_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "t.toml"
    write_tuned_file(path, tuning_of(tuned()))
    asked = request_of(
        backend_options=BackendOptions(threads=4, extra={"graph_optimization": "none"}),
        serving=ServingOptions(workers=7),
    )
    found = with_tuned(asked, read_tuned_file(path), ("threads", "workers", "workload"))
    options = found.for_scenario(Scenario.OFFLINE)
    assert options.backend_options.threads == 4
    assert options.backend_options.extra == {"graph_optimization": "none"}
    assert options.serving == dataclasses.replace(FASTER.serving, workers=7)


def test_options_of_another_backend_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "t.toml"
    write_tuned_file(path, tuning_of(tuned()))
    file, request = read_tuned_file(path), request_of(backend="openvino")
    assert with_tuned(request, file, ()).for_scenario(Scenario.OFFLINE).backend_options.extra == {}
    assert any("the file was made for onnxruntime" in text for text in differences(request, file))


def test_what_differs_is_told(tmp_path: Path) -> None:
    path = tmp_path / "t.toml"
    write_tuned_file(path, tuning_of(tuned()))
    assert differences(request_of(), read_tuned_file(path)) == []
    write_tuned_file(
        path, tuning_of(tuned(), machine={"usable_cores": 999}, versions={"backend": "0.1"})
    )
    told = differences(
        request_of(workload="pocket-resnet", scenarios=(Scenario.OFFLINE, Scenario.SERVER)),
        read_tuned_file(path),
    )
    assert len(told) == 4
    assert "usable cores" in told[1]
    assert "0.1 in the file" in told[2]
    assert "Server" in told[3]
