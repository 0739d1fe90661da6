"""Circumstances: which differences between options matter, and what weakens all of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inferometer.comparing.findings import finding_of
from inferometer.loadgen import Finding

__all__ = ["FactRow", "asked_differences", "differing", "fact_rows", "weaknesses"]

_BUSY = 0.10
_UNEQUALLY_BUSY = 0.10
_STOLEN = 0.02
_THROTTLED = 0.01
_WAITED_FOR_MEMORY = 0.05
_OTHER_FREQUENCY = 0.05
_ANY = "…"


@dataclass(frozen=True)
class _Check:
    """A difference that matters: a finding, the facts, and words whose difference explains it.

    A fact that ends with … stands for all that begin so.
    """

    finding: str
    facts: tuple[str, ...]
    explained_by: tuple[str, ...] = ()


_CHECKS = (
    _Check("task", ("task", "accuracy metric")),
    _Check("data", ("data set", "samples")),
    _Check("data", ("samples, sha256",), ("workload",)),
    _Check("machine", ("host", "processor", "usable cores", "memory, GiB")),
    _Check("governor", ("governor",)),
    _Check("versions", ("Python", "kernel", "operating system", "package numpy")),
    _Check("versions", ("framework version",), ("backend",)),
    _Check("code", ("package inferometer", "code of …")),
    _Check("threads", ("threads, …",), ("threads", "tuned", "model", "workload")),
    _Check("threads", ("serving, …",), ("serving", "workers", "max-batch", "max-wait-ms", "tuned")),
    _Check("affinity", ("affinity", "environment")),
    _Check(
        "model", ("model, sha256",), ("model", "number-format", "backend", "weights", "workload")
    ),
    _Check("precision", ("precision",), ("number-format", "model")),
    _Check("label", ("run",)),
)


@dataclass(frozen=True)
class FactRow:
    """One fact of all options, side by side; ``None`` where it isn't known."""

    name: str
    values: tuple[Any, ...]

    @property
    def differs(self) -> bool:
        """Whether those who know it don't know the same."""
        return len({str(value) for value in self.values if value is not None}) > 1


def fact_rows(facts: Sequence[Mapping[str, Any]]) -> list[FactRow]:
    """Set the facts of all options side by side, in the order in which they are told."""
    names = dict.fromkeys(name for one in facts for name in one)
    return [FactRow(name, tuple(one.get(name) for one in facts)) for name in names]


def asked_differences(asked: Sequence[Mapping[str, str]]) -> set[str]:
    """Give the words that were asked for differently, and so explain what follows from them."""
    names = {name for one in asked for name in one}
    return {name for name in names if len({one.get(name) for one in asked}) > 1}


def differing(
    labels: Sequence[str], facts: Sequence[Mapping[str, Any]], explained: Collection[str]
) -> list[Finding]:
    """Find the differences between options that nobody asked for and that matter.

    A fact that only some know says nothing: it is compared among those who know it.
    """
    rows = {row.name: row for row in fact_rows(facts)}
    found: dict[str, list[str]] = {}
    for check in _CHECKS:
        if set(check.explained_by) & set(explained):
            continue
        for name, row in rows.items():
            if row.differs and any(_is_meant(name, fact) for fact in check.facts):
                found.setdefault(check.finding, []).append(_seen(labels, row))
    return [finding_of(name, "; ".join(seen)) for name, seen in found.items()]


def _is_meant(name: str, fact: str) -> bool:
    """Whether a fact is the one of this name, or one of those that begin with it."""
    return name == fact or (fact.endswith(_ANY) and name.startswith(fact.removesuffix(_ANY)))


def _seen(labels: Sequence[str], row: FactRow) -> str:
    told = [
        f"{value} ({label})"
        for label, value in zip(labels, row.values, strict=True)
        if value is not None
    ]
    return f"{row.name}: {', '.join(told)}"


def weaknesses(
    labels: Sequence[str], seen: Sequence[Mapping[str, float]], *, is_interleaved: bool
) -> list[Finding]:
    """Find what the machine did meanwhile that makes the numbers worse.

    Runs that are interleaved share it; of others it is also compared who had more of it.
    """
    found: list[Finding] = []
    limits = (
        ("other-load", "load by others", _BUSY),
        ("steal", "time stolen by the host", _STOLEN),
        ("throttled", "throttled by a quota", _THROTTLED),
        ("memory-pressure", "waiting for memory", _WAITED_FOR_MEMORY),
    )
    for rule, name, limit in limits:
        told = [
            f"{one[name]:.0%} ({label})"
            for label, one in zip(labels, seen, strict=True)
            if one.get(name, 0.0) >= limit
        ]
        if told:
            found.append(finding_of(rule, f"{name}: {', '.join(told)}"))
    loads = [one["load by others"] for one in seen if "load by others" in one]
    if not is_interleaved and loads and max(loads) - min(loads) >= _UNEQUALLY_BUSY:
        found.append(finding_of("unequal-load", _each(labels, seen, "load by others", ".0%")))
    rates = [one["frequency, MHz"] for one in seen if "frequency, MHz" in one]
    if rates and max(rates) > min(rates) * (1 + _OTHER_FREQUENCY):
        found.append(finding_of("frequency", _each(labels, seen, "frequency, MHz", ".0f")))
    return found


def _each(labels: Sequence[str], seen: Sequence[Mapping[str, float]], name: str, form: str) -> str:
    told = [
        f"{one[name]:{form}} ({label})"
        for label, one in zip(labels, seen, strict=True)
        if name in one
    ]
    return f"{name}: {', '.join(told)}"
