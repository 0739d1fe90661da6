"""Applies config files in a process of its own: `FromConfig` remembers across a process.

Reads a job from standard input, as JSON: the ``module`` that implements the API, a
``folder`` to write to, and ``calls`` of ``FromConfig`` (text of the file or null for none,
model, scenario, conf type or null for the default, and settings to make beforehand). The
settings of the last call are tested in each scenario of ``tests``. Prints what came of it.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.mlperf_loadgen.harness import Seen, run


def main() -> None:
    job = json.load(sys.stdin)
    lg, folder = importlib.import_module(job["module"]), Path(job["folder"])
    applied = []
    asked: Any = None
    for text, model, scenario, conf_type, before in job["calls"]:
        asked = lg.TestSettings()
        for name, value in before.items():
            setattr(asked, name, value)
        path = folder / "user.conf"
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text, encoding="utf-8")
        extra = () if conf_type is None else (conf_type,)
        code = asked.FromConfig(str(path), model, scenario, *extra)
        applied.append([code, values_of(asked)])
    seen: list[Seen] = []
    results = sys.stdout
    # Whatever a test prints must not get between the results.
    with contextlib.redirect_stdout(sys.stderr):
        for scenario in job.get("tests", []):
            asked.scenario = getattr(lg.TestScenario, scenario)
            where = folder / scenario
            where.mkdir()
            seen.append(run(lg, where, asked))
    tested = [[one.events, one.records] for one in seen]
    json.dump({"applied": applied, "tested": tested}, results)
    # The published package may fail when the interpreter takes it down.
    results.flush()
    os._exit(0)


def values_of(asked: Any) -> dict[str, str]:
    """Give every setting as text, in which not-a-number equals itself."""
    return {
        name: repr(getattr(asked, name))
        for name in dir(asked)
        if not name.startswith("_") and not callable(getattr(asked, name))
    }


if __name__ == "__main__":
    main()
