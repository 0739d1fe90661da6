"""Recordings and response logs: saved whole or not at all, read back, refused when damaged."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inferometer.loadgen import (
    Era,
    Journal,
    Mode,
    Recording,
    RecordingError,
    ResponseError,
    ResponseReader,
    ResponseWriter,
    Scenario,
    judge,
    recover,
)
from inferometer.loadgen.responses import answers_of
from tests.support import ROOT, short_settings, simulate


def assert_equal(one: Recording, other: Recording) -> None:
    assert one.settings == other.settings
    assert one.chronicle == other.chronicle
    assert one.messages == other.messages
    assert one.result_series == other.result_series
    for mine, yours in zip(one.series, other.series, strict=True):
        for name in vars(mine):
            left, right = getattr(mine, name), getattr(yours, name)
            if isinstance(left, np.ndarray):
                assert left.dtype == right.dtype, name
                assert left.tolist() == right.tolist(), name
            else:
                assert left == right, name


@pytest.mark.parametrize("scenario", list(Scenario))
def test_recordings_round_trip_and_judge_alike(scenario: Scenario, tmp_path: Path) -> None:
    era = Era.V05 if scenario is Scenario.MULTI_STREAM_FREE else Era.CURRENT
    asked = short_settings(scenario, mode=Mode.SUBMISSION, era=era, server_target_qps=1000.0)
    recording = simulate(asked).recording
    path = recording.save(tmp_path / "deep" / "recording.npz")
    again = Recording.load(path)
    assert_equal(recording, again)
    assert judge(again) == judge(recording)
    assert [p.name for p in path.parent.iterdir()] == ["recording.npz"], "no temporary files"


def test_a_query_costs_few_bytes() -> None:
    recording = simulate(short_settings(Scenario.SERVER, min_query_count=10_000)).recording
    series = recording.performance
    assert series is not None
    arrays = (series.scheduled_ns, series.issued_ns, series.completed_ns, series.sample_index)
    assert sum(array.nbytes for array in arrays) <= 64 * series.query_count


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a readable recording"),
        (b"PK\x03\x04 nonsense", "not a readable recording"),
    ],
)
def test_damaged_recordings_are_refused(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "recording.npz"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=message):
        Recording.load(path)


def test_missing_foreign_and_future_recordings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="no such recording"):
        Recording.load(tmp_path / "none.npz")
    for header, message in (
        ({"format": "other"}, "not an Inferometer recording"),
        ({"format": "inferometer recording", "version": 99}, "version 99"),
        ([], "not an Inferometer recording"),
    ):
        path = tmp_path / "foreign.npz"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("header.json", json.dumps(header))
        with pytest.raises(RecordingError, match=message):
            Recording.load(path)


def test_a_cut_off_recording_is_refused(tmp_path: Path) -> None:
    path = simulate(short_settings()).recording.save(tmp_path / "recording.npz")
    content = path.read_bytes()
    for size in range(0, len(content) - 1, 97):
        path.write_bytes(content[:size])
        with pytest.raises(RecordingError):
            Recording.load(path)


def test_a_full_disk_sends_the_recording_elsewhere(tmp_path: Path) -> None:
    """A folder that takes nothing: its file system is full for this process."""
    recording = simulate(short_settings()).recording
    blocker = tmp_path / "blocked"
    blocker.write_text("a file where the folder should be")
    saved = recording.save(blocker / "run" / "recording.npz")
    assert saved.parent != blocker
    assert_equal(Recording.load(saved), recording)
    saved.unlink()


def test_when_nothing_takes_the_recording_the_error_names_every_place(tmp_path: Path) -> None:
    """With a limit of 0 bytes on files, every file system is full."""
    script = textwrap.dedent(
        """
        import resource, signal, sys
        sys.path.insert(0, %r)
        from pathlib import Path
        from inferometer.loadgen import RecordingError
        from tests.support import short_settings, simulate

        recording = simulate(short_settings()).recording
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        try:
            recording.save(Path(%r))
        except RecordingError as error:
            print(error)
        """
    ) % (str(ROOT), str(tmp_path / "recording.npz"))
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert "could not be saved" in found.stdout
    assert str(tmp_path) in found.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_during_accuracy_ends_the_run_with_a_finding(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import resource, signal, sys
        sys.path.insert(0, %r)
        from pathlib import Path
        from inferometer.loadgen import Mode, Query, RunOptions, VirtualClock, run_test
        from inferometer.serving import SimulatedSUT
        from tests.support import Library, short_settings

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (400, 400))
        clock = VirtualClock()
        options = RunOptions(clock=clock, response_path=Path(%r))
        outcome = run_test(
            SimulatedSUT(clock), Library(), short_settings(mode=Mode.ACCURACY), options
        )
        print([kind.value for kind in outcome.recording.series[-1].incident_counts])
        print(len(list(outcome.responses)))
        """
    ) % (str(ROOT), str(tmp_path / "responses.bin"))
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    kinds, kept = found.stdout.splitlines()
    assert "responses_not_kept" in kinds
    assert int(kept) >= 5, "what was written before is still there"


