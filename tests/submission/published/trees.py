"""Small trees in the v0.5 layout, whole until a test spoils them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from inferometer.submission.published import ResultRow, import_folder

SYSTEM: dict[str, Any] = {
    "submitter": "ACME",
    "division": "closed",
    "status": "available",
    "system_name": "Box 1",
    "number_of_nodes": 2,
    "host_processor_model_name": "Intel Xeon 1",
    "host_processors_per_node": "2",
    "accelerators_per_node": 4,
    "accelerator_model_name": "NVIDIA T4",
    "framework": "TensorRT 6.0",
    "operating_system": "Debian 10",
}
MEASUREMENT = {
    "input_data_types": "int8",
    "retraining": "no",
    "starting_weights_filename": "resnet50.pb",
    "weight_data_types": "int8",
    "weight_transformations": "none",
}
METRICS = {
    "SingleStream": ("Single Stream", "90th percentile latency (ns) : {:.0f}"),
    "MultiStream": ("Multi Stream", "Samples per query : {:.0f}"),
    "Server": ("Server", "Scheduled samples per second : {:.2f}"),
    "Offline": ("Offline", "Samples per second: {:g}"),
}


def summary(scenario: str, value: float, verdict: str = "VALID", bound_ns: int = 15_000_000) -> str:
    """Give the lines of a v0.5 summary log that anything reads."""
    name, line = METRICS[scenario]
    shares = (("50.00", 1), ("90.00", 2), ("95.00", 3), ("97.00", 4), ("99.00", 5), ("99.90", 6))
    percentiles = "\n".join(f"{share} percentile latency (ns)   : {n}000000" for share, n in shares)
    return f"""================================================
MLPerf Results Summary
================================================
SUT name : x
Scenario : {name}
Mode     : Performance
{line.format(value)}
Result is : {verdict}

================================================
Additional Stats
================================================
Mean latency (ns)               : 1500000
{percentiles}

================================================
Test Parameters Used
================================================
target_latency (ns): {bound_ns}
qsl_rng_seed : 3133965575612453542
sample_index_rng_seed : 665484352860916858
schedule_rng_seed : 3622009729038561421
performance_sample_count : 1024
"""


class Made:
    """A result in a tree: its folders, and shorthands to spoil them."""

    def __init__(
        self,
        root: Path,
        benchmark: str = "resnet",
        scenario: str = "Server",
        values: tuple[float, ...] = (100.0, 99.0, 101.0, 100.0, 100.0),
        division: str = "closed",
        system: str = "box",
    ):
        self.root, self.submitter = root, root / division / "ACME"
        self.result = self.submitter / "results" / system / benchmark / scenario
        self.measurement = self.submitter / "measurements" / system / benchmark / scenario
        self.system = self.submitter / "systems" / f"{system}.json"
        self.write_json(self.system, SYSTEM | {"division": division})
        self.write_json(self.measurement / f"{system}_impl.json", MEASUREMENT)
        kind = next((k for k in METRICS if k.lower() == scenario.lower()), "Server")
        for number, value in enumerate(values, start=1):
            self.write(self.run(number), summary(kind, value))
        self.accuracy = self.result / "accuracy" / "accuracy.txt"
        self.write(self.accuracy, "accuracy=76.456%, good=38228, total=50000\n")

    def run(self, number: int) -> Path:
        return self.result / "performance" / f"run_{number}" / "mlperf_log_summary.txt"

    def write(self, path: Path, text: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="")
        return path

    def write_json(self, path: Path, values: Any) -> Path:
        return self.write(path, json.dumps(values))

    def row(self) -> ResultRow:
        (row,) = import_folder(self.root).rows
        return row


def ids(row: ResultRow) -> list[str]:
    """Give the rules that something was found by, sorted."""
    return sorted(found.rule.id for found in row.findings)


def seen(row: ResultRow, rule_id: str) -> str:
    """Give what was seen by the only finding of a rule."""
    (found,) = [found for found in row.findings if found.rule.id == rule_id]
    return found.seen
