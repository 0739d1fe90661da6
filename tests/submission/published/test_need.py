"""Needs: what is left, and what comes first."""

from __future__ import annotations

import pytest

from inferometer.submission.published import Need, NeedError, ResultRow, chosen, groups


def row(name: str, value: float | None, **changes: object) -> ResultRow:
    values: dict[str, object] = {
        "submitter": name, "benchmark": "resnet", "benchmark_written": "resnet50",
        "scenario": "Server", "metric": "scheduled samples/s", "metric_value": value,
        "higher_is_better": True, "is_valid": True, "latency_ms": 5.0, "processor_kind": "CPU",
        "framework": "OpenVino 2019", "framework_family": "OpenVINO", "division": "closed",
    }  # fmt: skip
    return ResultRow(**{**values, **changes})  # type: ignore[arg-type]


def names(rows: list[ResultRow]) -> list[str]:
    return [row.submitter for row in rows]


def test_the_best_comes_first() -> None:
    more = [row("b", 1.0), row("c", None), row("a", 3.0), row("bad", 9.0, is_valid=False)]
    assert names(chosen(more, Need())) == ["a", "b", "c", "bad"]
    less = [row("b", 1.0, higher_is_better=False), row("a", 3.0, higher_is_better=False)]
    assert names(chosen(less, Need())) == ["b", "a"]


def test_other_orders() -> None:
    rows = [row("b", 1.0, latency_ms=2.0, accuracy=70.0), row("a", 2.0, latency_ms=3.0),
            row("c", 3.0, latency_ms=None, accuracy=71.0)]  # fmt: skip
    assert names(chosen(rows, Need(), "latency")) == ["b", "a", "c"]
    assert names(chosen(rows, Need(), "accuracy")) == ["c", "b", "a"]
    assert names(chosen(rows, Need(), "submitter")) == ["a", "b", "c"]


def test_results_that_do_not_compare_are_kept_apart() -> None:
    rows = [row("a", 1.0), row("b", 2.0, metric="completed samples/s"),
            row("c", 3.0, scenario="Offline", metric="samples/s")]  # fmt: skip
    parts = groups(chosen(rows, Need()))
    assert [names(part) for part in parts] == [["c"], ["b"], ["a"]]


@pytest.mark.parametrize(
    ("need", "is_met"),
    [
        (Need(), True),
        (Need(benchmark="ResNet"), True),
        (Need(benchmark="resnet50"), True),
        (Need(scenario="server"), True),
        (Need(framework="openvino"), True),
        (Need(framework="OpenVino 2019"), True),
        (Need(processor_kind="cpu", division="CLOSED", submitter="a"), True),
        (Need(max_latency_ms=5.0), True),
        (Need(max_latency_ms=4.9), False),
        (Need(benchmark="gnmt"), False),
        (Need(scenario="Offline"), False),
        (Need(processor_kind="GPU"), False),
    ],
)
def test_needs(need: Need, is_met: bool) -> None:
    assert need.is_met_by(row("a", 1.0)) is is_met


def test_no_latency_meets_no_limit() -> None:
    assert not Need(max_latency_ms=1e9).is_met_by(row("a", 1.0, latency_ms=None))


def test_words_that_nothing_has_are_refused_with_a_hint() -> None:
    rows = [row("a", 1.0), row("b", 1.0, processor_kind="GPU")]
    Need(benchmark="resnet", processor_kind="gpu").check(rows)
    with pytest.raises(NeedError, match=r"did you mean 'resnet'.*; there are: resnet, resnet50"):
        Need(benchmark="resnett").check(rows)
    with pytest.raises(NeedError, match="processor kind 'FPGA'"):
        Need(processor_kind="FPGA").check(rows)
