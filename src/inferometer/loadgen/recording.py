"""Recording: what happened in a test, as flat arrays and a short header.

It is the contract between measuring and judging: every number that is ever printed can
be recomputed from it alone.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen.atomic_file import write_atomically
from inferometer.loadgen.effective import EffectiveSettings, derive
from inferometer.loadgen.errors import RecordingError
from inferometer.loadgen.incident import Incident, IncidentKind
from inferometer.loadgen.settings import Settings
from inferometer.loadgen.vocabulary import Mode

__all__ = ["Message", "Recording", "SeriesRecord", "Step"]

FORMAT = "inferometer recording"
FORMAT_VERSION = 1
_ARRAYS = ("scheduled_ns", "issued_ns", "completed_ns", "sample_index")
_OPTIONAL_ARRAYS = (
    "tick_counts",
    "first_token_ns",
    "token_count",
    "began_ns",
    "preprocess_ns",
    "infer_ns",
)
_FALLBACK_DIRECTORIES = ("$TMPDIR", "/tmp", "/var/tmp", "/dev/shm", "~")  # noqa: S108


@dataclass(frozen=True)
class SeriesRecord:
    """One series of queries as it happened. Times are ns after the start of the series.

    mode:
        Accuracy or performance.
    samples_per_query:
        Every query of a series holds as many samples.
    scheduled_ns, issued_ns:
        int64 [queries]: from when latency counts, and when the issue call began.
    completed_ns:
        int64 [samples]: when each sample was answered; -1 for never.
    sample_index:
        int32 or int64 [samples]: index into the sample library.
    tick_counts:
        int64 [queries], v0.5 MultiStream: ticks from one query to the next.
    first_token_ns, token_count:
        int64 [samples] with token latencies, else ``None``; -1 and 0 where missing.
    began_ns, preprocess_ns, infer_ns:
        int64 [samples] from a system that tells, else ``None``: when work on the sample's
        batch began, -1 where it didn't say, and how long the batch's inputs and the model took.
    generated_query_count, generated_duration_ns:
        Size of the plan, of which the recorded queries are the first part.
    wall_start_s:
        Unix time of the start, s.
    wall_stop_s, stop_ns:
        Unix time and ns after the start when the series was over.
    target_qps:
        The rate that the series was asked for; find-peak changes it from series to series.
    timing:
        How the generator kept time: clock, spin, timer slack, switch interval, garbage
        collection.
    """

    mode: Mode
    samples_per_query: int
    scheduled_ns: NDArray[np.int64]
    issued_ns: NDArray[np.int64]
    completed_ns: NDArray[np.int64]
    sample_index: NDArray[np.int32] | NDArray[np.int64]
    generated_query_count: int
    generated_duration_ns: int
    first_sample_id: int
    wall_start_s: float
    wall_stop_s: float
    stop_ns: int
    target_qps: float
    tick_counts: NDArray[np.int64] | None = None
    first_token_ns: NDArray[np.int64] | None = None
    token_count: NDArray[np.int64] | None = None
    began_ns: NDArray[np.int64] | None = None
    preprocess_ns: NDArray[np.int64] | None = None
    infer_ns: NDArray[np.int64] | None = None
    incidents: tuple[Incident, ...] = ()
    incident_counts: Mapping[IncidentKind, int] = field(default_factory=dict)
    timing: Mapping[str, Any] = field(default_factory=dict)

    @property
    def query_count(self) -> int:
        """Queries issued."""
        return len(self.issued_ns)

    @property
    def sample_count(self) -> int:
        """Samples issued."""
        return len(self.completed_ns)

    @property
    def is_complete(self) -> NDArray[np.bool_]:
        """Bool [samples]: whether each sample was answered."""
        complete: NDArray[np.bool_] = self.completed_ns >= 0
        return complete

    @property
    def latency_ns(self) -> NDArray[np.int64]:
        """int64: completion minus scheduled time of each answered sample, in issue order."""
        scheduled = self.scheduled_ns
        if self.samples_per_query > 1:
            scheduled = np.repeat(scheduled, self.samples_per_query)
        latency = self.completed_ns - scheduled
        complete = self.is_complete
        return latency if bool(complete.all()) else latency[complete]

    @property
    def query_latency_ns(self) -> NDArray[np.int64]:
        """int64: latency of each wholly answered query, that of its last sample."""
        if not self.query_count:
            return np.empty(0, np.int64)
        by_query = self.completed_ns.reshape(self.query_count, self.samples_per_query)
        latency: NDArray[np.int64] = by_query.max(axis=1) - self.scheduled_ns
        whole = (by_query >= 0).all(axis=1)
        return latency if bool(whole.all()) else latency[whole]

    @property
    def lateness_ns(self) -> NDArray[np.int64]:
        """int64 [queries]: issued minus scheduled, the generator's own delay."""
        return self.issued_ns - self.scheduled_ns

    def happened(self, *kinds: IncidentKind) -> int:
        """Give how often incidents of these kinds happened."""
        return sum(self.incident_counts.get(kind, 0) for kind in kinds)


