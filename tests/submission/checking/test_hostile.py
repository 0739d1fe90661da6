"""Hostile trees: each gives findings that name the file, never an exception, never OK."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inferometer.loadgen import Scenario
from inferometer.rounds import load_round
from inferometer.submission import ResultPlace, Tree, result_places
from inferometer.submission.checking import CheckOptions, TreeReport, check_tree
from inferometer.submission.checking.check import _reports
from tests.submission.checking.trees import SYSTEM, Change, make_tree

_SUMMARY, _DETAIL = "mlperf_log_summary.txt", "mlperf_log_detail.txt"
_LOG = "mlperf_log_accuracy.json"


def _files(result: Path) -> Iterator[Path]:
    """Give one file of each kind that is read."""
    yield result / "performance/run_1" / _SUMMARY
    yield result / "performance/run_1" / _DETAIL
    yield result / "accuracy" / _DETAIL
    yield result / "accuracy" / _LOG
    yield result / "accuracy/accuracy.txt"
    yield result.parents[3] / f"systems/{SYSTEM}.json"
    yield next(result.parents[3].glob("measurements/*/*/*/*.json"))


_FILES = ("summary", "detail", "accuracy detail", "accuracy log", "accuracy.txt", "system", "how")

_CONTENTS = {
    "empty": b"",
    "zeros": b"\0" * 4096,
    "no text": bytes(range(256)) * 64,
    "UTF-16": 'accuracy=77.000%\n{"a": "b"}\nResult is : VALID\n'.encode("utf-16"),
    "deep": b"[" * 200_000,
    "deep objects": b'{"a":' * 100_000,
    "open bracket": b"[\n",
    "huge number": b'[\n{ "seq_id" : ' + b"9" * 20_000 + b', "qsl_idx" : 0, "data" : "" }\n]\n',
    "exponents": b'[{"seq_id": 1e999999999, "qsl_idx": 0, "data": ""}]',
    "negative": b'[{"seq_id": -1, "qsl_idx": -1, "data": "00"}]',
    "not hex": b'[\n{ "seq_id" : 0, "qsl_idx" : 0, "data" : "0G" }\n]\n',
    "numbers": b"performance_sample_count : " + b"9" * 10_000 + b"\nResult is : VALID\n",
    "NaN": b"Samples per second: nan\n90th percentile latency (ns) : inf\nResult is : VALID\n",
    "short lines": b"\n:\n" * 150_000,
    "carriage returns": b"a\r" * 300_000,
    "one long line": b"a : " + b"b" * 300_000,
    "escapes": b"\x1b]0;owned\x07\x1b[31m : \x1b[2J\n" * 50,
}


@pytest.mark.parametrize("content", _CONTENTS.values(), ids=_CONTENTS)
@pytest.mark.parametrize("number", range(len(_FILES)), ids=_FILES)
def test_any_file_may_hold_anything(number: int, content: bytes, tmp_path: Path) -> None:
    result = make_tree(tmp_path, "ssd-small")
    file = list(_files(result))[number]
    file.write_bytes(content)
    _expect_findings(check_tree(tmp_path, workers=1), file)


def _link(file: Path) -> None:
    file.unlink()
    file.symlink_to("/etc/passwd")


def _link_to_itself(file: Path) -> None:
    file.unlink()
    file.symlink_to(file.name)


def _pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def _folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _hole(file: Path) -> None:
    # An accuracy log is read as far as it is regular; a gigabyte of zeros shows as much.
    size = 1 << 30 if file.name == _LOG else 1 << 40
    file.write_bytes(b"")
    os.truncate(file, size)


_SHAPES: dict[str, Change] = {
    "a link": _link,
    "a link to itself": _link_to_itself,
    "a pipe": _pipe,
    "a folder": _folder,
    "a large hole": _hole,
}


@pytest.mark.parametrize("change", _SHAPES.values(), ids=_SHAPES)
@pytest.mark.parametrize("number", range(len(_FILES)), ids=_FILES)
def test_any_file_may_be_something_else(number: int, change: Change, tmp_path: Path) -> None:
    result = make_tree(tmp_path, "ssd-small")
    file = list(_files(result))[number]
    change(file)
    _expect_findings(check_tree(tmp_path, workers=1), file)


def _names_with_escapes(result: Path) -> None:
    (result.parents[1] / "sys\x1b[31m\n").mkdir()


def _undecodable_names(result: Path) -> None:
    os.mkdir(os.fsencode(result.parents[2]) + b"/\xff")


def _folders_as_files(result: Path) -> None:
    for name in ("systems", "measurements", "code"):
        home = result.parents[3]
        (home / name).rename(home / f"{name}.old")
        (home / name).write_text("")


def _results_as_file(result: Path) -> None:
    home = result.parents[3]
    (home / "results").rename(home / "results.old")
    (home / "results").write_text("")


def _scenario_is_a_link(result: Path) -> None:
    result.rename(result.with_name("elsewhere"))
    result.symlink_to("elsewhere", target_is_directory=True)


_TREES: dict[str, Change] = {
    "names with escapes": _names_with_escapes,
    "undecodable names": _undecodable_names,
    "files for folders": _folders_as_files,
    "results is a file": _results_as_file,
    "the scenario is a link": _scenario_is_a_link,
}


@pytest.mark.parametrize("change", _TREES.values(), ids=_TREES)
def test_any_folder_may_be_something_else(change: Change, tmp_path: Path) -> None:
    change(make_tree(tmp_path, "ssd-small"))
    _expect_findings(check_tree(tmp_path, workers=1))


@given(
    number=st.integers(0, len(_FILES) - 1),
    at=st.floats(0, 1),
    junk=st.binary(max_size=40),
    cut=st.booleans(),
)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_damaged_file_never_breaks_the_check(
    number: int, at: float, junk: bytes, cut: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("tree")
    file = list(_files(make_tree(folder, "ssd-small")))[number]
    content = file.read_bytes()
    place = int(at * len(content))
    file.write_bytes(content[:place] + junk + (b"" if cut else content[place:]))
    report = check_tree(folder, workers=1)
    assert "check.gave-up" not in {check.rule.id for check in report.findings()}
    for check in report.all_checks():
        assert check.seen.isprintable()


def test_what_breaks_a_check_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_tree(tmp_path, "ssd-small")

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("something nobody thought of")

    monkeypatch.setattr("inferometer.submission.checking.result.check_system", fail)
    report = check_tree(tmp_path, workers=1)
    assert not report.is_good
    (found,) = report.findings()
    assert found.rule.id == "check.gave-up"
    assert "nobody thought of" in found.seen


@pytest.mark.slow
def test_a_worker_that_dies_is_a_finding(tmp_path: Path) -> None:
    for benchmark in ("resnet", "ssd-small"):
        make_tree(tmp_path, benchmark)
    for number in range(4):
        (tmp_path / f"closed/ACME/results/sys{number}/resnet/Offline").mkdir(parents=True)

    class _Poison(CheckOptions):
        """Options that end the process that takes them up."""

        def __reduce__(self) -> tuple[Callable[[int], None], tuple[int]]:
            return os._exit, (9,)

    report = check_tree(tmp_path, options=_Poison(), workers=2)
    assert not report.is_good
    assert {r.checks[0].rule.id for r in report.results} == {"check.gave-up"}


class _PoisonPlace(ResultPlace):
    """A place that ends the process that it is sent to."""

    def __reduce__(self) -> tuple[Callable[[int], None], tuple[int]]:
        return os._exit, (9,)


@pytest.mark.slow
def test_only_the_result_that_kills_its_worker_is_lost(tmp_path: Path) -> None:
    for scenario in (Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM, Scenario.OFFLINE):
        for benchmark in ("resnet", "ssd-small"):
            make_tree(tmp_path, benchmark, scenario)
    tree = Tree(tmp_path)
    places = list(result_places(tree))
    poison = _PoisonPlace("closed", "ACME", "sysA", "resnet", "Poison")
    reports = list(_reports(tree, [poison, *places], load_round("v0.5"), CheckOptions(), 2))
    assert {report.place for report in reports if report.is_good} == set(places)
    assert [r.place.scenario for r in reports if not r.is_good] == ["Poison"]


def _expect_findings(report: TreeReport, file: Path | None = None) -> None:
    assert not report.is_good
    errors = [check for check in report.findings() if check.is_error]
    assert errors
    assert "check.gave-up" not in {check.rule.id for check in errors}, errors
    if file is not None:
        assert any(file.name in c.where or file.parent.name in c.where for c in errors)
    for check in report.all_checks():
        assert check.where.isprintable()
        assert check.seen.isprintable()


def test_the_tree_of_this_repository_holds_no_results() -> None:
    report = check_tree(Path(__file__).parent, workers=1)
    assert not report.is_good
    assert not list(Tree(Path(__file__).parent).problems)
