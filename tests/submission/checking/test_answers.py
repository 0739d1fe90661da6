"""The fast reader of accuracy logs gives what the exact one gives, or the same refusal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.logs import AccuracyLogError, read_accuracy_log
from inferometer.submission import Tree, TreeError
from inferometer.submission.checking import answers as module
from inferometer.submission.checking import read_answers

_LOG = "mlperf_log_accuracy.json"
Entry = tuple[int, int, bytes]


def _loadgen(entries: list[Entry], end: str = "\n") -> str:
    lines = (
        f'{{ "seq_id" : {seq}, "qsl_idx" : {index}, "data" : "{data.hex().upper()}" }}'
        for seq, index, data in entries
    )
    return f"[{end}" + f",{end}".join(lines) + f"{end}]{end}"


def _dumped(entries: list[Entry]) -> str:
    values = [
        {"data": data.hex().upper(), "qsl_idx": index, "seq_id": seq}
        for seq, index, data in entries
    ]
    return json.dumps(values, indent=2, sort_keys=True)


def _compact(entries: list[Entry]) -> str:
    return json.dumps([{"seq_id": s, "qsl_idx": i, "data": d.hex()} for s, i, d in entries])


def _read(folder: Path) -> list[Entry] | None:
    found: list[Entry] = []
    try:
        for batch in read_answers(Tree(folder), _LOG):
            at = 0
            for seq, index, size in zip(batch.ids, batch.indices, batch.sizes, strict=True):
                found.append((int(seq), int(index), batch.data[at : at + size]))
                at += int(size)
    except (AccuracyLogError, TreeError):
        return None
    return found


def _exact(folder: Path) -> list[Entry] | None:
    try:
        return [(e.seq_id, e.qsl_idx, e.data) for e in read_accuracy_log(folder / _LOG)]
    except AccuracyLogError:
        return None


_ENTRIES = st.lists(
    st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), st.binary(max_size=12)), max_size=12
)


@given(
    entries=_ENTRIES,
    form=st.sampled_from([_loadgen, _dumped, _compact, lambda e: _loadgen(e, "\r\n")]),
    cut=st.one_of(st.none(), st.integers(0, 400)),
    junk=st.sampled_from(["", ",", "}", " ", "\n", '{ "seq_id" : 1 }', "]"]),
    at=st.integers(0, 300),
    chunk=st.integers(40, 400),
)
def test_fast_is_exact(
    entries: list[Entry],
    form: object,
    cut: int | None,
    junk: str,
    at: int,
    chunk: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    assert callable(form)
    text = str(form(entries))[:cut]
    text = text[:at] + junk + text[at:]
    folder = tmp_path_factory.mktemp("log")
    (folder / _LOG).write_bytes(text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_CHUNK_BYTES", chunk)
        assert _read(folder) == _exact(folder)


@pytest.mark.parametrize("form", [_loadgen, _dumped, lambda e: _loadgen(e, "\r\n")])
def test_regular_logs_never_reach_the_exact_reader(
    form: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(form)
    entries = [(n, n * 7 % 1000, bytes([n % 256] * 4)) for n in range(1000)]
    (tmp_path / _LOG).write_bytes(str(form(entries)).encode())
    monkeypatch.setattr(module, "_CHUNK_BYTES", 5000)
    monkeypatch.setattr(module, "read_accuracy_log", None)
    assert _read(tmp_path) == entries


@pytest.mark.parametrize(
    "number", ["1e999999999", "1.5", '"1"', "null", "true", "9" * 5000, "-1e400", "NaN"]
)
def test_what_is_no_whole_number_is_refused(number: str, tmp_path: Path) -> None:
    text = f'[{{"seq_id": {number}, "qsl_idx": 0, "data": "00"}}]'
    (tmp_path / _LOG).write_text(text)
    assert _read(tmp_path) in (None, [(1, 0, b"\0")] if number == "true" else None)


def test_numbers_beyond_64_bits_are_refused(tmp_path: Path) -> None:
    (tmp_path / _LOG).write_text(f'[{{"seq_id": 0, "qsl_idx": {2**70}, "data": "00"}}]')
    assert _read(tmp_path) is None


def test_an_endless_line_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LONGEST_LINE_BYTES", 1000)
    monkeypatch.setattr(module, "_CHUNK_BYTES", 100)
    entries = [(n, n, b"1234") for n in range(100)]
    (tmp_path / _LOG).write_text(_compact(entries))
    assert _read(tmp_path) is None
