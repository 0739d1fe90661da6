"""Model and data: what keeps a result out for what was run, and on what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from inferometer.loadgen import Finding
from inferometer.runs.by_the_book import forbidden_format
from inferometer.submission.building.candidate import Candidate, RecordedTest
from inferometer.submission.building.findings import Findings
from inferometer.submission.building.request import SubmissionRequest
from inferometer.workloads.synthetic import SYNTHETIC

__all__ = ["findings_of_data", "findings_of_formats", "findings_of_sameness"]

_RANDOM = "random"
_MODEL_OPTIONS = ("model", "weights", "number_format", "seed", "extra")


def findings_of_data(
    test: RecordedTest, candidate: Candidate, request: SubmissionRequest, findings: Findings
) -> Iterator[Finding]:
    """Look at weights and samples of the first test of a session."""
    workload, options, where = test.session.workload, test.options, candidate.title
    reason = str(workload.get("not_scored") or "")
    data = str(workload.get("data_set") or "")
    if options.get("weights") == _RANDOM or f"{_RANDOM} weights" in reason:
        yield findings.find("random-weights", where)
    if options.get("data") == SYNTHETIC or SYNTHETIC in f"{data} {reason}":
        yield findings.find("synthetic-data", where)
    parts = {str(t.result.recording.notes.get("preview", "")) for t in candidate.tests} - {""}
    if options.get("count") is not None:
        parts.add(f"the first {options['count']} samples")
    if parts:
        yield findings.find("part-of-data-set", f"{where}: {', '.join(sorted(parts))}")
        return
    if candidate.benchmark is not None and not _is_whole(test, candidate):
        total = test.result.recording.total_sample_count
        seen = f"{where}: {total:,} samples of {data or 'unknown data'}; {candidate.benchmark.name}"
        seen += f" has {candidate.benchmark.dataset_size:,} of {candidate.benchmark.dataset}"
        # Under the official name it would pass for a result on the benchmark's own data.
        is_let = request.demo and candidate.name not in request.book.benchmarks
        yield findings.find("demo" if is_let else "small-data-set", seen)


def _is_whole(test: RecordedTest, candidate: Candidate) -> bool:
    """Tell whether the library is as large as the benchmark's data set, in one of its forms."""
    benchmark = candidate.benchmark
    assert benchmark is not None
    sizes = {
        benchmark.dataset_size,
        benchmark.dataset_size_without_empty,
        *benchmark.accuracy_sample_count.values(),
    }
    if benchmark.performance_sample_count > benchmark.dataset_size:
        # The data set is repeated until there are so many.
        sizes.add(benchmark.performance_sample_count)
    return test.result.recording.total_sample_count in sizes


def findings_of_formats(
    candidate: Candidate, request: SubmissionRequest, findings: Findings
) -> Iterator[Finding]:
    """Look at what the model was computed in."""
    if not request.is_closed:
        return
    words = [
        str(word or "")
        for test in candidate.tests
        for word in (test.backend.get("precision"), test.options.get("number_format"))
    ]
    for word in dict.fromkeys(words):
        if text := forbidden_format(word, request.book):
            yield findings.find_any("rule.number-format", f"{candidate.title}: {text}")


def findings_of_sameness(candidate: Candidate, findings: Findings) -> Iterator[Finding]:
    """Hold the tests of one result beside each other: one model, run in one way."""
    tests = candidate.tests
    for test in tests[1:]:
        for what, rule, values in (
            ("model", "other-model", [_model_of(one) for one in (tests[0], test)]),
            ("backend", "other-backend", [dict(one.backend) for one in (tests[0], test)]),
        ):
            if values[0] != values[1]:
                names = sorted(
                    name
                    for name in {*values[0], *values[1]}
                    if values[0].get(name) != values[1].get(name)
                )
                seen = f"{test.where} has another {what} than {tests[0].where}"
                yield findings.find(rule, f"{seen}: {', '.join(names)}")


def _model_of(test: RecordedTest) -> dict[str, Any]:
    """Give what decides which model ran: options, form, and hashes where they were noted."""
    workload = test.session.workload
    notes = test.result.recording.notes
    chosen = {name: test.options.get(name) for name in _MODEL_OPTIONS}
    noted = {name: workload.get(name) for name in ("name", "profile", "model", "parameters")}
    hashes = {
        name: source.get(name)
        for source in (workload, notes)
        for name in ("model_sha256", "sha256")
        if source.get(name)
    }
    return {**chosen, **{f"{name} of the workload": v for name, v in noted.items()}, **hashes}
