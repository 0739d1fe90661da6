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

from inferometer.cli.catalogue import ANY_ROUND, GROUP_NAMES, RuleGroup, rule_groups
from inferometer.cli.options import json_option
from inferometer.loadgen import Severity, nearest_name
from inferometer.rounds import RoundRule, RuleKind, round_names

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


@click.command("rules")
@click.argument("rule_id", metavar="[ID]", required=False)
@click.option("--group", "group_name", type=click.Choice(GROUP_NAMES), help="only this group")
@click.option("--round", "round_name", type=click.Choice(round_names()), help="only of this round")
@click.option("--kind", type=click.Choice([kind.value for kind in RuleKind]), help="only these")
@click.option("--section", metavar="TEXT", help="only those whose section has this text")
@json_option
def command(
    rule_id: str | None,
    group_name: str | None,
    round_name: str | None,
    kind: str | None,
    section: str | None,
    as_json: bool,
) -> None:
    """List the rules of the rounds and all else that may be found, or explain the one called ID.

    Every finding carries the ID of its rule. Severity says what a breach means in each round:
    an error makes a result INVALID, a dash says that the round doesn't have the rule. What is
    found about a test itself has one severity, whatever the round.
    """
    if rule_id is not None:
        if group_name or round_name or kind or section:
            raise click.UsageError("an ID needs no --group, --round, --kind or --section")
        name, rule = _find(rule_id)
        if as_json:
            click.echo(json.dumps(_mapping(name, rule), indent=2, ensure_ascii=False))
        else:
            _explain(rule)
        return
    shown = [
        (group, [r for r in group.rules.values() if _fits(r, round_name, kind, section)])
        for group in rule_groups()
        if group_name in (None, group.name)
    ]
    if as_json:
        listed = [_mapping(group.name, rule) for group, rules in shown for rule in rules]
        click.echo(json.dumps(listed, indent=2, ensure_ascii=False))
    else:
        _list(shown, [round_name] if round_name else round_names())


def _find(rule_id: str) -> tuple[str, RoundRule]:
    """Give the rule of this id, and the name of its group."""
    found = {
        key: (group.name, rule) for group in rule_groups() for key, rule in group.rules.items()
    }
    if rule_id not in found:
        raise click.UsageError(
            f"there is no rule {rule_id!r}{nearest_name(rule_id, found)}; "
            "`inferometer rules` lists all"
        )
    return found[rule_id]


def _fits(rule: RoundRule, round_name: str | None, kind: str | None, section: str | None) -> bool:
    if round_name is not None and round_name not in rule.severity:
        return False
    if kind is not None and rule.kind != kind:
        return False
    sections = (rule.section, *(note.section for note in rule.notes.values()))
    return section is None or any(section.lower() in text.lower() for text in sections)


def _mapping(group: str, rule: RoundRule) -> dict[str, Any]:
    """Give plain names and values, ready for JSON."""
    return {
        "id": rule.id,
        "group": group,
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


def _list(shown: list[tuple[RuleGroup, list[RoundRule]]], rounds: list[str]) -> None:
    # A table in a file is for searching: no line of it is broken.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 3 * _WIDTH)
    id_width = max((len(rule.id) for _, rules in shown for rule in rules), default=0)
    for group, rules in shown:
        if rules:
            console.print(f"[bold]{group.name}[/]: {escape(group.title)}")
            columns = rounds if group.of_rounds else [ANY_ROUND]
            console.print(_table(rules, columns, id_width, console.width > _ROOM_FOR_KIND))
            console.print()
    count = sum(len(rules) for _, rules in shown)
    console.print(f"{count} rules; `inferometer rules ID` explains one")


def _table(rules: list[RoundRule], columns: list[str], id_width: int, has_kind: bool) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("id", no_wrap=True, min_width=id_width)
    if has_kind:
        table.add_column("kind", no_wrap=True)
    for name in columns:
        table.add_column("severity" if name == ANY_ROUND else name, no_wrap=True)
    table.add_column("title")
    for rule in rules:
        kinds = [rule.kind] if has_kind else []
        severities = (_coloured(rule.severity.get(name)) for name in columns)
        table.add_row(escape(rule.id), *kinds, *severities, escape(rule.title))
    return table


def _coloured(severity: Severity | None) -> str:
    return "–" if severity is None else f"[{_COLOUR[severity]}]{severity.value}[/]"


def _explain(rule: RoundRule) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"[bold]{escape(rule.id)}[/]  {escape(rule.title)}")
    console.print(escape(_wrapped(rule.text, "")))
    severities = ", ".join(
        word if name == ANY_ROUND else f"{name} {word}"
        for name, word in _words(rule.severity).items()
    )
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
