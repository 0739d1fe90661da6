"""Trees for the tests of the checker: good ones, made of logs as LoadGen v0.5 writes them."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import Scenario
from inferometer.loadgen.arrivals import poisson_arrivals
from inferometer.loadgen.random_stream import RandomStream
from inferometer.rounds import load_round
from inferometer.submission.checking.replay import Library
from inferometer.submission.checking.shuffles import CppLibrary
from tests.support import V05_SEEDS

SYSTEM, SUBMITTER, IMPLEMENTATION = "sysA", "ACME", "impl"
SAMPLES = {"resnet": 50_000, "ssd-small": 5000}
LOADED = {"resnet": 1024, "ssd-small": 256}

_WORDS = {
    Scenario.SINGLE_STREAM: "Single Stream",
    Scenario.MULTI_STREAM: "Multi Stream",
    Scenario.SERVER: "Server",
    Scenario.OFFLINE: "Offline",
}
_HEADLINES = {
    Scenario.SINGLE_STREAM: "90th percentile latency (ns) : 9000000",
    Scenario.MULTI_STREAM: "Samples per query : 4",
    Scenario.SERVER: "Scheduled samples per second : 5000.68",
    Scenario.OFFLINE: "Samples per second: 400",
}
_RATES = {
    Scenario.SINGLE_STREAM: "QPS w/ loadgen overhead         : 124.90\n"
    "QPS w/o loadgen overhead        : 125.00\n",
    Scenario.MULTI_STREAM: "",
    Scenario.SERVER: "Completed samples per second    : 4999.00\n",
    Scenario.OFFLINE: "",
}
_PER_QUERY = {
    Scenario.SINGLE_STREAM: (1, 100, 10_000_000),
    Scenario.MULTI_STREAM: (4, 20, 50_000_000),
    Scenario.SERVER: (1, 5000, 10_000_000),
    Scenario.OFFLINE: (26_400, 400, 0),
}
_LEAST = {
    Scenario.SINGLE_STREAM: 1024,
    Scenario.MULTI_STREAM: 270_336,
    Scenario.SERVER: 270_336,
    Scenario.OFFLINE: 1,
}
_LONG = {Scenario.MULTI_STREAM: 13_520}


def settings_of(benchmark: str, scenario: Scenario) -> dict[str, str]:
    """Give the settings by their names in a summary."""
    per_query, rate, bound = _PER_QUERY[scenario]
    return {
        "samples_per_query": str(per_query),
        "target_qps": str(rate),
        "target_latency (ns)": str(bound),
        "max_async_queries": "1",
        "min_duration (ms)": "60000",
        "max_duration (ms)": "0",
        "min_query_count": str(_LEAST[scenario]),
        "max_query_count": "0",
        **{name: str(seed) for name, seed in V05_SEEDS.items()},
        "accuracy_log_rng_seed": "0",
        "accuracy_log_probability": "0",
        "print_timestamps": "false",
        "performance_issue_unique": "false",
        "performance_issue_same": "false",
        "performance_issue_same_index": "0",
        "performance_sample_count": str(LOADED[benchmark]),
    }


def summary_text(benchmark: str, scenario: Scenario) -> str:
    """Write the summary of a VALID performance run of about 66 s."""
    line = "=" * 48
    largest = 66_000_000_000 if scenario is Scenario.OFFLINE else 9_900_000
    shares = (50.0, 90.0, 95.0, 97.0, 99.0, 99.9)
    latencies = [7_900_000, 9_000_000, 9_100_000, 9_200_000, 9_300_000, 9_800_000]
    percentiles = "".join(
        f"{share:.2f} percentile latency (ns)   : {latency}\n"
        for share, latency in zip(shares, latencies, strict=True)
    )
    constraints = (
        "" if scenario is Scenario.OFFLINE else "  Performance constraints satisfied : Yes\n"
    )
    parameters = "".join(f"{k} : {v}\n" for k, v in settings_of(benchmark, scenario).items())
    return (
        f"{line}\nMLPerf Results Summary\n{line}\nSUT name : sut\nScenario : {_WORDS[scenario]}\n"
        f"Mode     : Performance\n{_HEADLINES[scenario]}\nResult is : VALID\n{constraints}"
        f"  Min duration satisfied : Yes\n  Min queries satisfied : Yes\n\n"
        f"{line}\nAdditional Stats\n{line}\n{_RATES[scenario]}\n"
        f"Min latency (ns)                : 7000000\nMax latency (ns)                : {largest}\n"
        f"Mean latency (ns)               : 8000000\n{percentiles}\n"
        f"{line}\nTest Parameters Used\n{line}\n{parameters}\n"
        "No warnings encountered during test.\n\nNo errors encountered during test.\n"
    )


ACCURACY_SUMMARY = "\nNo warnings encountered during test.\n\nNo errors encountered during test.\n"


def library_of(benchmark: str, scenario: Scenario) -> Library:
    """Give the sample library of these logs."""
    return Library(
        SAMPLES[benchmark],
        LOADED[benchmark],
        V05_SEEDS["qsl_rng_seed"],
        V05_SEEDS["sample_index_rng_seed"],
        _PER_QUERY[scenario][0],
        scenario,
    )


@functools.cache
def generated_text(scenario: Scenario, once: int) -> str:
    """Write how many queries were generated; those of one pass over ``once`` samples, if any."""
    count, duration_ns = 400_000, 66_000_000_000
    if scenario is Scenario.SERVER:
        stream = RandomStream(V05_SEEDS["schedule_rng_seed"])
        least, span_ns = (once, 0) if once else (_LEAST[scenario], 60_000_000_000)
        due, duration_ns = poisson_arrivals(stream, _PER_QUERY[scenario][1], least, span_ns)
        count = len(due)
    return (
        f'GeneratedQueries: "queries" : {count}, "samples per query" : 1, '
        f'"duration" : {duration_ns}'
    )


def detail_text(benchmark: str, scenario: Scenario, mode: str) -> str:
    """Write a detail log as LoadGen 0.5 built by GCC 7 does."""
    settings = settings_of(benchmark, scenario)
    sets = library_of(benchmark, scenario).sets(CppLibrary.LIBSTDCXX)
    if mode == "Performance":
        sets = sets[:1]
    end_s = _LONG.get(scenario, 66)
    begin = f'POWER_BEGIN: "mode" : {mode}, "time" : 10-05-2019 13:00:00.000'
    hours, rest = divmod(end_s, 3600)
    end = (
        f'POWER_END: "mode" : {mode}, "time" : '
        f"10-05-2019 {13 + hours:02}:{rest // 60:02}:{rest % 60:02}.000"
    )
    records = [
        "LoadgenVersionInfo:",
        "version : .5a1 @ 61220457de",
        f"QSL total size: {SAMPLES[benchmark]}",
        "Effective Settings:",
        f"Scenario : {_WORDS[scenario]}",
        f"Test mode : {mode}",
        *(
            f"{name}{':' if name.endswith(')') else ' :'} {value}"
            for name, value in settings.items()
        ),
        f"target_latency_percentile : {0.9 if scenario is Scenario.SINGLE_STREAM else 0.99}",
        f"Starting {mode.lower()} mode:",
        *(f'Loading QSL : "set" : "[{",".join(map(str, loaded.tolist()))}]"' for loaded in sets),
        generated_text(scenario, LOADED[benchmark] if mode == "Accuracy" else 0),
        begin,
        end,
    ]
    return "".join(f'"pid": 7, "tid": 7, "ts": {n}ns : {text}\n' for n, text in enumerate(records))


@functools.cache
def labels() -> NDArray[np.int64]:
    """Give the classes of the samples of an image data set."""
    return np.random.default_rng(5).integers(0, 1000, SAMPLES["resnet"])


@functools.cache
def answers_of(benchmark: str, scenario: Scenario, dtype: str = "<f4") -> bytes:
    """Write an accuracy log; 38,500 of 50,000 classes are right, other answers are empty."""
    order = library_of(benchmark, scenario).accuracy_samples(CppLibrary.LIBSTDCXX)
    data = [""] * SAMPLES[benchmark]
    if benchmark == "resnet":
        classes = labels().copy()
        classes[38_500:] = (classes[38_500:] + 1) % 1000
        data = [value.tobytes().hex().upper() for value in classes.astype(dtype)]
    lines = (
        f'{{ "seq_id" : {seq_id}, "qsl_idx" : {index}, "data" : "{data[index]}" }}'
        for seq_id, index in enumerate(order.tolist())
    )
    return ("[\n" + ",\n".join(lines) + "\n]\n").encode()


ACCURACY = {"resnet": "accuracy=77.000%, good=38500, total=50000", "ssd-small": "mAP=22.100%"}


def make_tree(
    root: Path,
    benchmark: str = "resnet",
    scenario: Scenario = Scenario.SINGLE_STREAM,
    *,
    division: str = "closed",
    folder: str = "",
    dtype: str = "<f4",
) -> Path:
    """Write one good result below ``root`` and give its folder."""
    home = root / division / SUBMITTER
    place = Path(SYSTEM, benchmark, folder or scenario.value)
    result = home / "results" / place
    accuracy = result / "accuracy"
    accuracy.mkdir(parents=True, exist_ok=True)
    (accuracy / "accuracy.txt").write_text(ACCURACY[benchmark] + "\n")
    (accuracy / "mlperf_log_accuracy.json").write_bytes(answers_of(benchmark, scenario, dtype))
    (accuracy / "mlperf_log_summary.txt").write_text(ACCURACY_SUMMARY)
    (accuracy / "mlperf_log_detail.txt").write_text(detail_text(benchmark, scenario, "Accuracy"))
    for number in range(1, 6 if scenario is Scenario.SERVER else 2):
        run = result / "performance" / f"run_{number}"
        run.mkdir(parents=True, exist_ok=True)
        (run / "mlperf_log_accuracy.json").write_text("[\n]\n")
        (run / "mlperf_log_summary.txt").write_text(summary_text(benchmark, scenario))
        detail = detail_text(benchmark, scenario, "Performance")
        (run / "mlperf_log_detail.txt").write_text(detail)
    _write_descriptions(home, place, division, benchmark, folder or scenario.value)
    return result


def _write_descriptions(
    home: Path, place: Path, division: str, benchmark: str, scenario: str
) -> None:
    measurements = home / "measurements" / place
    measurements.mkdir(parents=True, exist_ok=True)
    for name in ("mlperf.conf", "user.conf", "README.md"):
        (measurements / name).write_text("# settings\n")
    (measurements / f"{SYSTEM}_{IMPLEMENTATION}_{scenario}.json").write_text(
        json.dumps(
            {
                "input_data_types": "fp32",
                "retraining": "no",
                "starting_weights_filename": "resnet50_v1.onnx",
                "weight_data_types": "fp32",
                "weight_transformations": "none",
            }
        )
    )
    (home / "code" / benchmark / IMPLEMENTATION).mkdir(parents=True, exist_ok=True)
    (home / "systems").mkdir(exist_ok=True)
    (home / "systems" / f"{SYSTEM}.json").write_text(json.dumps(system(division)))


def system(division: str = "closed") -> dict[str, str]:
    """Describe a system with all that is required."""
    found = dict.fromkeys(load_round("v0.5").system_keys.required, "1")
    return found | {"division": division, "submitter": SUBMITTER, "status": "available"}


def replace(path: Path, pattern: str, text: str) -> None:
    """Replace what matches in a file; it has to be there."""
    content, count = re.subn(pattern, text, path.read_text(), flags=re.MULTILINE)
    assert count, f"{pattern} isn't in {path.name}"
    path.write_text(content)


Change = Callable[[Path], object]
"""What a test does to the folder of a good result."""
