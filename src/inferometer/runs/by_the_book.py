"""By the book: which scenarios an area picks, and what the closed division doesn't take."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from inferometer.backends import get_backend
from inferometer.loadgen import Finding, Mode, Scenario, Settings, SettingsError, nearest_name
from inferometer.rounds import (
    MORE_IS_ALLOWED,
    Benchmark,
    Round,
    RoundRule,
    free_settings,
    load_rules,
)
from inferometer.runs.chooser import Chooser
from inferometer.runs.effort import Pace
from inferometer.runs.request import NETWORK, RunRequest
from inferometer.runs.result import OPEN
from inferometer.workloads import WorkloadInfo, get_workload
from inferometer.workloads.synthetic import SYNTHETIC

__all__ = [
    "breaches",
    "checked_words",
    "for_division_and_area",
    "forbidden_format",
    "format_breaches",
    "round_notes",
]

_ANY_PACE = Pace(1e-3, 1e3)
_FORMAT_WORD = re.compile(r"[a-z]*(fp|float|int|bf|nf)\d+[a-z0-9_]*")


def checked_words(book: Round | None, division: str, area: str) -> None:
    """Check a division and an area, each empty for none.

    Raises `SettingsError` without a round, and for unknown ones, suggesting the nearest.
    """
    if not (division or area):
        return
    if book is None:
        option = "--division" if division else "--area"
        raise SettingsError(
            f"{option} {division or area} needs a round, such as --round v0.5: a quick run "
            "keeps no round's rules"
        )
    for word, known, kind in ((division, book.divisions, "division"), (area, book.areas, "area")):
        if word and word not in known:
            raise SettingsError(
                f"round {book.name} has no {kind} {word!r}{nearest_name(word, known)}; known: "
                f"{', '.join(known)}"
            )


def for_division_and_area(request: RunRequest) -> RunRequest:
    """Give a request with the scenarios of its area, where it has one and names none itself.

    Scenarios that it names come first; a remark says how they differ from the area's. Raises
    `SettingsError` as `checked_words` does.
    """
    checked_words(request.round, request.division, request.area)
    if request.round is None or not request.area:
        return request
    benchmark = get_workload(request.workload, request.workload_options).info.round_benchmark
    picked = request.round.scenarios_for(request.area, benchmark, is_closed=request.is_closed)
    remarks = [*request.remarks, *_other_benchmark(request.round, request.area, benchmark)]
    if request.scenarios:
        remarks += _difference(request.area, picked, request.scenarios)
    return dataclasses.replace(
        request, scenarios=request.scenarios or picked, remarks=tuple(remarks)
    )


def _other_benchmark(book: Round, area: str, benchmark: str) -> list[str]:
    """Say that an area wasn't meant for a benchmark."""
    known, meant = book.benchmark_of(benchmark), book.areas[area].benchmarks
    if known is None or not meant or known.name in meant:
        return []
    return [f"area {area}: {known.name} isn't one of its benchmarks, {', '.join(meant)}"]


def _difference(area: str, picked: tuple[Scenario, ...], asked: tuple[Scenario, ...]) -> list[str]:
    """Say how the scenarios asked for differ from those of the area."""
    if set(asked) == set(picked):
        return []
    texts = []
    if left := [scenario.value for scenario in picked if scenario not in asked]:
        texts.append(f"without {', '.join(left)}, which it also asks for")
    if more := [scenario.value for scenario in asked if scenario not in picked]:
        texts.append(f"with {', '.join(more)}, which isn't one of its scenarios")
    return [f"area {area}, by --scenario {'; '.join(texts)}"]


def breaches(request: RunRequest, info: WorkloadInfo) -> list[Finding]:
    """Give what the closed division doesn't take of a request; nothing for other runs.

    All of it is known before anything is loaded. The rules are those of the catalogue.
    """
    book = request.round
    if book is None or not request.is_closed:
        return []
    seen = [*_of_data(request, info), *_of_place(request, book, info)]
    seen += _of_settings(request, book, info)
    seen += _of_network(request, book)
    words = (request.backend_options.precision, request.workload_options.number_format)
    seen += _of_formats(words, book)
    return [found(book, rule, text) for rule, text in dict.fromkeys(seen)]


def format_breaches(request: RunRequest, backend: Mapping[str, Any]) -> list[Finding]:
    """Give what the closed division doesn't take of a loaded model, by its backend's account."""
    if request.round is None or not request.is_closed:
        return []
    book = request.round
    seen = _of_formats([str(backend.get("precision", ""))], book)
    return [found(book, rule, text) for rule, text in seen]


