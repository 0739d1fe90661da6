"""Changes of a good tree, each with what the published v0.5 checker was seen to say of it.

The one that was run is of October 2019, with its two lists of keys. That of November, which is
imitated, also visits ``closed`` and ``open`` only, takes any model in the open division, compares
accuracies with targets, wants seeds and a headline, and takes other places for the runs.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.submission.checking.trees import Change, replace

PASS, BAD, ERROR = "passes", "bad result", "error beside results"
_SUMMARY, _DETAIL = "mlperf_log_summary.txt", "mlperf_log_detail.txt"
_LOG = "mlperf_log_accuracy.json"


@dataclass(frozen=True)
class Seen:
    """A change of a result's folder, what was seen, and what is imitated if that differs."""

    change: Change
    october: str
    november: str = ""

    @property
    def imitated(self) -> str:
        """What the imitation says."""
        return self.november or self.october


def _summary(result: Path) -> Path:
    return result / "performance/run_1" / _SUMMARY


def _sub(pattern: str, text: str) -> Change:
    return lambda r: replace(_summary(r), pattern, text)


def _accuracy(text: str) -> Change:
    return lambda r: (r / "accuracy/accuracy.txt").write_text(text)


def _remove(name: str) -> Change:
    return lambda r: (r / name).unlink()


def _home(result: Path) -> Path:
    return result.parents[3]


def _measured(result: Path) -> Path:
    return next(_home(result).glob("measurements/*/*/*"))


def _described(result: Path) -> Path:
    return next(_measured(result).glob("sysA*.json"))


def _json(find: Callable[[Path], Path], **changes: Any) -> Change:
    def change(result: Path) -> None:
        values = {**json.loads(find(result).read_text()), **changes}
        kept = {key: value for key, value in values.items() if value != "gone"}
        find(result).write_text(json.dumps(kept))

    return change


def _system(result: Path) -> Path:
    return _home(result) / "systems/sysA.json"


def _rename_model(name: str) -> Change:
    def change(result: Path) -> None:
        home = _home(result)
        for folder in (home / "results/sysA", home / "measurements/sysA", home / "code"):
            (folder / "mobilenet").rename(folder / name)

    return change


def _to_open(result: Path) -> Path:
    _json(_system, division="open")(result)
    root = _home(result).parents[1]
    (root / "closed").rename(root / "open")
    return root / "open" / result.relative_to(root / "closed")


def _then(*changes: Change) -> Change:
    def change(result: Path) -> None:
        for one in changes:
            moved = one(result)
            result = moved if isinstance(moved, Path) else result

    return change


def _rename_scenario(name: str) -> Change:
    def change(result: Path) -> Path:
        described = _described(result)
        described.rename(described.with_name(f"sysA_inferometer-onnxruntime_{name}.json"))
        _measured(result).rename(_measured(result).with_name(name))
        return result.rename(result.with_name(name))

    return change


def _runs(count: int) -> Change:
    def change(result: Path) -> None:
        for number in range(2, count + 1):
            folder = result / "performance"
            shutil.copytree(folder / "run_1", folder / f"run_{number}")

    return change


def _as_server(result: Path) -> None:
    for summary in result.glob(f"performance/*/{_SUMMARY}"):
        replace(summary, "^Scenario : Offline", "Scenario : Server")
        replace(summary, "^Samples per second: ", "Scheduled samples per second : ")


def _empty(name: str) -> Change:
    def change(result: Path) -> None:
        for file in (result / name).iterdir():
            file.unlink()

    return change


def _add(name: str) -> Change:
    return lambda r: (r / name).write_text("")


def _move(find: Callable[[Path], Path], name: str) -> Change:
    return lambda r: find(r).rename(find(r).with_name(name)) and None


def _run_to_performance(result: Path) -> None:
    run = result / "performance/run_1"
    for file in run.iterdir():
        file.rename(run.parent / file.name)
    run.rmdir()


def _empty_code(result: Path) -> None:
    shutil.rmtree(_home(result) / "code")
    (_home(result) / "code/mobilenet/inferometer-onnxruntime").mkdir(parents=True)


