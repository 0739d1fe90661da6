"""``inferometer rules``: the catalogue of rules, as a table or one explained in full."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Mapping
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from inferometer.loadgen import RULES, Severity, nearest_name
from inferometer.rounds import RoundRule, RuleKind, load_rules, round_names

__all__ = ["command"]

_WIDTH = 80
_ROOM_FOR_KIND = 110
_KINDS = {
    "automatic": "a program decides",
    "evidence": "a program gathers what speaks for or against, people decide",
    "declaration": "only the submitter knows, and is asked",
    "allowance": "nothing is asked",
}
_COLOUR = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_RUN = "run"


@click.command("rules")
@click.argument("rule_id", metavar="[ID]", required=False)
@click.option("--round", "round_name", type=click.Choice(round_names()), help="only of this round")
@click.option("--kind", type=click.Choice([kind.value for kind in RuleKind]), help="only these")
@click.option("--section", metavar="TEXT", help="only those whose section has this text")
@click.option("--json", "as_json", is_flag=True, help="print JSON, nothing else")
def command(
    rule_id: str | None,
    round_name: str | None,
    kind: str | None,
    section: str | None,
    as_json: bool,
) -> None:
    """List the rules of the rounds, or explain the one called ID.

    Findings of a check or an audit carry the ID. Severity says what a breach means in each
    round: an error makes a result INVALID, a dash says that the round doesn't have the rule.
    """
    if rule_id is not None:
        if round_name or kind or section:
            raise click.UsageError("an ID needs no --round, --kind or --section")
        rule = _find(rule_id)
        if as_json:
            click.echo(json.dumps(_mapping(rule), indent=2, ensure_ascii=False))
        else:
            _explain(rule)
        return
    rules = [rule for rule in load_rules().values() if _fits(rule, round_name, kind, section)]
    if as_json:
        listed = [_mapping(rule) for rule in rules]
        click.echo(json.dumps(listed, indent=2, ensure_ascii=False))
    else:
        _list(rules, [round_name] if round_name else round_names())


def _find(rule_id: str) -> RoundRule:
    """Give the rule of the catalogue, or the one that findings of runs carry."""
    rules = load_rules()
    if rule_id in rules:
        return rules[rule_id]
    if rule_id in RULES:
        of_run = RULES[rule_id]
        return RoundRule(
            id=of_run.id,
            title=of_run.title,
            text="What Inferometer finds in a run of its own, whatever the round.",
            section="Inferometer",
            kind=RuleKind.AUTOMATIC.value,
            severity={_RUN: of_run.severity},
            remedy=of_run.remedy,
            published="",
        )
    raise click.UsageError(
        f"there is no rule {rule_id!r}{nearest_name(rule_id, [*rules, *RULES])}; "
        "`inferometer rules` lists all"
    )


def _fits(rule: RoundRule, round_name: str | None, kind: str | None, section: str | None) -> bool:
    if round_name is not None and round_name not in rule.severity:
        return False
    if kind is not None and rule.kind != kind:
        return False
    sections = (rule.section, *(note.section for note in rule.notes.values()))
    return section is None or any(section.lower() in text.lower() for text in sections)


def _mapping(rule: RoundRule) -> dict[str, Any]:
    """Give plain names and values, ready for JSON."""
    return {
        "id": rule.id,
        "title": rule.title,
        "text": rule.text,
        "section": rule.section,
        "kind": rule.kind,
        "severity": _words(rule.severity),
        "remedy": rule.remedy,
        "published": rule.published,
        "notes": {name: vars(note) for name, note in rule.notes.items()},
    }


def _words(severities: Mapping[str, Severity]) -> dict[str, str]:
    return {name: severity.value for name, severity in severities.items()}


def _list(rules: list[RoundRule], rounds: list[str]) -> None:
    # A table in a file is for searching: no line of it is broken.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 3 * _WIDTH)
    has_room = console.width > _ROOM_FOR_KIND
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("id", no_wrap=True)
    if has_room:
        table.add_column("kind", no_wrap=True)
    for name in rounds:
        table.add_column(name, no_wrap=True)
    table.add_column("title")
    for rule in rules:
        kinds = [rule.kind] if has_room else []
        severities = (_coloured(rule.severity.get(name)) for name in rounds)
        table.add_row(escape(rule.id), *kinds, *severities, escape(rule.title))
    console.print(table)
    console.print(f"{len(rules)} rules; `inferometer rules ID` explains one")


def _coloured(severity: Severity | None) -> str:
    return "–" if severity is None else f"[{_COLOUR[severity]}]{severity.value}[/]"


def _explain(rule: RoundRule) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"[bold]{escape(rule.id)}[/]  {escape(rule.title)}")
    console.print(escape(_wrapped(rule.text, "")))
    severities = ", ".join(f"{name} {word}" for name, word in _words(rule.severity).items())
    lines = {
        "kind": f"{rule.kind}: {_KINDS[rule.kind]}",
        "section": rule.section,
        "severity": severities,
        "remedy": rule.remedy,
        "published": rule.published,
    }
    for name, text in lines.items():
        if text:
            console.print(f"[dim]{name:<10}[/] {escape(_wrapped(text, ' ' * 11))}")
    for round_name, note in rule.notes.items():
        texts = [
            note.section,
            note.text,
            note.published and f"The published checker {note.published}.",
        ]
        text = ". ".join(part.removesuffix(".") for part in texts if part) + "."
        console.print(f"[dim]{f'in {round_name}':<10}[/] {escape(_wrapped(text, ' ' * 11))}")


def _wrapped(text: str, indent: str) -> str:
    """Break a text into lines, those after the first one behind an indent."""
    return f"\n{indent}".join(textwrap.wrap(text, _WIDTH - len(indent)))
