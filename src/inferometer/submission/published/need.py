"""Need: which results a person asks for, and which of them come first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from inferometer.loadgen import InferometerError, nearest_name
from inferometer.submission.places import scenario_of
from inferometer.submission.published.row import ResultRow

__all__ = ["SORT_KEYS", "Need", "NeedError", "chosen", "groups"]

SORT_KEYS = ("best", "latency", "accuracy", "submitter", "system")
"""What results may be sorted by. ``best`` is the metric, the best first."""


class NeedError(InferometerError, ValueError):
    """What is asked for names something that no result has; the message says what there is."""


@dataclass(frozen=True)
class Need:
    """What is asked for; ``None`` doesn't matter. Texts are compared without regard to case.

    benchmark:
        Its official name, or the name of its folder.
    max_latency_ms:
        What the latency at the percentile that counts must not exceed. Offline results have no
        such latency, and never meet it.
    """

    benchmark: str | None = None
    scenario: str | None = None
    division: str | None = None
    processor_kind: str | None = None
    framework: str | None = None
    submitter: str | None = None
    max_latency_ms: float | None = None

    def is_met_by(self, row: ResultRow) -> bool:
        """Tell whether a result is what is asked for."""
        if self.max_latency_ms is not None and (
            row.latency_ms is None or row.latency_ms > self.max_latency_ms
        ):
            return False
        return all(
            wanted is None or _plain(name, wanted) in {_plain(name, v) for v in _values(row, name)}
            for name, wanted in self._words().items()
        )

    def _words(self) -> dict[str, str | None]:
        names = ("benchmark", "scenario", "division", "processor_kind", "framework", "submitter")
        return {name: getattr(self, name) for name in names}

    def check(self, rows: Iterable[ResultRow]) -> None:
        """Raise `NeedError` for a word that no row has, naming the nearest that one has."""
        rows = list(rows)
        for name, wanted in self._words().items():
            there = {value for row in rows for value in _values(row, name)}
            if wanted is None or _plain(name, wanted) in {_plain(name, value) for value in there}:
                continue
            known = sorted(there)
            listed = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
            raise NeedError(
                f"no result has the {name.replace('_', ' ')} {wanted!r}"
                f"{nearest_name(wanted, known)}; there are: {listed or 'none'}"
            )


def _values(row: ResultRow, name: str) -> tuple[str, ...]:
    """Give the words of a row that an asked word is compared with."""
    values = {
        "benchmark": (row.benchmark, row.benchmark_written),
        "framework": (row.framework_family, row.framework or ""),
    }.get(name, (getattr(row, name) or "",))
    return tuple(value for value in values if value)


def _plain(name: str, text: str) -> str:
    """Give a word as it is compared: scenarios in any spelling, other words in any case."""
    scenario = scenario_of(text) if name == "scenario" else None
    return scenario.value if scenario else text.lower()


def chosen(rows: Iterable[ResultRow], need: Need, sort: str = "best") -> list[ResultRow]:
    """Give the results that meet a need, by benchmark and scenario, sorted within.

    ``sort`` is one of `SORT_KEYS`. Whatever it is, results that aren't valid come after those
    that are, and results without the value last.
    """
    found = [row for row in rows if need.is_met_by(row)]
    return sorted(
        found,
        key=lambda row: (
            row.benchmark, row.scenario, row.metric or "", row.is_valid is False,
            *_names(row, sort), _rank(row, sort), row.submitter.lower(), row.title.lower(),
        ),
    )  # fmt: skip


def groups(rows: Iterable[ResultRow]) -> list[list[ResultRow]]:
    """Part sorted rows into those that can be compared: one benchmark, scenario and metric."""
    found = groupby(rows, lambda row: (row.benchmark, row.scenario, row.metric))
    return [list(members) for _, members in found]


def _names(row: ResultRow, sort: str) -> tuple[str, ...]:
    """Give the name that sorts a row before anything else."""
    return {"submitter": (row.submitter.lower(),), "system": (row.title.lower(),)}.get(sort, ("",))


def _rank(row: ResultRow, sort: str) -> tuple[bool, float]:
    """Give what sorts a row: whether it lacks the value, and the value, the best smallest."""
    if sort == "latency":
        value = row.latency_ms
    elif sort == "accuracy":
        value = None if row.accuracy is None else -row.accuracy
    else:
        value = row.metric_value
        if value is not None and row.higher_is_better:
            value = -value
    return (value is None, value or 0.0)
