"""Descriptions: keys of the rounds, the user's file, and what mustn't be empty."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inferometer.rounds import load_round
from inferometer.submission.system import (
    SystemDescriptionError,
    check_filled,
    described,
    known_keys,
    read_description,
)
from tests.submission.building.sessions import DESCRIPTION

FULL = {
    **DESCRIPTION,
    "division": "open",
    "submitter": "ACME",
    "number_of_nodes": "1",
    "host_processor_model_name": "CPU",
    "host_memory_capacity": "1 GiB",
    "framework": "F 1",
    "operating_system": "OS",
    "other_software_stack": "none",
}


def test_every_key_of_a_round_is_there() -> None:
    assert len(known_keys(load_round("v0.5"))) == 32
    assert len(known_keys(load_round("v6.1"))) == 35
    for name in ("v0.5", "v6.1"):
        book = load_round(name)
        values = described(book, {"framework": "a", "unknown": "x"}, {"framework": ""})
        assert tuple(values) == known_keys(book)
        assert values["framework"] == "a"
        assert values["cooling"] == ""


def test_later_sources_override() -> None:
    values = described(load_round("v0.5"), {"cooling": "air"}, {"cooling": "water"})
    assert values["cooling"] == "water"


def test_words_of_a_round_are_spelt_as_it_does() -> None:
    given = {"status": "RDI", "system_type": "Edge", "cooling": "Air"}
    values = described(load_round("v6.1"), given)
    assert {key: values[key] for key in given} == {
        "status": "rdi",
        "system_type": "edge",
        "cooling": "Air",
    }


def test_a_full_description_is_accepted() -> None:
    for name in ("v0.5", "v6.1"):
        check_filled(load_round(name), described(load_round(name), FULL))


@pytest.mark.parametrize(
    ("round_name", "change", "message"),
    [
        ("v0.5", {"status": ""}, "round v0.5 wants what this machine doesn't tell: status"),
        ("v0.5", {"status": "availble"}, "did you mean 'available'"),
        ("v6.1", {"cooling": ""}, r'cooling; write it[^"]+"cooling": "…"'),
        ("v6.1", {"system_type": "phone"}, "it takes one of"),
        ("v6.1", {"number_of_nodes": "one"}, "it takes a whole number"),
    ],
)
def test_what_a_round_does_not_take(round_name: str, change: dict[str, str], message: str) -> None:
    book = load_round(round_name)
    with pytest.raises(SystemDescriptionError, match=message):
        check_filled(book, {**described(book, FULL), **change})


def test_files(tmp_path: Path) -> None:
    known = known_keys(load_round("v6.1"))
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"cooling": " air ", "number_of_nodes": 1, "hw_notes": True}))
    expected = {"cooling": "air", "number_of_nodes": "1", "hw_notes": "true"}
    assert read_description(path, known) == expected
    path = tmp_path / "a.toml"
    path.write_text('cooling = "air"\nnumber_of_nodes = 1\nhw_notes = true\n')
    assert read_description(path, known) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"coolin": "air"}', "'coolin' is no key of a system description; did you mean"),
        (b'{"cooling": null}', "cooling is None; it takes a text or a number"),
        (b'{"cooling": ["air"]}', "it takes a text or a number"),
        (b"{", "not a JSON file"),
        (b"[]", "holds no keys with values"),
        (b"\xff", "not a JSON file"),
        (b"[" * 100_000, "not a JSON file"),
        (b" " * (2 << 20), "larger than 1 MiB"),
    ],
)
def test_damaged_files(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "system.json"
    path.write_bytes(content)
    with pytest.raises(SystemDescriptionError, match=message) as raised:
        read_description(path, known_keys(load_round("v0.5")))
    assert str(path) in str(raised.value)


def test_missing_and_broken_toml(tmp_path: Path) -> None:
    with pytest.raises(SystemDescriptionError, match="No such file"):
        read_description(tmp_path / "none.json", ())
    path = tmp_path / "a.toml"
    path.write_text("a =")
    with pytest.raises(SystemDescriptionError, match="not a TOML file"):
        read_description(path, ())