def found(book: Round, rule: str, seen: str) -> Finding:
    """Give a finding of the catalogue's rule, as it holds in a round."""
    return Finding(_rules()[rule].rule_in(book.name), seen)


def round_notes(request: RunRequest, info: WorkloadInfo) -> dict[str, Any]:
    """Give what a test notes of its round, so that it can be judged from the recording alone.

    The division; and in the closed one the round's target, where the data set is the
    benchmark's, or that it isn't.
    """
    if request.round is None or not request.division:
        return {}
    notes: dict[str, Any] = {"division": request.division}
    if request.area:
        notes["area"] = request.area
    known = request.round.benchmark_of(info.round_benchmark)
    if known is None or request.division == OPEN:
        return notes
    if request.workload_options.count is not None:
        return notes
    if _has_size_of(known, info):
        return {**notes, "round_target": known.target_value}
    seen = f"{info.sample_count:,} samples of {info.data_set}, not {known.dataset_size:,} of "
    return {**notes, "other_data_set": f"{seen}{known.dataset}"}


def _has_size_of(known: Benchmark, info: WorkloadInfo) -> bool:
    return info.sample_count in (known.dataset_size, known.dataset_size_without_empty)


def _of_data(request: RunRequest, info: WorkloadInfo) -> Iterator[tuple[str, str]]:
    """Look at weights and samples."""
    options = request.workload_options
    is_random, is_synthetic = options.weights == "random", options.data == Path(SYNTHETIC)
    if is_random:
        yield "submit.random-weights", "--weights random"
    if is_synthetic:
        yield "submit.synthetic-data", "--data synthetic"
    if info.not_scored and not (is_random or is_synthetic):
        yield "submit.accuracy-missing", f"it can't be measured with {info.not_scored}"
    if options.count is not None:
        yield "submit.part-of-data-set", f"--count {options.count}"


def _of_place(request: RunRequest, book: Round, info: WorkloadInfo) -> Iterator[tuple[str, str]]:
    """Look at whether the round has such a benchmark and such scenarios."""
    if book.benchmark_of(info.round_benchmark) is None:
        known = ", ".join(book.benchmarks)
        yield "submit.not-in-round", f"{request.workload} is none of {known}"
    for scenario in request.chosen_scenarios:
        if scenario not in book.scenarios:
            yield "submit.not-in-round", f"round {book.name} has no {scenario.value}"


def _of_network(request: RunRequest, book: Round) -> Iterator[tuple[str, str]]:
    """Look at whether the system is on the side of the network that the division asks for."""
    is_remote = bool(getattr(get_backend(request.backend), "is_remote", False))
    if NETWORK not in book.divisions or is_remote == request.is_network:
        return
    if is_remote:
        yield "system.network", f"--backend {request.backend} reaches its system over a network"
    else:
        yield "system.network", f"--backend {request.backend} runs the model in this machine"


def _of_settings(request: RunRequest, book: Round, info: WorkloadInfo) -> Iterator[tuple[str, str]]:
    """Hold the settings of each scenario against the round's."""
    chooser = Chooser(request, info)
    for scenario in request.chosen_scenarios:
        wanted = book.settings(scenario, info.round_benchmark)
        asked, _ = chooser.choose(scenario, Mode.PERFORMANCE, _ANY_PACE)
        changed = list(_departures(wanted, asked))
        if changed:
            yield "submit.changed-settings", f"{scenario.value}: {', '.join(changed)}"


def _departures(wanted: Settings, asked: Settings) -> Iterator[str]:
    """Give the settings that the round doesn't leave to the submitter, and that differ."""
    free = free_settings(wanted.era, is_closed=True)
    for field in dataclasses.fields(Settings):
        should, is_now = getattr(wanted, field.name), getattr(asked, field.name)
        is_more = field.name in MORE_IS_ALLOWED and is_now > should
        if field.name not in free and should != is_now and not is_more:
            yield f"{field.name} {_plain(is_now)}, not {_plain(should)}"


def _plain(value: object) -> object:
    return getattr(value, "value", value)


def _of_formats(words: Iterable[str], book: Round) -> Iterator[tuple[str, str]]:
    for word in words:
        if text := forbidden_format(word, book):
            yield "rule.number-format", text


def forbidden_format(word: str, book: Round) -> str:
    """Say that the closed division doesn't take a number format; empty where it does.

    A word that is no number format says nothing, and not every round restricts them.
    """
    allowed = book.number_formats
    if not allowed or not _FORMAT_WORD.fullmatch(word.lower()) or book.number_format_of(word):
        return ""
    return f"{word} is none of {', '.join(allowed)}"


@cache
def _rules() -> Mapping[str, RoundRule]:
    return load_rules()
