"""Circumstances: which differences are named, which are explained, and which are refused."""

from __future__ import annotations

from typing import Any

import pytest

from inferometer.comparing import COMPARISON_RULES
from inferometer.comparing.circumstances import asked_differences, differing, weaknesses
from inferometer.loadgen import Severity
from tests.comparing.options import FACTS, compared, measurement, record

DIFFERENCES: list[tuple[str, Any, Any, str]] = [
    ("task", "classification", "detection", "task"),
    ("accuracy metric", "top-1", "mAP", "task"),
    ("data set", "Fashion-MNIST", "ImageNet", "data"),
    ("samples", 100, 10_000, "data"),
    ("samples, sha256", "aa", "bb", "data"),
    ("host", "one", "other", "machine"),
    ("processor", "one", "other", "machine"),
    ("usable cores", 2, 4, "machine"),
    ("governor", "powersave", "performance", "governor"),
    ("Python", "CPython 3.11.2", "CPython 3.13.0", "versions"),
    ("kernel", "6.1", "6.8", "versions"),
    ("framework version", "1.20", "1.21", "versions"),
    ("package numpy", "1.26", "2.4", "versions"),
    ("package inferometer", "0.1", "0.2", "code"),
    ("code of inferometer, sha256", "aa", "bb", "code"),
    ("code of my.py, sha256", "aa", "bb", "code"),
    ("threads, SingleStream", "1", "2", "threads"),
    ("serving, Offline", "inline", "pool workers 2", "threads"),
    ("affinity", "0-1", "0-3", "affinity"),
    ("environment", "OMP_NUM_THREADS=1", "OMP_NUM_THREADS=2", "affinity"),
    ("model, sha256", "aa", "bb", "model"),
    ("precision", "fp32", "fp16", "precision"),
    ("run", "quick", "round v0.5", "label"),
]


@pytest.mark.parametrize(("fact", "first", "second", "rule"), DIFFERENCES)
def test_a_difference_is_named_with_both_values(
    fact: str, first: Any, second: Any, rule: str
) -> None:
    found = differing(["A", "B"], [{fact: first}, {fact: second}], ())
    assert [one.rule.id for one in found] == [f"compare.{rule}"]
    for words in (fact, f"{first} (A)", f"{second} (B)"):
        assert words in found[0].seen


@pytest.mark.parametrize(("fact", "first", "second", "rule"), DIFFERENCES)
def test_the_same_or_an_unknown_value_says_nothing(
    fact: str, first: Any, second: Any, rule: str
) -> None:
    assert differing(["A", "B"], [{fact: first}, {fact: first}], ()) == []
    assert differing(["A", "B"], [{fact: first}, {}], ()) == []


@pytest.mark.parametrize(
    ("fact", "asked"),
    [
        ("threads, SingleStream", "threads"),
        ("threads, SingleStream", "tuned"),
        ("serving, Server", "workers"),
        ("framework version", "backend"),
        ("model, sha256", "number-format"),
        ("model, sha256", "backend"),
        ("precision", "number-format"),
        ("samples, sha256", "workload"),
    ],
)
def test_what_was_asked_for_explains_what_follows(fact: str, asked: str) -> None:
    assert differing(["A", "B"], [{fact: "1"}, {fact: "2"}], {asked}) == []
    assert differing(["A", "B"], [{fact: "1"}, {fact: "2"}], {"device"}) != []


def test_another_backend_does_not_explain_another_precision() -> None:
    found = differing(["A", "B"], [{"precision": "fp32"}, {"precision": "fp16"}], {"backend"})
    assert [one.rule.id for one in found] == ["compare.precision"]


def test_words_that_are_the_same_for_all_explain_nothing() -> None:
    asked = [{"backend": "a", "threads": "1"}, {"backend": "b", "threads": "1"}, {"backend": "a"}]
    assert asked_differences(asked) == {"backend", "threads"}
    assert asked_differences([{"threads": "2"}, {"threads": "2"}]) == set()


@pytest.mark.parametrize(
    ("fact", "value", "rule"),
    [
        ("load by others", 0.3, "other-load"),
        ("time stolen by the host", 0.05, "steal"),
        ("throttled by a quota", 0.05, "throttled"),
        ("waiting for memory", 0.2, "memory-pressure"),
    ],
)
def test_what_the_machine_did_meanwhile_is_named(fact: str, value: float, rule: str) -> None:
    found = weaknesses(["A", "B"], [{fact: value}, {fact: 0.0}], is_interleaved=True)
    assert [one.rule.id for one in found] == [f"compare.{rule}"]
    assert f"{value:.0%} (A)" in found[0].seen
    assert weaknesses(["A", "B"], [{fact: 0.0}, {}], is_interleaved=True) == []


def test_unequal_load_matters_only_where_runs_did_not_share_it() -> None:
    seen = [{"load by others": 0.05}, {"load by others": 0.4}]
    ids = {one.rule.id for one in weaknesses(["A", "B"], seen, is_interleaved=False)}
    assert ids == {"compare.other-load", "compare.unequal-load"}
    ids = {one.rule.id for one in weaknesses(["A", "B"], seen, is_interleaved=True)}
    assert ids == {"compare.other-load"}


def test_another_frequency_is_named() -> None:
    seen = [{"frequency, MHz": 2000.0}, {"frequency, MHz": 3000.0}]
    (found,) = weaknesses(["A", "B"], seen, is_interleaved=True)
    assert found.rule.id == "compare.frequency"


@pytest.mark.parametrize(
    ("fact", "value"),
    [("task", "detection"), ("data set", "other"), ("samples", 3), ("samples, sha256", "b")],
)
def test_other_tasks_and_data_are_refused(fact: str, value: Any) -> None:
    facts = {**FACTS, "samples, sha256": "a"}
    one = record("A", [1.0] * 8, facts=facts)
    other = record("B", [1.0] * 8, facts={**facts, fact: value})
    comparison = compared(one, other)
    assert comparison.is_refused
    assert comparison.groups[0].scenarios == ()


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"metric": "p99 latency"}, "metric"),
        ({"asked": {"rate": "200/s"}}, "load"),
        ({"asked": {"rate": "100/s", "bound": "20 ms"}}, "load"),
    ],
)
def test_other_metrics_and_other_work_are_refused(changes: dict[str, Any], rule: str) -> None:
    asked = {"asked": {"rate": "100/s", "bound": "10 ms"}} if "asked" in changes else {}
    one = record("A", [], measurements=tuple(measurement(1.0, n, **asked) for n in range(8)))
    other = record("B", [], measurements=tuple(measurement(1.0, n, **changes) for n in range(8)))
    (scenario,) = compared(one, other).groups[0].scenarios
    assert scenario.pairs == ()
    assert f"compare.{rule}" in [found.rule.id for found in scenario.findings]


def test_every_rule_has_an_id_of_its_own_and_a_remedy() -> None:
    for name, rule in COMPARISON_RULES.items():
        assert rule.id == name
        assert rule.id.startswith("compare.")
        assert rule.title
        assert rule.remedy
    refused = {rule.id for rule in COMPARISON_RULES.values() if rule.severity is Severity.ERROR}
    assert {"compare.task", "compare.data", "compare.metric", "compare.load"} <= refused
