"""What is wrong in a round's file is refused, with the file and the key."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from inferometer.rounds import Round, RoundError, load_round
from inferometer.rounds.round import read_round
from inferometer.rounds.table import Table, read_toml

FILES = {"v0.5": "v0_5.toml", "v6.1": "v6_1.toml"}
# A list of a list is what no key of a round takes.
WRONG: list[list[str]] = [[]]


def data_of(round_name: str) -> dict[str, Any]:
    text = resources.files("inferometer.rounds").joinpath(FILES[round_name]).read_text("utf-8")
    return tomllib.loads(text)


def paths(values: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in values.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from paths(value, (*above, key))


def read(data: Mapping[str, Any]) -> Round:
    return read_round(Table(data, "round.toml"))


def changed(data: Mapping[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    copied = copy.deepcopy(dict(data))
    inner = copied
    for key in path[:-1]:
        inner = inner[key]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return copied


@pytest.mark.parametrize("round_name", FILES)
def test_a_wrong_type_anywhere_is_refused(round_name: str) -> None:
    data = data_of(round_name)
    for path in paths(data):
        with pytest.raises(RoundError) as refused:
            read(changed(data, path, WRONG))
        message = str(refused.value)
        assert message.startswith("round.toml: "), message
        assert path[-1] in message, (path, message)


@pytest.mark.parametrize("round_name", FILES)
def test_an_unknown_key_anywhere_is_refused(round_name: str) -> None:
    data = data_of(round_name)
    tables = [(), *(path for path in paths(data) if isinstance(_at(data, path), dict))]
    for path in tables:
        with pytest.raises(RoundError) as refused:
            read(changed(data, (*path, "ofsset"), WRONG))
        assert "ofsset" in str(refused.value)


def _at(data: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        data = data[key]
    return data


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("era",), "v0.6", r"era: there is no era 'v0\.6'; did you mean 'v6\.0\.6'\?"),
        (("name",), " ", "name is empty"),
        (("name",), None, "name is missing; it takes a text"),
        (("seeds", "qsl"), None, r"seeds\.qsl is missing"),
        (("seeds", "qsl"), 2**64, "seeds are below"),
        (("seeds", "qsl"), True, "is True; it takes a whole number"),
        (("seeds", "qsl"), -1, "it takes 0 or more"),
        (("seeds", "hash"), 1, r"seeds\.hash is not a known key"),
        (("scenarios", "Server", "percentile"), 99, "it takes a share such as 0.99"),
        (("scenarios", "Serve"), {}, r"scenarios\.Serve: there is no scenario 'Serve'; did you me"),
        (("measurement_keys",), ["a", "a"], "holds 'a' twice"),
        (("measurement_keys",), ["a", ""], "holds ''; it takes texts"),
        (("benchmarks", "resnet", "target_value"), 75.7, "0.99 of 76.46 is 75.6954"),
        (("benchmarks", "resnet", "target_value"), float("inf"), "takes a number of 0 or more"),
        (("benchmarks", "resnet", "metrc"), "x", "metrc is not a known key; did you mean 'metric'"),
        (("benchmarks", "gnmt", "percentiles"), {"Offlin": 0.5}, "no scenario 'Offlin'"),
        (("benchmarks", "gnmt", "percentiles"), {"Server": 97}, "takes a share"),
        (("benchmarks", "gnmt", "limits"), [1], "limits 1 is no table"),
        (("benchmarks", "gnmt", "limits"), [{"metric": "x", "most": 1}], "most is not a known key"),
        (("benchmarks", "gnmt", "required"), {"phone": ["Server"]}, "phone is no kind of system"),
        (("areas", "mobile", "required"), ["Server"], "names Server, which the area doesn't run"),
        (("areas", "mobile", "scenarios"), ["MultiStreamFree"], "the round has no MultiStreamFree"),
        (("areas", "mobile", "benchmarks"), ["alexnet"], "'alexnet', which is no benchmark"),
        (("audits", "TEST01", "exempt"), ["alexnet"], "'alexnet', which is no benchmark"),
        (("audits", "TEST01", "config"), {"Sever": {}}, "Sever is not a known key"),
        (("audits", "TEST01", "config_of"), {"x": {"mode": 1}}, "'x', which is no benchmark"),
        (("audits", "TEST05", "is_two_sided"), 1, "it takes true or false"),
        (("system_keys", "filled"), ["colour"], "names 'colour', which is no key"),
        (("system_keys", "values"), {"colour": ["red"]}, "names 'colour', which is no key"),
    ],
)
def test_messages(path: tuple[str, ...], value: Any, message: str) -> None:
    with pytest.raises(RoundError, match=message):
        read(changed(data_of("v0.5"), path, value))


@pytest.mark.parametrize("key", ["required", "accuracy_sample_count", "token_bounds"])
def test_words_of_scenarios_that_are_not_loadgens(key: str) -> None:
    bounds = {"first_token_ms": 1, "per_token_ms": 1}
    values: dict[str, Any] = {
        "required": {"edge": ["Interactiv"]},
        "accuracy_sample_count": {"Interactiv": 1},
        "token_bounds": {"Interactiv": bounds},
    }
    data = changed(data_of("v6.1"), ("benchmarks", "rgat", key), values[key])
    with pytest.raises(RoundError, match="no scenario 'Interactiv'; did you mean 'Interactive'"):
        read(data)


def test_files_that_are_not_toml(tmp_path: Path) -> None:
    path = tmp_path / "v9.toml"
    with pytest.raises(RoundError, match=r"v9.toml: No such file"):
        read_toml(path)
    path.write_text("name = \n")
    with pytest.raises(RoundError, match=r"v9.toml: not a TOML file: .*line 1"):
        read_toml(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(RoundError, match=r"v9.toml: not a TOML file"):
        read_toml(path)


def test_reading_twice_gives_the_same() -> None:
    for name in FILES:
        assert load_round(name) == load_round(name) == read(data_of(name))
