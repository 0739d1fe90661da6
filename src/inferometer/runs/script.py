"""Script: a program that uses the published LoadGen's Python API, run on ours."""

from __future__ import annotations

import runpy
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from inferometer.loadgen import (
    Mode,
    RunOptions,
    RunOutcome,
    SampleLibrary,
    Settings,
    SystemUnderTest,
    name_of,
)
from inferometer.mlperf_loadgen import install
from inferometer.mlperf_loadgen.adapter import set_runner
from inferometer.runs.folder import SESSION, RunFolderError, write_json
from inferometer.runs.recorder import record_test
from inferometer.runs.result import MODE_WORDS, Session, TestResult
from inferometer.runs.system import describe_system, package_versions

__all__ = ["run_script"]

_LABEL = "script"


def run_script(
    target: str,
    arguments: Sequence[str],
    *,
    era: str | None = None,
    output: Path | None = None,
    is_module: bool = False,
) -> None:
    """Run a script, or a module, with `mlperf_loadgen` resolved to Inferometer's.

    ``output`` becomes a run folder with every test of the script, beside the log files
    that the script asks for. Raises what the script raises, and `RunFolderError` if there
    is no such script or the folder can't be written.
    """
    if not is_module and not Path(target).exists():
        raise RunFolderError(f"there is no script {target}")
    install(era)
    if output is not None:
        set_runner(_Keeper(output, shlex.join([target, *arguments])))
    try:
        with _arguments_of(target, arguments, is_module):
            if is_module:
                runpy.run_module(target, run_name="__main__", alter_sys=True)
            else:
                runpy.run_path(target, run_name="__main__")
    finally:
        set_runner(None)


@contextmanager
def _arguments_of(target: str, arguments: Sequence[str], is_module: bool) -> Iterator[None]:
    """Let the script see its own arguments, and import what lies beside it."""
    before = sys.argv, sys.path
    beside = str(Path.cwd()) if is_module else str(Path(target).resolve().parent)
    sys.argv, sys.path = [target, *arguments], [beside, *sys.path]
    try:
        yield
    finally:
        sys.argv, sys.path = before


class _Keeper:
    """Runs the tests of a script, each into a folder of its own."""

    def __init__(self, output: Path, command: str):
        self._output = output
        self._command = command
        self._started_at = time.strftime("%Y-%m-%dT%H:%M:%S%z")
        self._tests: list[TestResult] = []

    def __call__(
        self,
        sut: SystemUnderTest,
        library: SampleLibrary,
        settings: Settings,
        options: RunOptions,
    ) -> RunOutcome:
        """Run one test and keep it."""
        folder = self._folder_of(settings)
        result, outcome = record_test(sut, library, settings, folder, _LABEL, options)
        self._tests.append(result)
        write_json(self._output / SESSION, self._session(name_of(sut)))
        return outcome

    def _folder_of(self, settings: Settings) -> Path:
        parent = self._output / settings.scenario.value
        word = MODE_WORDS[settings.mode]
        if settings.mode is Mode.PERFORMANCE:
            parent, word = parent / word, "run"
        elif not (parent / word).exists():
            return parent / word
        number = 1
        while (folder := parent / f"{word}_{number}").exists():
            number += 1
        return folder

    def _session(self, sut_name: str) -> dict[str, object]:
        name = Path(shlex.split(self._command)[0]).name
        return Session(
            folder=self._output,
            workload={"name": name, "title": name},
            backend={"name": sut_name, **package_versions()},
            label=_LABEL,
            system=describe_system(),
            command=f"inferometer exec {self._command}",
            started_at=self._started_at,
            tests=tuple(self._tests),
        ).to_mapping()
