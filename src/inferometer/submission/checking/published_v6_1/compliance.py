"""Compliance: what the v6.1 round's checker asks of the tests beside a closed result."""

from __future__ import annotations

from collections.abc import Iterator

from inferometer.rounds import Audit
from inferometer.submission.checking.published_v6_1.accuracy import stated_accuracy
from inferometer.submission.checking.published_v6_1.case import Case, judged
from inferometer.submission.checking.published_v6_1.files import StopsError, log_of, text_of
from inferometer.submission.checking.published_v6_1.performance import performance_reasons

__all__ = ["compliance_reasons", "reasons_of_test"]

_PASS = "TEST PASS"
_ACCURACY, _PERFORMANCE = "verify_accuracy.txt", "verify_performance.txt"
_DETAIL, _ANSWERS = "mlperf_log_detail.txt", "mlperf_log_accuracy.json"
_PAIR = ("baseline_accuracy.txt", "compliance_accuracy.txt")
_KEEPER = ".gitkeep"


def compliance_reasons(case: Case) -> Iterator[str]:
    """Say what is bad about the tests of a result; raise `StopsError` where the checker ends.

    Logs of tests are read in the open division too, which asks for none.
    """
    for name, audit in case.round.audits.items():
        folder = (*case.place.parts, name)
        reasons = list(reasons_of_test(folder, audit, case))
        if not case.is_open and case.benchmark.name in audit.required_for:
            yield from reasons


def reasons_of_test(folder: tuple[str, ...], audit: Audit, case: Case) -> Iterator[str]:
    """Say what is bad about one test, which lies in this folder of the case's tree.

    Raises `StopsError` where the checker ends.
    """
    name = folder[-1]
    log = log_of(case.tree, *folder, "performance", "run_1", _DETAIL)
    words = ""
    if case.tree.has_file(*folder, _ACCURACY):
        words = text_of(case.tree, *folder, _ACCURACY)
    if log is None:
        yield f"{name} has no {_DETAIL}"
    else:
        yield from (f"{name}: {reason}" for reason in performance_reasons(log, case))
    if _PERFORMANCE in audit.files:
        yield from _performance(folder, case)
    if _ACCURACY in audit.files:
        if not case.tree.has_file(*folder, _ACCURACY):
            yield f"{name} has no {_ACCURACY}"
        elif not any(line.strip() == _PASS for line in words.split("\n")):
            yield from _other_answers(folder, audit, case)


def _performance(folder: tuple[str, ...], case: Case) -> Iterator[str]:
    name = folder[-1]
    try:
        is_passed = _PASS in text_of(case.tree, *folder, _PERFORMANCE)
    except StopsError as error:
        yield str(error)
        return
    if not is_passed:
        yield f"{name}/{_PERFORMANCE} doesn't say {_PASS}"
    run = (*folder, "performance", "run_1")
    if not _holds(run, case.round.files.performance, (_ANSWERS,), case):
        yield f"{name}/performance/run_1 has other files"


def _holds(
    folder: tuple[str, ...], required: tuple[str, ...], optional: tuple[str, ...], case: Case
) -> bool:
    """Tell whether a folder holds just these files."""
    let = {*case.round.files.ignored, *optional, _KEEPER}
    return not (set(case.tree.files(*folder)) ^ set(required)) - let


def _other_answers(folder: tuple[str, ...], audit: Audit, case: Case) -> Iterator[str]:
    """Let answers differ if both accuracies, measured and as submitted, are nearly the same."""
    accuracy = (*folder, "accuracy")
    required = (_ANSWERS, "accuracy.txt", *_PAIR)
    if not _holds(accuracy, required, (), case):
        yield f"{folder[-1]} doesn't pass, and has no {', '.join(required)} instead"
        return

    def compare() -> Iterator[str]:
        task = case.benchmark.task
        submitted, tested = (
            stated_accuracy(text_of(case.tree, *accuracy, name), task) for name in _PAIR
        )
        share = audit.accuracy_tolerance_of.get(case.benchmark.name, audit.accuracy_tolerance)
        # In percent, so that what lies just at the bound is rounded as the checker does.
        is_near = share is not None and abs(1 - submitted / tested) * 100 <= share * 100
        if not submitted or not is_near:
            yield f"{folder[-1]}: accuracy {tested:g}, without the test {submitted:g}"

    try:
        yield from judged(f"the accuracies of {folder[-1]}", compare)
    except StopsError as error:
        yield str(error)