def test_a_journal_is_removed_when_it_is_closed_and_recovers_before(tmp_path: Path) -> None:
    from inferometer.loadgen import RunOptions, VirtualClock, run_test
    from inferometer.serving import SimulatedSUT
    from tests.support import Library

    for scenario in Scenario:
        era = Era.V05 if scenario is Scenario.MULTI_STREAM_FREE else Era.CURRENT
        asked = short_settings(scenario, era=era, server_target_qps=1000.0, mode=Mode.SUBMISSION)
        clock, library = VirtualClock(), Library()
        header = Journal.of_test(asked, "simulated", library)
        header.close()
        journal = Journal(
            {
                "settings": asked.to_mapping(),
                "sut_name": "simulated",
                "library_name": library.name,
                "total_sample_count": library.total_sample_count,
                "performance_sample_count": library.performance_sample_count,
                "wall_start_s": 0.0,
            },
            parent=tmp_path,
        )
        outcome = run_test(
            SimulatedSUT(clock), library, asked, RunOptions(clock=clock, journal=journal)
        )
        assert journal.folder is not None
        folder = journal.folder
        found = recover(folder)
        for mine, yours in zip(found.series, outcome.recording.series, strict=True):
            assert mine.completed_ns.tolist() == yours.completed_ns.tolist()
            assert mine.scheduled_ns.tolist() == yours.scheduled_ns.tolist()
            assert mine.sample_index.tolist() == yours.sample_index.tolist()
        journal.close()
        assert not folder.exists()


def test_a_folder_without_journal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="not a readable journal"):
        recover(tmp_path)


def test_without_shared_memory_the_arrays_are_plain(tmp_path: Path) -> None:
    journal = Journal({}, parent=tmp_path / "missing")
    assert journal.folder is None
    journal.close()


@given(st.lists(st.lists(st.binary(max_size=60), min_size=1, max_size=8), max_size=12))
@settings(max_examples=60, deadline=None)
def test_responses_round_trip(batches: list[list[bytes]]) -> None:
    writer, number = ResponseWriter(), 0
    for batch in batches:
        ids = range(number, number + len(batch))
        writer.write(ids, batch)
        number += len(batch)
    found = [(r.sample_id, r.data) for r in writer.reader()]
    assert found == list(enumerate(data for batch in batches for data in batch))


def test_a_cut_off_response_log_gives_all_whole_frames(tmp_path: Path) -> None:
    path = tmp_path / "responses.bin"
    writer = ResponseWriter(path)
    for number in range(5):
        writer.write([number], [b"x" * 10])
    content = path.read_bytes()
    path.write_bytes(content[:-3])
    reader = ResponseReader(path)
    assert [r.sample_id for r in reader] == [0, 1, 2, 3]
    assert reader.truncated
    path.write_bytes(b"garbage that is long enough to be a frame head")
    with pytest.raises(RecordingError, match="damaged at byte 0"):
        list(ResponseReader(path))


@pytest.mark.parametrize(
    ("given_responses", "count", "expected"),
    [
        (None, 2, [b"", b""]),
        (b"ab", 1, [b"ab"]),
        (bytearray(b"ab"), 1, [b"ab"]),
        ([b"a", b"bc"], 2, [b"a", b"bc"]),
        (np.array([[1, 2], [3, 4]], np.uint8), 2, [b"\x01\x02", b"\x03\x04"]),
        (np.array([1, 2], "<i4"), 2, [b"\x01\0\0\0", b"\x02\0\0\0"]),
        ([np.float32(0), np.array([1], "u1")], 2, [b"\0\0\0\0", b"\x01"]),
        (np.zeros((2, 0)), 2, [b"", b""]),
        (np.arange(8, dtype=np.uint8).reshape(2, 4)[:, ::2], 2, [b"\x00\x02", b"\x04\x06"]),
    ],
)
def test_forms_of_responses(given_responses: object, count: int, expected: list[bytes]) -> None:
    give = answers_of(given_responses, count)
    assert [bytes(give(row)) for row in range(count)] == expected


def test_responses_that_do_not_fit() -> None:
    for given_responses, count in ((b"ab", 2), ([b"a"], 2), (np.zeros((3, 1)), 2)):
        with pytest.raises(ResponseError):
            answers_of(given_responses, count)


def test_phases_round_trip_and_recordings_without_them_load(tmp_path: Path) -> None:
    plain = simulate(short_settings(Scenario.SINGLE_STREAM)).recording
    (series,) = plain.series
    told = dataclasses.replace(
        series,
        began_ns=series.issued_ns + 5,
        preprocess_ns=np.full(series.sample_count, 7, np.int64),
        infer_ns=np.full(series.sample_count, 9, np.int64),
    )
    recording = dataclasses.replace(plain, series=(told,))
    assert_equal(recording, Recording.load(recording.save(tmp_path / "told.npz")))
    (again,) = Recording.load(plain.save(tmp_path / "plain.npz")).series
    assert again.began_ns is again.preprocess_ns is again.infer_ns is None
