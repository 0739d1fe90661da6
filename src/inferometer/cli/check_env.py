"""``inferometer check-env``: whether this machine gives honest numbers."""

from __future__ import annotations

import dataclasses
import json
import sys

import click
from rich.console import Console
from rich.markup import escape

from inferometer.cli.options import json_option
from inferometer.runs import check_environment, describe_system

__all__ = ["command"]


@click.command("check-env")
@json_option
def command(as_json: bool) -> None:
    """Check what on this machine makes numbers better or worse.

    Exit code 1 if something should be mended first.
    """
    checks = check_environment()
    if as_json:
        values = [dataclasses.asdict(check) for check in checks]
        system = describe_system()
        click.echo(json.dumps({"checks": values, "system": system}, indent=2, ensure_ascii=False))
    else:
        console = Console()
        for check in checks:
            mark = "[green]good[/]" if check.is_good else "[yellow]mind[/]"
            console.print(f"{mark}  {check.name}: {escape(check.seen)}", highlight=False)
            if not check.is_good and check.remedy:
                console.print(f"      [dim]→ {escape(check.remedy)}[/]", highlight=False)
    sys.exit(0 if all(check.is_good for check in checks) else 1)