@dataclass(frozen=True)
class Step:
    """One step of a test, in order.

    ``load`` and ``unload`` (values: number of the loadable set, samples per query it is
    padded for, 1 if it is a set of accuracy mode), ``series`` (value: its number),
    ``unsupported`` (find-peak in a scenario that has none), or a step of find-peak as
    `PeakSeries` names them.
    """

    kind: str
    values: tuple[float, ...] = ()


@dataclass(frozen=True)
class Message:
    """Something said about a test outside its series.

    ``kind`` is ``invalid_config`` (a config file was refused), ``invalid_settings`` (a
    contradiction that the published LoadGen runs with), ``audit`` or ``test05`` (the
    settings were overridden), ``library_failed`` or ``interrupted`` (while samples were
    loaded or unloaded), or ``note``.
    """

    kind: str
    text: str


@dataclass(frozen=True)
class Recording:
    """A whole test: settings, names, and every series in order.

    ``chronicle`` lists the steps of the test; ``result_series`` is the number of the
    performance series that the result is taken from.
    """

    settings: Settings
    sut_name: str
    library_name: str
    total_sample_count: int
    performance_sample_count: int
    series: tuple[SeriesRecord, ...]
    wall_start_s: float
    messages: tuple[Message, ...] = ()
    chronicle: tuple[Step, ...] = ()
    result_series: int | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)
    """What else belongs to the run: software versions, the run's label, the host."""

    @property
    def effective(self) -> EffectiveSettings:
        """The effective settings, derived anew."""
        return derive(self.settings, self.total_sample_count, self.performance_sample_count)

    @property
    def performance(self) -> SeriesRecord | None:
        """The performance series that the result is taken from, if there is any."""
        return None if self.result_series is None else self.series[self.result_series]

    @property
    def accuracy(self) -> tuple[SeriesRecord, ...]:
        """The accuracy series, one for each loaded set."""
        return tuple(series for series in self.series if series.mode is Mode.ACCURACY)

    def save(self, path: Path) -> Path:
        """Write the recording as one ``.npz`` file, whole or not at all.

        If the disk is full or can't be written, the file goes to the next directory that
        takes it (temporary, shared memory, home). Gives the path written. Raises
        `RecordingError` when no directory takes it.
        """
        content = self._packed()
        failures = []
        for place in (path, *_fallbacks(path)):
            try:
                write_atomically(place, content)
            except OSError as error:
                failures.append(f"{place}: {error.strerror or error}")
            else:
                return place
        raise RecordingError(f"the recording could not be saved: {'; '.join(failures)}")

    def _packed(self) -> bytes:
        header = {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "settings": self.settings.to_mapping(),
            "sut_name": self.sut_name,
            "library_name": self.library_name,
            "total_sample_count": self.total_sample_count,
            "performance_sample_count": self.performance_sample_count,
            "wall_start_s": self.wall_start_s,
            "messages": [[message.kind, message.text] for message in self.messages],
            "chronicle": [[step.kind, *step.values] for step in self.chronicle],
            "result_series": self.result_series,
            "notes": dict(self.notes),
            "series": [_series_header(series) for series in self.series],
        }
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr("header.json", json.dumps(header, indent=1))
            for number, series in enumerate(self.series):
                for name in (*_ARRAYS, *_OPTIONAL_ARRAYS):
                    array = getattr(series, name)
                    if array is not None:
                        with archive.open(f"{number}/{name}.npy", "w", force_zip64=True) as file:
                            np.lib.format.write_array(file, array, allow_pickle=False)
        return buffer.getvalue()

    @classmethod
    def load(cls, path: Path) -> Recording:
        """Read a recording. Raises `RecordingError` naming the file and what is wrong."""
        try:
            with zipfile.ZipFile(path) as archive:
                header = json.loads(archive.read("header.json"))
                _check_format(path, header)
                series = tuple(
                    _load_series(archive, number, entry)
                    for number, entry in enumerate(header["series"])
                )
        except FileNotFoundError:
            raise RecordingError(f"{path}: there is no such recording") from None
        except (zipfile.BadZipFile, KeyError, ValueError, TypeError, OSError) as error:
            raise RecordingError(
                f"{path}: not a readable recording ({error}); it may have been cut off or "
                "written by another program"
            ) from error
        return cls(
            settings=Settings.from_mapping(header["settings"]),
            sut_name=header["sut_name"],
            library_name=header["library_name"],
            total_sample_count=header["total_sample_count"],
            performance_sample_count=header["performance_sample_count"],
            series=series,
            wall_start_s=header["wall_start_s"],
            messages=tuple(Message(kind, text) for kind, text in header["messages"]),
            chronicle=tuple(Step(kind, tuple(values)) for kind, *values in header["chronicle"]),
            result_series=header["result_series"],
            notes=header["notes"],
        )


