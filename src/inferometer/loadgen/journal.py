"""Journal: a running test's arrays in shared memory, where a crash can't reach them.

A process that is killed takes its own memory along, but not files in shared memory, and
those cost the timed part no more than plain memory does. A journal that is found after a
crash is turned into a recording; one whose test has ended is removed.
"""

from __future__ import annotations

import dataclasses
import json
import mmap
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen.arrays import ArrayStore, MemoryStore
from inferometer.loadgen.effective import derive
from inferometer.loadgen.errors import RecordingError
from inferometer.loadgen.incident import Incident, IncidentKind
from inferometer.loadgen.plan import LoadableSet, Plan, loadable_sets, make_plan, planned_for
from inferometer.loadgen.query import SampleLibrary
from inferometer.loadgen.recording import Recording, SeriesRecord, Step
from inferometer.loadgen.settings import Settings
from inferometer.loadgen.stamps import Circumstances, Stamps, make_record
from inferometer.loadgen.vocabulary import Mode

__all__ = ["Journal", "SeriesStart", "abandoned_journals", "is_alive", "is_journal", "recover"]

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108
_PREFIX = "inferometer-"
_HEADER = "header.json"
_ITEM_BYTES = 8


@dataclass(frozen=True)
class SeriesStart:
    """What is known of a series before its first query."""

    number: int
    mode: str
    set_number: int
    padded_for: int
    target_qps: float
    samples_per_query: int
    first_sample_id: int
    wall_start_s: float
    planned_ms: int = 0
    """For how long queries were planned, where a rule wanted more than the settings do."""


class Journal:
    """Keeps the arrays of one test in a folder of shared memory.

    ``folder`` is ``None`` where there is no shared memory; the arrays are then plain.
    """

    def __init__(self, header: dict[str, Any], parent: Path = _SHARED_MEMORY):
        self.folder: Path | None = None
        try:
            self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
            (self.folder / _HEADER).write_text(json.dumps(header))
        except OSError:
            self.close()

    @classmethod
    def of_test(cls, settings: Settings, sut_name: str, library: SampleLibrary) -> Journal:
        """Begin the journal of a test."""
        return cls(
            {
                "settings": settings.to_mapping(),
                "sut_name": sut_name,
                "library_name": library.name,
                "total_sample_count": library.total_sample_count,
                "performance_sample_count": library.performance_sample_count,
                "wall_start_s": time.time(),
                "notes": {"process_id": os.getpid()},
            }
        )

    def store(self, start: SeriesStart) -> ArrayStore:
        """Give the array store of a series; plain memory where shared memory is full."""
        if self.folder is None:
            return MemoryStore()
        folder = self.folder / f"series-{start.number}"
        try:
            folder.mkdir()
            (folder / _HEADER).write_text(json.dumps(dataclasses.asdict(start)))
        except OSError:
            return MemoryStore()
        return _SharedStore(folder)

    @staticmethod
    def discard(folder: Path) -> None:
        """Remove the journal of a test whose process died, once it has been recovered."""
        shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Remove the journal; the recording has been saved."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None


class _SharedStore:
    """Arrays in files of one folder, their space reserved before they are used."""

    def __init__(self, folder: Path):
        self._folder = folder

    def zeros(self, name: str, count: int) -> NDArray[np.int64]:
        size = count * _ITEM_BYTES
        if size == 0:
            return np.zeros(0, np.int64)
        path = self._folder / f"{name}.i64"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            # Without reserved space a full shared memory would kill the process later.
            os.posix_fallocate(descriptor, 0, size)
            shared = mmap.mmap(descriptor, size)
        except OSError:
            path.unlink()
            return np.zeros(count, np.int64)
        finally:
            os.close(descriptor)
        return np.frombuffer(shared, np.int64)