def _binary(name: str) -> Change:
    return lambda r: (r / name).write_bytes((r / name).read_bytes() + b"\xff\xfe\n")


CHANGES: dict[str, Seen] = {
    "nothing": Seen(lambda r: None, PASS),
    "open": Seen(_to_open, PASS),
    # Accuracy
    "no accuracy.txt": Seen(_remove("accuracy/accuracy.txt"), BAD),
    "accuracy.txt is empty": Seen(_accuracy(""), BAD),
    "another number": Seen(_accuracy("accuracy=99.9%\n"), PASS),
    "blank before accuracy": Seen(_accuracy(" accuracy=99.9%\n"), BAD),
    "accuracy on another line": Seen(_accuracy("x\n\naccuracy=99.9%\n"), PASS),
    "accuracy after a carriage return": Seen(_accuracy("x\r\naccuracy=99.9%\r\n"), PASS),
    "accuracy after a form feed": Seen(_accuracy("x\x0caccuracy=99.9%\n"), BAD),
    "accuracy with a colon": Seen(_accuracy("accuracy: 99.9%\n"), BAD),
    "low accuracy": Seen(_accuracy("accuracy=1.0%\n"), PASS, BAD),
    "low accuracy, open": Seen(_then(_to_open, _accuracy("accuracy=1.0%\n")), PASS, BAD),
    "mAP of a classifier": Seen(_accuracy("mAP=99.9%\n"), PASS, BAD),
    "BLEU of a classifier": Seen(_accuracy("BLEU: 99.9\n"), PASS, BAD),
    "number with two points": Seen(_accuracy("accuracy=99.9.9\n"), PASS, BAD),
    "accuracy.txt isn't UTF-8": Seen(_binary("accuracy/accuracy.txt"), BAD),
    "no accuracy folder": Seen(lambda r: shutil.rmtree(r / "accuracy"), BAD),
    "accuracy log is missing": Seen(_remove(f"accuracy/{_LOG}"), BAD),
    "accuracy summary is missing": Seen(_remove(f"accuracy/{_SUMMARY}"), BAD),
    "accuracy detail is missing": Seen(_remove(f"accuracy/{_DETAIL}"), BAD),
    "accuracy log is empty": Seen(lambda r: (r / "accuracy" / _LOG).write_text(""), PASS),
    "accuracy summary is empty": Seen(lambda r: (r / "accuracy" / _SUMMARY).write_text(""), PASS),
    "accuracy detail isn't UTF-8": Seen(_binary(f"accuracy/{_DETAIL}"), BAD),
    "extra file in accuracy": Seen(_add("accuracy/notes"), BAD),
    "extra file, missing log": Seen(
        _then(_add("accuracy/notes"), _remove(f"accuracy/{_LOG}")), BAD
    ),
    "two extra files, no log": Seen(
        _then(_add("accuracy/a"), _add("accuracy/b"), _remove(f"accuracy/{_LOG}")), BAD
    ),
    "trace in accuracy": Seen(_add("accuracy/mlperf_log_trace.json"), PASS),
    "results.json in accuracy": Seen(_add("accuracy/results.json"), PASS),
    "folder in accuracy": Seen(lambda r: (r / "accuracy/more").mkdir(), PASS),
    # Performance
    "no performance": Seen(lambda r: shutil.rmtree(r / "performance"), BAD),
    "run is empty": Seen(_empty("performance/run_1"), BAD),
    "run log is missing": Seen(_remove(f"performance/run_1/{_LOG}"), BAD),
    "run summary is missing": Seen(_remove(f"performance/run_1/{_SUMMARY}"), BAD),
    "run detail is missing": Seen(_remove(f"performance/run_1/{_DETAIL}"), BAD),
    "run log is empty": Seen(lambda r: (r / "performance/run_1" / _LOG).write_text(""), PASS),
    "run detail is empty": Seen(lambda r: (r / "performance/run_1" / _DETAIL).write_text(""), PASS),
    "run detail isn't UTF-8": Seen(_binary(f"performance/run_1/{_DETAIL}"), BAD),
    "run summary isn't UTF-8": Seen(_binary(f"performance/run_1/{_SUMMARY}"), BAD),
    "extra file in run": Seen(_add("performance/run_1/notes"), BAD),
    "trace in run": Seen(_add("performance/run_1/mlperf_log_trace.json"), PASS),
    "second run": Seen(_runs(2), PASS),
    "run1": Seen(_move(lambda r: r / "performance/run_1", "run1"), BAD, PASS),
    "run 2 only": Seen(_move(lambda r: r / "performance/run_1", "run_2"), BAD),
    "run in performance": Seen(_run_to_performance, BAD, PASS),
    "INVALID": Seen(_sub("^Result is : VALID", "Result is : INVALID"), BAD),
    "no blank before the colon": Seen(_sub("^Result is : VALID", "Result is: VALID"), PASS),
    "blanks in the verdict": Seen(_sub("^Result is : VALID", "Result   is :\t VALID"), PASS),
    "VALID with more": Seen(_sub("^Result is : VALID", "Result is : VALIDATED"), PASS),
    "blank before the verdict": Seen(_sub("^Result is : VALID", " Result is : VALID"), BAD),
    "verdict after a form feed": Seen(_sub("^Result is : VALID", "\\fResult is : VALID"), BAD),
    "valid and invalid": Seen(_sub("^Result is", "Result is : INVALID\nResult is"), PASS),
    "few samples": Seen(_sub(r"^(performance_sample_count :) \d+", r"\1 1023"), BAD),
    "enough samples": Seen(_sub(r"^(performance_sample_count :) \d+", r"\1 1024"), PASS),
    "sample count stated twice": Seen(
        _sub(r"^(performance_sample_count :) \d+", r"\1 9\n\1 5000"), PASS
    ),
    "no sample count": Seen(_sub("^performance_sample_count .*", ""), BAD),
    "sample count with a unit": Seen(_sub(r"^(performance_sample_count :) \d+", r"\1 5e"), BAD),
    "sample count with a letter": Seen(
        _sub(r"^(performance_sample_count :) \d+", r"\1 5000x"), PASS, BAD
    ),
    "sample count in decimals": Seen(_sub(r"^(performance_sample_count :) \d+", r"\1 5000.0"), BAD),
    "another seed": Seen(_sub(r"^(qsl_rng_seed :) \d+", r"\1 1"), PASS),
    "no seed": Seen(_sub("^schedule_rng_seed .*", ""), PASS, BAD),
    "no scenario": Seen(_sub("^Scenario : .*", ""), PASS, BAD),
    "unknown scenario in the summary": Seen(_sub("^(Scenario :) .*", r"\1 Burst"), PASS, BAD),
    "no headline": Seen(_sub("^Samples per second.*", ""), PASS, BAD),
    "headline is no number": Seen(_sub("^(Samples per second:) .*", r"\1 fast"), PASS, BAD),
    "headline is infinite": Seen(_sub("^(Samples per second:) .*", r"\1 inf"), PASS),
    "errors in the detail log": Seen(
        lambda r: (r / "performance/run_1" / _DETAIL).write_text("ERROR : bad\n"), PASS
    ),
    # Names and Server
    "Server with one run": Seen(_then(_rename_scenario("Server"), _as_server), BAD),
    "Server with five runs": Seen(_then(_rename_scenario("Server"), _runs(5), _as_server), PASS),
    "Server with four runs": Seen(_then(_rename_scenario("Server"), _runs(4), _as_server), BAD),
    "server with one run": Seen(_then(_rename_scenario("server"), _as_server), PASS),
    "unknown scenario folder": Seen(_rename_scenario("Burst"), PASS),
    "alias of a model": Seen(_rename_model("mobilenet-v1"), BAD),
    "alias of a model, open": Seen(_then(_rename_model("mobilenet-v1"), _to_open), BAD, PASS),
    "unknown model": Seen(_rename_model("alexnet"), BAD),
    "unknown model without results": Seen(lambda r: (r.parents[1] / "alexnet").mkdir(), BAD, ERROR),
    "official model without results": Seen(lambda r: (r.parents[1] / "resnet").mkdir(), PASS),
    "system without results": Seen(lambda r: (r.parents[2] / "sysB").mkdir(), PASS),
    "submitter without results": Seen(lambda r: (r.parents[5] / "closed/B").mkdir(), BAD, ERROR),
    "another folder at the root": Seen(
        lambda r: (r.parents[5] / "docs/x").mkdir(parents=True), BAD, PASS
    ),
    # Systems
    "no system": Seen(lambda r: _system(r).unlink(), BAD),
    "system isn't JSON": Seen(lambda r: _system(r).write_text("{"), ERROR),
    "system is a list": Seen(lambda r: _system(r).write_text("[]"), ERROR),
    "system lacks a key": Seen(_json(_system, framework="gone"), ERROR),
    "system lacks an optional key": Seen(_json(_system, cooling="gone"), PASS),
    "system key is null": Seen(_json(_system, framework=None), ERROR),
    "system key is a number": Seen(_json(_system, number_of_nodes=1), PASS),
    "system key is empty": Seen(_json(_system, framework=""), PASS),
    "unknown system key": Seen(_json(_system, colour="red"), ERROR),
    "another submitter": Seen(_json(_system, submitter="acme"), ERROR),
    "another division": Seen(_json(_system, division="Closed"), ERROR),
    "no division": Seen(_json(_system, division="gone"), ERROR),
    "key of system twice": Seen(lambda r: replace(_system(r), "{", '{"status": "x", '), PASS),
    "NaN in system": Seen(lambda r: replace(_system(r), "{", '{"status": NaN, '), PASS),
    "byte order mark in system": Seen(
        lambda r: _system(r).write_text("\ufeff" + _system(r).read_text()), ERROR
    ),
    "system isn't UTF-8": Seen(
        lambda r: _system(r).write_bytes(_system(r).read_bytes().replace(b"Test", b"T\xe9st")),
        ERROR,
    ),
    # Measurements and code
    "no measurements": Seen(lambda r: shutil.rmtree(_home(r) / "measurements"), ERROR),
    "no measurements of the scenario": Seen(lambda r: shutil.rmtree(_measured(r)), ERROR),
    "no mlperf.conf": Seen(lambda r: (_measured(r) / "mlperf.conf").unlink(), ERROR),
    "no user.conf": Seen(lambda r: (_measured(r) / "user.conf").unlink(), ERROR),
    "no README.md": Seen(lambda r: (_measured(r) / "README.md").unlink(), ERROR),
    "extra measurement file": Seen(lambda r: (_measured(r) / "notes").write_text(""), PASS),
    "no description": Seen(lambda r: _described(r).unlink(), ERROR),
    "description isn't JSON": Seen(lambda r: _described(r).write_text("no"), ERROR),
    "description of another name": Seen(_move(_described, "other.json"), ERROR),
    "description without scenario": Seen(
        _move(_described, "sysA_inferometer-onnxruntime.json"), PASS
    ),
    "description without implementation": Seen(_move(_described, "sysA.json"), PASS),
    "description of a longer name": Seen(
        _move(_described, "sysAB_inferometer-onnxruntime.json"), ERROR
    ),
    "description of another implementation": Seen(_move(_described, "sysA_x_Offline.json"), ERROR),
    "description lacks a key": Seen(_json(_described, retraining="gone"), ERROR),
    "description key is null": Seen(_json(_described, retraining=None), ERROR),
    "unknown description key": Seen(_json(_described, more="x"), ERROR),
    "no code": Seen(lambda r: shutil.rmtree(_home(r) / "code"), ERROR),
    "no code of the implementation": Seen(
        lambda r: shutil.rmtree(next(_home(r).glob("code/mobilenet/*"))), ERROR
    ),
    "code is empty": Seen(_empty_code, PASS),
}
