"""Settings files of our own: errors name the file, the line and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from inferometer.loadgen import Scenario, SettingsError
from inferometer.runs import parse_assignment, read_settings_file


def test_tables_of_a_scenario_come_second(tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    path.write_text(
        "min_duration_ms = 500\n[Server]\nmin_duration_ms = 900\nserver_target_qps = 5\n"
    )
    assert read_settings_file(path, Scenario.OFFLINE) == {"min_duration_ms": 500}
    assert read_settings_file(path, Scenario.SERVER) == {
        "min_duration_ms": 900,
        "server_target_qps": 5,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\nmin_durations_ms = 5", "line 2: unknown setting 'min_durations_ms'; did you mean"),
        ("[Server]\nserver_target_qps = -1", "line 2: server_target_qps is -1; it takes a finite"),
        ("[server]\nx = 1", "line 1: there is no scenario 'server'; did you mean 'Server'"),
        ("min_duration_ms = ", "not a TOML file"),
        ('era = "v0.7"', "line 1: era is 'v0.7'; it takes one of"),
    ],
)  # fmt: skip
def test_errors(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        read_settings_file(path, Scenario.SERVER)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        read_settings_file(tmp_path / "none.toml", Scenario.SERVER)


def test_assignments() -> None:
    assert parse_assignment("min_query_count=5") == ("min_query_count", 5)
    assert parse_assignment("server_coalesce_queries = true") == ("server_coalesce_queries", True)
    assert parse_assignment("era=v0.5") == ("era", "v0.5")
    with pytest.raises(SettingsError, match="write name=value"):
        parse_assignment("min_query_count")
    with pytest.raises(SettingsError, match="did you mean"):
        parse_assignment("min_query_counts=5")