def abandoned_journals(parent: Path = _SHARED_MEMORY) -> list[Path]:
    """Give the journals whose process is gone."""
    found = []
    for header in sorted(parent.glob(f"{_PREFIX}*/{_HEADER}")):
        try:
            process = int(json.loads(header.read_text())["notes"]["process_id"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if not is_alive(process):
            found.append(header.parent)
    return found


def is_alive(process: int) -> bool:
    """Tell whether a process of this id exists."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def is_journal(folder: Path) -> bool:
    """Tell whether a folder is a journal that a process has left."""
    return (folder / _HEADER).is_file() and folder.name.startswith(_PREFIX)


def recover(folder: Path) -> Recording:
    """Turn the journal of a process that died into a recording, as far as it got.

    The plan is made anew from the settings; the last series is marked as interrupted.
    Raises `RecordingError` if the folder holds no readable journal.
    """
    try:
        header = json.loads((folder / _HEADER).read_text())
        starts = [
            SeriesStart(**json.loads(path.read_text()))
            for path in sorted(folder.glob(f"series-*/{_HEADER}"), key=_series_number)
        ]
        settings = Settings.from_mapping(header["settings"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecordingError(f"{folder}: not a readable journal ({error})") from error
    records = [_recover_series(folder, header, settings, start) for start in starts]
    found = [record for record in records if record is not None]
    performance = [n for n, record in enumerate(found) if record.mode is not Mode.ACCURACY]
    return Recording(
        settings=settings,
        sut_name=header["sut_name"],
        library_name=header["library_name"],
        total_sample_count=header["total_sample_count"],
        performance_sample_count=header["performance_sample_count"],
        series=tuple(found),
        wall_start_s=header["wall_start_s"],
        chronicle=tuple(_chronicle(starts, len(found))),
        result_series=performance[-1] if performance else None,
        notes={**header.get("notes", {}), "recovered": True},
    )


def _series_number(path: Path) -> int:
    return int(path.parent.name.removeprefix("series-"))


def _chronicle(starts: list[SeriesStart], count: int) -> list[Step]:
    steps = []
    for number, start in enumerate(starts[:count]):
        is_accuracy = int(start.mode == Mode.ACCURACY.value)
        steps.append(Step("load", (start.set_number, start.padded_for, is_accuracy)))
        steps.append(Step("series", (number,)))
    return steps


def _recover_series(
    folder: Path, header: dict[str, Any], settings: Settings, start: SeriesStart
) -> SeriesRecord | None:
    arrays = {
        path.stem: np.fromfile(path, np.int64)
        for path in (folder / f"series-{start.number}").glob("*.i64")
    }
    begun = arrays.get("start")
    if begun is None or not begun[0] or "issued" not in arrays or "completed" not in arrays:
        return None
    plan = _plan_again(header, settings, start)
    issued = arrays["issued"]
    count = len(issued) if issued.all() else int((issued == 0).argmax())
    last_ns = int(max(issued.max(), arrays["completed"].max(initial=0))) - int(begun[0])
    scheduled = arrays.get("scheduled", plan.schedule_ns)
    interrupted = IncidentKind.INTERRUPTED
    return make_record(
        plan,
        Stamps(
            start_ns=int(begun[0]),
            issued_count=count,
            issued=issued,
            completed=arrays["completed"],
            scheduled_ns=scheduled,
            tick_counts=arrays.get("ticks"),
            first_token=arrays.get("first_token"),
            token_count=arrays.get("token_count"),
        ),
        Circumstances(
            wall_start_s=start.wall_start_s,
            wall_stop_s=start.wall_start_s + last_ns / 1e9,
            stop_ns=last_ns,
            target_qps=start.target_qps,
            timing=header.get("timing", {}),
            incidents=(Incident(interrupted, last_ns, {"signal": "the process died"}),),
            incident_counts={interrupted: 1},
        ),
    )


def _plan_again(header: dict[str, Any], settings: Settings, start: SeriesStart) -> Plan:
    effective = dataclasses.replace(
        derive(settings, header["total_sample_count"], header["performance_sample_count"]),
        target_qps=start.target_qps,
    )
    effective = planned_for(effective, start.planned_ms)
    if effective.scenario.is_multi_stream:
        effective = dataclasses.replace(effective, samples_per_query=start.samples_per_query)
    mode = Mode(start.mode)
    padded = effective
    if effective.scenario.is_multi_stream:
        padded = dataclasses.replace(effective, samples_per_query=start.padded_for)
    sets: list[LoadableSet] = loadable_sets(
        padded,
        mode,
        header["total_sample_count"],
        era=settings.era,
        flavour=settings.integer_flavour,
    )
    return make_plan(
        effective,
        mode,
        sets[start.set_number],
        era=settings.era,
        flavour=settings.integer_flavour,
        first_sample_id=start.first_sample_id,
    )