def _series_header(series: SeriesRecord) -> dict[str, Any]:
    return {
        "mode": series.mode.value,
        "samples_per_query": series.samples_per_query,
        "generated_query_count": series.generated_query_count,
        "generated_duration_ns": series.generated_duration_ns,
        "first_sample_id": series.first_sample_id,
        "wall_start_s": series.wall_start_s,
        "wall_stop_s": series.wall_stop_s,
        "stop_ns": series.stop_ns,
        "target_qps": series.target_qps,
        "timing": dict(series.timing),
        "incidents": [
            {"kind": i.kind.value, "at_ns": i.at_ns, "values": dict(i.values)}
            for i in series.incidents
        ],
        "incident_counts": {k.value: count for k, count in series.incident_counts.items()},
    }


def _load_series(archive: zipfile.ZipFile, number: int, entry: dict[str, Any]) -> SeriesRecord:
    present = set(archive.namelist())
    arrays: dict[str, Any] = {}
    for name in (*_ARRAYS, *_OPTIONAL_ARRAYS):
        member = f"{number}/{name}.npy"
        if name in _ARRAYS or member in present:
            arrays[name] = np.lib.format.read_array(
                io.BytesIO(archive.read(member)), allow_pickle=False
            )
    plain = {
        name: entry[name]
        for name in (f.name for f in dataclasses.fields(SeriesRecord))
        if name in entry and name not in ("mode", "incidents", "incident_counts")
    }
    return SeriesRecord(
        mode=Mode(entry["mode"]),
        incidents=tuple(
            Incident(IncidentKind(i["kind"]), i["at_ns"], i["values"]) for i in entry["incidents"]
        ),
        incident_counts={IncidentKind(k): n for k, n in entry["incident_counts"].items()},
        **plain,
        **arrays,
    )


def _check_format(path: Path, header: Any) -> None:
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise RecordingError(f"{path}: not an Inferometer recording")
    version = cast(int, header.get("version"))
    if version != FORMAT_VERSION:
        raise RecordingError(
            f"{path}: written in format version {version}, and this release reads "
            f"{FORMAT_VERSION}; read it with the release that wrote it"
        )


def _fallbacks(path: Path) -> list[Path]:
    name = f"{path.parent.name}-{path.name}"
    places = (Path(os.path.expandvars(place)).expanduser() for place in _FALLBACK_DIRECTORIES)
    return [place / name for place in places if place.is_dir()]
