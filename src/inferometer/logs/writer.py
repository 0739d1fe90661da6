"""Writer: puts the four log files of a test into a folder."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from inferometer.loadgen.recording import Recording
from inferometer.loadgen.responses import ResponseReader
from inferometer.loadgen.verdict import Verdict
from inferometer.loadgen.vocabulary import Mode
from inferometer.logs.accuracy import write_accuracy_log
from inferometer.logs.detail import detail_lines
from inferometer.logs.detail_v05 import detail_v05_lines
from inferometer.logs.file_names import LOG_FILES
from inferometer.logs.summary import summary_lines
from inferometer.logs.trace import DEFAULT_SAMPLE_LIMIT, trace_lines

__all__ = ["LogSettings", "timestamp_lines", "write_logs"]


@dataclass(frozen=True)
class LogSettings:
    """Names and switches of the log files; defaults as published, but no trace.

    A file's name is ``prefix`` (with the date and time behind it, if wanted), the kind of
    log, ``suffix`` and the extension.
    """

    prefix: str = "mlperf_log_"
    suffix: str = ""
    prefix_with_datetime: bool = False
    copy_detail_to_stdout: bool = False
    copy_summary_to_stdout: bool = False
    enable_trace: bool = False
    trace_sample_limit: int = DEFAULT_SAMPLE_LIMIT

    def path(self, folder: Path, kind: str, wall_s: float) -> Path:
        """Give the path of a log: ``summary``, ``detail``, ``accuracy`` or ``trace``."""
        extension = Path(LOG_FILES[kind]).suffix
        stamp = ""
        if self.prefix_with_datetime:
            stamp = datetime.fromtimestamp(wall_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ_")
        return folder / f"{self.prefix}{stamp}{kind}{self.suffix}{extension}"


def write_logs(
    folder: Path,
    recording: Recording,
    verdict: Verdict | None,
    responses: ResponseReader,
    settings: LogSettings | None = None,
) -> dict[str, Path]:
    """Write summary, detail, accuracy and trace logs in the dialect of the recording's era.

    All four files are always made; without ``enable_trace`` the trace is empty, as the
    published LoadGen leaves it. Gives the path of each. Raises OSError if the folder
    can't be written.
    """
    names = settings or LogSettings()
    paths = {kind: names.path(folder, kind, recording.wall_start_s) for kind in LOG_FILES}
    if recording.settings.era.is_v05:
        detail = list(detail_v05_lines(recording))
    else:
        shown = None if recording.settings.mode is Mode.ACCURACY else verdict
        detail = list(detail_lines(recording, shown))
    summary = summary_lines(recording, verdict)
    _write_lines(paths["detail"], detail, names.copy_detail_to_stdout)
    _write_lines(paths["summary"], summary, names.copy_summary_to_stdout)
    with paths["accuracy"].open("wb") as file:
        write_accuracy_log(file, recording, responses)
    trace = trace_lines(recording, names.trace_sample_limit) if names.enable_trace else ()
    _write_lines(paths["trace"], trace, copy=False)
    return paths


def _write_lines(path: Path, lines: Iterable[str], copy: bool) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for line in lines:
            file.write(f"{line}\n")
            if copy:
                sys.stdout.write(f"{line}\n")


def timestamp_lines(recording: Recording) -> list[str]:
    """Give the five lines that ``print_timestamps`` asks for, spelt as published."""
    series = recording.performance
    if series is None or not recording.settings.print_timestamps:
        return []
    clock_ms = series.stop_ns // 1_000_000
    wall_ms = int((series.wall_stop_s - series.wall_start_s) * 1e3)
    ratio = f"{clock_ms / wall_ms:.4f}" if wall_ms else "nan"
    return [
        f"Loadgen :: Perf mode start. system_clock Timestamp = {int(series.wall_start_s)}",
        f"Loadgen :: Perf mode stop. systme_clock Timestamp = {int(series.wall_stop_s)}",
        f"Loadgen :: PerfClock Perf duration = {clock_ms}ms",
        f"Loadgen :: system_clock Perf duration = {wall_ms}ms",
        f"Loadgen :: PerfClock/system_clock ratio = {ratio}",
    ]
