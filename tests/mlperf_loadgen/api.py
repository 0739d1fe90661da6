"""What tests of the published API ask of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from typing import Any

from tests.support import ROOT

SETTINGS_CLASSES = ("TestSettings", "LogSettings", "LogOutputSettings")


def public(thing: Any) -> list[str]:
    return sorted(name for name in dir(thing) if not name.startswith("_"))


def run_python(script: str, *arguments: str, **variables: str) -> Any:
    """Run a script in a fresh process; give the JSON that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, **variables},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
