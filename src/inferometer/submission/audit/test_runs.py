"""Runs of the published tests: the reference's settings, with audit settings laid over them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from inferometer.loadgen import Mode, RunOptions, Scenario, Settings, SettingsError
from inferometer.logs import config_changes, parse_config
from inferometer.rounds import Audit, Round
from inferometer.runs import Listener, Runner, RunRequest, Session, TestResult
from inferometer.runs.loaded import LoadedWorkload
from inferometer.runs.recorder import record_test
from inferometer.runs.result import MODE_WORDS
from inferometer.workloads import InputLibrary

__all__ = ["TestRuns", "audit_changes"]

_RUNS = "runs"
_ONE_PASS = ("performance_issue_unique", "performance_issue_same")


def audit_changes(audit: Audit, rules: Round, scenario: Scenario, benchmark: str) -> dict[str, Any]:
    """Give the settings that an audit's ``audit.config`` changes, by name."""
    table = parse_config(audit.config_text(scenario, benchmark))
    changes, errors = config_changes(
        rules.era, table, "*", scenario.value, flags=lambda _: False, takes_seeds=True
    )
    if errors:
        raise SettingsError(f"{audit.name}: {'; '.join(errors)}")
    changes.pop("mode", None)
    return changes


class TestRuns:
    """Runs the tests of a request, each on a model loaded for it.

    They go the way of `inferometer run`: the same loading, serving and recording.
    """

    __test__ = False

    def __init__(self, request: RunRequest, rules: Round, output: Path, listener: Listener):
        self.request = request
        self.rules = rules
        self.output = output
        self._listener = listener
        self._taken: dict[tuple[str, Scenario], int] = {}

    def reference(self) -> Session:
        """Run the request as it is, accuracy before performance."""
        request = dataclasses.replace(self.request, output=self.output / "reference")
        if request.round is None:
            given, era = request.settings, self.rules.era.value
            request = dataclasses.replace(
                request,
                settings=lambda scenario: {"era": era, **given(scenario)},
                accuracy_scenarios=_closed_loop(request.chosen_scenarios),
            )
        return Runner(request, self._listener).run()

    def run(
        self,
        name: str,
        settings: Settings,
        *,
        request: RunRequest | None = None,
        library: InputLibrary | None = None,
    ) -> TestResult:
        """Run one test with these settings into a folder of this name, or numbered after it.

        ``request`` takes the place of the audited one, ``library`` that of its samples.
        """
        scenario = settings.scenario
        self._listener.note(f"{name} {scenario.value} {MODE_WORDS[settings.mode]}")
        asked = (request or self.request).for_scenario(scenario)
        loaded = LoadedWorkload(asked, library=library)
        try:
            loaded.warm_up()
            serving, description = loaded.serve(scenario)
            scorer = None if loaded.workload.info.not_scored else loaded.workload.score
            try:
                result, _ = record_test(
                    serving,
                    loaded.library,
                    settings,
                    self._folder(f"{name}-{MODE_WORDS[settings.mode]}", scenario),
                    f"audit {name}",
                    RunOptions(notes={"serving": description, "audit": name}),
                    scorer,
                )
            finally:
                serving.close()
        finally:
            loaded.close()
        return result

    def _folder(self, name: str, scenario: Scenario) -> Path:
        """Give a folder that no other run of this audit has."""
        self._taken[name, scenario] = number = self._taken.get((name, scenario), 0) + 1
        return self.output / scenario.value / _RUNS / (name if number == 1 else f"{name}-{number}")

    def settings(
        self, reference: TestResult, audit: Audit | None, benchmark: str, mode: Mode
    ) -> Settings:
        """Give the reference's settings with those of an audit laid over them.

        A quick test that issues the loaded samples once ends with the last of them.
        """
        settings = reference.recording.settings.replace(mode=mode)
        if audit is None:
            return settings
        changes = audit_changes(audit, self.rules, settings.scenario, benchmark)
        settings = settings.replace(**changes)
        if self.request.round is None and any(getattr(settings, name) for name in _ONE_PASS):
            loaded = reference.recording.effective.performance_sample_count
            count = max(1, loaded // reference.recording.effective.samples_per_query)
            settings = settings.replace(min_query_count=count, min_duration_ms=0)
            if settings.scenario is Scenario.OFFLINE:
                settings = settings.replace(min_query_count=loaded)
        return settings


def _closed_loop(scenarios: tuple[Scenario, ...]) -> tuple[Scenario, ...]:
    """Give the scenarios whose accuracy a quick reference measures: not Server, if others are."""
    return tuple(one for one in scenarios if one is not Scenario.SERVER) or scenarios
