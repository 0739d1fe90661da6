"""Simulation table: what a described system does, for the terminal."""

from __future__ import annotations

import math

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from inferometer.report.wording import duration_text, rate_text
from inferometer.simulating import Answer, Estimate, LoadCheck, Prediction, Study, Validation

__all__ = ["bound_sentence", "cost_text", "estimate_text", "figures_of", "print_study"]

_STYLES = {Answer.MET: "bold green", Answer.MISSED: "bold red", Answer.OPEN: "bold yellow"}
_SHOWN = 0.002


def print_study(study: Study, console: Console) -> None:
    """Print the predicted figures, the capacity, the verdict, and how it was simulated."""

    def say(text: str, style: str | None = None) -> None:
        console.print(escape(text), style=style, highlight=False)

    made = study.prediction
    if made is not None:
        say(f"{made.system.name}: {replicas_text(made)}, {rate_text(made.qps)}", "bold")
        table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_header=False)
        for name, value in figures_of(study):
            table.add_row(escape(name), escape(value))
        console.print(table)
        say(f"simulated: {made.method}", "dim")
        if made.scale_error is not None:
            say(f"a cluster of half that size has another p99 by {made.scale_error:.1%}", "dim")
    sentence = bound_sentence(study)
    if sentence:
        style = _STYLES[study.answer] if study.answer is not None else "bold"
        say(sentence, style)
    if study.validation is not None:
        _print_validation(study.validation, console)


def replicas_text(made: Prediction) -> str:
    """Say how many replicas there are."""
    count = made.system.replicas
    return f"{count:,} replica{'' if count == 1 else 's'}, {made.system.routing.value}"


def figures_of(study: Study) -> list[tuple[str, str]]:
    """Give what is predicted, by name, as people read it."""
    made = study.prediction
    assert made is not None
    rows = [(f"p{100 * at:g}", estimate_text(found)) for at, found in made.latency.items()]
    rows.append(("mean", estimate_text(made.mean)))
    rows.append(("utilisation", f"{made.utilisation:.1%}"))
    if made.is_stable:
        rows.append(("waiting, on average", f"{made.waiting:,.3g} of all queries at a time"))
        rows.append(("outstanding", f"{made.outstanding:,.3g}"))
        rows.append(("samples in a batch", f"{made.batch:.2f}"))
    if made.lost or made.retried:
        rows.append(("lost", f"{made.lost:.2%}"))
        rows.append(("issued again", f"{made.retried:.2%}"))
    if study.capacity is not None:
        rows.append(("capacity", capacity_text(study)))
    rows.append(("saturation", rate_text(made.system.saturation_qps)))
    cost = cost_text(study)
    if cost:
        rows.append(("cost", cost))
    return rows


def capacity_text(study: Study) -> str:
    """Write the capacity with its interval."""
    assert study.capacity is not None
    qps = study.capacity.qps
    text = rate_text(qps.value)
    if qps.high - qps.low > _SHOWN * qps.value:
        text += f" [{rate_text(qps.low)} – {rate_text(qps.high)}]"
    if study.capacity.is_saturation:
        text += ", all that can be answered"
    return text


def estimate_text(found: Estimate) -> str:
    """Write a latency with its interval, where that is wide enough to be seen."""
    if not math.isfinite(found.value):
        return "grows for ever"
    text = duration_text(found.value)
    if math.isfinite(found.high) and found.high - found.low > _SHOWN * found.value:
        text += f" [{duration_text(found.low)} – {duration_text(found.high)}]"
    return text


def cost_text(study: Study) -> str:
    """Write what the system costs; empty where no price is known."""
    if study.per_hour is None or study.prediction is None:
        return ""
    price = study.prediction.system.price
    currency = price.currency if price is not None else ""
    text = f"{study.per_hour:,.4g} {currency}".rstrip() + " an hour"
    if study.per_million is not None:
        text += f", {study.per_million:.3g} {currency}".rstrip() + " a million queries"
    return text


def bound_sentence(study: Study) -> str:
    """Say whether the bound is kept; empty where there is none."""
    if study.bound is None:
        return ""
    bound = f"p{100 * study.bound.percentile:g} within {study.bound.limit_ns / 1e6:g} ms"
    if study.answer is None:
        return f"{bound}: at no rate"
    return f"{bound}: {study.answer.value}"


def error_interval_text(check: LoadCheck) -> str:
    """Write where the error of a prediction lies; an end that isn't known is a question mark."""
    ends = (check.error_interval.low, check.error_interval.high)
    low, high = ("?" if end is None else f"{end:+.0%}" for end in ends)
    return f"[{low} – {high}]"


def _print_validation(found: Validation, console: Console) -> None:
    table = Table(title=escape(f"{found.workload}, real and predicted"), title_justify="left")
    table.box, table.pad_edge, table.padding = SIMPLE_HEAD, False, (0, 1, 0, 0)
    names = ("load", "queries/s", "real p99", "half of the laps", "predicted", "off by", "", "15 %")
    for name in names:
        table.add_column(name, no_wrap=True)
    for check in found.checks:
        ends = " – ".join(map(duration_text, check.scatter))
        table.add_row(
            f"{check.load:.0%}",
            f"{check.qps:,.4g}",
            duration_text(check.median_ns),
            ends,
            duration_text(check.predicted_median_ns),
            f"{check.error:+.1%}",
            error_interval_text(check),
            "[green]MET[/]" if check.is_met else "[red]MISSED[/]",
        )
    console.print(table)
    low, high = min(found.saturation_qps), max(found.saturation_qps)
    count = len(found.saturation_qps)
    text = (
        f"medians of {count} laps, of the error as well, with its interval; half of the laps: "
        "their quartiles; "
        f"saturation of the laps: {rate_text(low)} – {rate_text(high)}"
    )
    console.print(text, style="dim", highlight=False)
