"""Results: the logs of a test written anew from its recording, as the round wants them."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from inferometer.loadgen import ResponseReader, judge
from inferometer.logs import ACCURACY_LOG, ACCURACY_TEXT, write_logs
from inferometer.rounds import Round
from inferometer.submission.building.candidate import RecordedTest
from inferometer.submission.building.request import SubmissionError

__all__ = ["write_accuracy", "write_performance"]

_RESPONSES = "responses.bin"
# What stands between the two ends of a truncated log, as the published tool writes it.
_ELLIPSIS = b"\n\n...\n\n"
_CHUNK_BYTES = 1 << 20


def write_performance(test: RecordedTest, folder: Path, book: Round) -> None:
    """Write the logs of a performance run, and nothing that the round doesn't ask for."""
    _write_logs(test, folder)
    _keep_only(folder, book.files.performance)


def write_accuracy(test: RecordedTest, folder: Path, book: Round) -> str:
    """Write the logs of an accuracy run with its score; give the sha256 of the whole log.

    Where the round wants the log truncated, its two ends stay, and the hash stands in
    ``accuracy.txt``. The whole log can be written again from the run folder.
    """
    accuracy = test.result.accuracy
    assert accuracy is not None
    _write_logs(test, folder)
    log = folder / ACCURACY_LOG
    digest = _sha256(log)
    _truncate(log, book.files.kept_bytes)
    text = f"{accuracy.line}\n"
    if book.files.kept_bytes is not None:
        text += f"\nhash={digest}\n"
    (folder / ACCURACY_TEXT).write_text(text, "utf-8", newline="\n")
    _keep_only(folder, book.files.accuracy)
    return digest


def _write_logs(test: RecordedTest, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    recording = test.result.recording
    source = test.result.folder
    if source is None:
        raise SubmissionError(f"{test.where}: the test has no folder to write its logs from")
    with tempfile.TemporaryDirectory() as empty:
        responses = source / _RESPONSES
        if not responses.is_file():
            # Runs without logged answers keep no file of them.
            responses = Path(empty) / _RESPONSES
            responses.touch()
        write_logs(folder, recording, judge(recording), ResponseReader(responses))


def _keep_only(folder: Path, names: tuple[str, ...]) -> None:
    for path in folder.iterdir():
        if path.name not in names:
            path.unlink()


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _truncate(log: Path, kept_bytes: int | None) -> None:
    """Leave only the two ends of a log that is larger than one of them."""
    if kept_bytes is None or log.stat().st_size <= kept_bytes:
        return
    with log.open("rb") as file:
        start = file.read(kept_bytes)
        file.seek(-kept_bytes, 2)
        end = file.read()
    log.write_bytes(start + _ELLIPSIS + end)
