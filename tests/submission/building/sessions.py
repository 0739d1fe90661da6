"""Recorded sessions on the virtual clock, as `inferometer run` would leave them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import Mode, Recording, RunOptions, Scenario, Settings, VirtualClock
from inferometer.rounds import load_round
from inferometer.runs import Session
from inferometer.runs.folder import SESSION, write_json
from inferometer.runs.recorder import record_test
from inferometer.runs.result import MODE_WORDS
from inferometer.serving import SimulatedSUT
from inferometer.submission.building import SubmissionRequest
from inferometer.workloads import AccuracyResult, ScoredAnswer, get_workload
from inferometer.workloads.classification.fashion_mnist import read_labels
from inferometer.workloads.classification.scoring import top1_accuracy
from tests.support import Library

SYSTEM: dict[str, Any] = {
    "host": "bench-1",
    "processor": "Test(R) CPU 9000 @ 2.00GHz",
    "architecture": "x86_64",
    "physical_cores": 8,
    "logical_cores": 16,
    "memory_gib": 62.5,
    "operating_system": "Test OS 1",
    "python": "CPython 3.11.7",
    "packages": {"inferometer": "0.1.0", "numpy": "2.0.0"},
}
BACKEND: dict[str, Any] = {
    "name": "onnxruntime",
    "framework": "ONNX Runtime",
    "version": "1.32.0",
    "device": "CPUExecutionProvider",
    "precision": "fp32",
    "threads": 1,
    "inputs": ["input tensor(float) ['N', 1, 28, 28]"],
}
DESCRIPTION: dict[str, str] = {
    "status": "available",
    "system_name": "Test system",
    "system_type": "edge",
    "host_processors_per_node": "1",
    "host_processor_core_count": "8",
    "host_memory_configuration": "4 x 16 GB DDR4",
    "host_storage_capacity": "1 TB",
    "host_storage_type": "NVMe SSD",
    "host_networking": "Ethernet 10 Gbit/s",
    "host_network_card_count": "1",
    "host_networking_topology": "N/A",
    "accelerators_per_node": "0",
    "accelerator_model_name": "N/A",
    "accelerator_memory_capacity": "N/A",
    "accelerator_host_interconnect": "N/A",
    "accelerator_memory_configuration": "N/A",
    "accelerator_interconnect": "N/A",
    "cooling": "air",
}
WRONG_SHARE = 0.07
IMAGENET = 50_000
_SERVICE_NS = {
    Scenario.SINGLE_STREAM: 500_000_000,
    Scenario.MULTI_STREAM: 500_000_000,
    Scenario.SERVER: 2_000_000,
    Scenario.OFFLINE: 61_000_000_000,
}

Scorer = Callable[[Iterator[ScoredAnswer]], AccuracyResult]


@dataclasses.dataclass(frozen=True)
class Task:
    """A workload as a session names it, with answers, so that a recording can be scored."""

    workload: Mapping[str, Any]
    labels: NDArray[np.int64]
    score: Scorer

    def answer(self, indices: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        """Answer rightly, but for the first of the samples."""
        wrong = indices < int(WRONG_SHARE * len(self.labels) + 0.5)
        found = np.where(wrong, self.labels[indices] + 1, self.labels[indices])
        answers: NDArray[np.float32] = found.astype(np.float32).reshape(-1, 1)
        return answers


def pocket() -> Task:
    """The pocket MobileNet on its 10,000 images."""
    workload = get_workload("pocket-mobilenet")
    info = workload.info
    described = {
        "name": info.name, "title": info.title, "task": info.task, "data_set": info.data_set,
        "samples": info.sample_count, "not_scored": "", "options": {}, **info.notes,
    }  # fmt: skip
    return Task(described, read_labels().astype(np.int64), workload.score)


def imagenet() -> Task:
    """A MobileNet on as many images as ImageNet has, its labels made up."""
    labels = np.random.default_rng(1).integers(0, 1000, IMAGENET)
    described = {
        "name": "mobilenet", "title": "MobileNet-v1 on ImageNet", "task": "image classification",
        "data_set": "ImageNet 2012 validation", "samples": IMAGENET, "not_scored": "",
        "options": {}, "profile": "mobilenet-onnx", "model": "the file as it is",
    }  # fmt: skip
    return Task(described, labels, lambda answers: top1_accuracy(answers, labels, 0.70))


def record_session(
    folder: Path,
    task: Task,
    tests: Iterator[tuple[Mode, int, Settings]],
    *,
    label: str,
    service_ns: Mapping[Scenario, int] | None = None,
) -> Path:
    """Record tests one after the other into a session folder, and give it.

    ``service_ns`` says how long the simulated system takes where it isn't as usual.
    """
    times_ns = {**_SERVICE_NS, **(service_ns or {})}
    for mode, number, settings in tests:
        place = folder / settings.scenario.value / MODE_WORDS[mode]
        if mode is Mode.PERFORMANCE:
            place = place / f"run_{number}"
        clock = VirtualClock()
        sut = SimulatedSUT(
            clock, times_ns[settings.scenario], servers=8, answer=task.answer, name="SUT"
        )
        record_test(
            sut,
            Library(len(task.labels), 1024),
            settings,
            place,
            label,
            RunOptions(
                clock=clock, notes={"backend": dict(BACKEND), "serving": {"kind": "inline"}}
            ),
            task.score,
        )
    session = Session(
        folder, task.workload, BACKEND, label, SYSTEM, "inferometer run …", "2026-11-29T12:00:00"
    )
    write_json(folder / SESSION, session.to_mapping())
    return folder


def tests_of(
    round_name: str, scenario: Scenario, benchmark: str, **changes: Any
) -> Iterator[tuple[Mode, int, Settings]]:
    """Give the tests that a round wants for a scenario, with settings changed as said."""
    book = load_round(round_name)
    settings = book.settings(scenario, benchmark).replace(**changes)
    yield Mode.ACCURACY, 1, settings.replace(mode=Mode.ACCURACY)
    for number in range(book.runs[scenario]):
        yield Mode.PERFORMANCE, number + 1, settings.replace(mode=Mode.PERFORMANCE)


def change_json(path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change a JSON file in place."""
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


def change_recordings(folder: Path, change: Callable[[Recording], Recording]) -> None:
    """Change every recording below a folder."""
    for path in folder.rglob("recording.npz"):
        change(Recording.load(path)).save(path)


def request_for(
    tmp_path: Path,
    *runs: Path,
    round_name: str = "v0.5",
    description: Mapping[str, Any] = DESCRIPTION,
    **changes: Any,
) -> SubmissionRequest:
    """Give a request for an open submission, with a description that round accepts."""
    book = load_round(round_name)
    known = {*book.system_keys.required, *book.system_keys.optional}
    file = tmp_path / "system.json"
    file.write_text(json.dumps({k: v for k, v in description.items() if k in known}))
    values: dict[str, Any] = {
        "measurements": {"starting_weights_filename": "mobilenet.onnx"},
        "runs": runs, "book": book, "division": "open", "submitter": "ACME", "system_id": "sysA",
        "tree": tmp_path / "tree", "system_file": file,
    }  # fmt: skip
    return SubmissionRequest(**{**values, **changes})


def files_below(folder: Path) -> list[str]:
    """Give the files below a folder, sorted."""
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
