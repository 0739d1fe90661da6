"""Request: everything that is asked of a session with a language model endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inferometer.loadgen import Era, Mode, Scenario, Settings, SettingsError, StopRule
from inferometer.logs import apply_config, builtin_config
from inferometer.runs.effort import Effort, Pace, quick_settings
from inferometer.runs.llm.prompts import Prompts
from inferometer.serving.llm import LlmEndpoint, LlmOptions

__all__ = ["SCENARIOS", "LlmRequest"]

SCENARIOS = (Scenario.SINGLE_STREAM, Scenario.SERVER, Scenario.OFFLINE)
"""The scenarios that make sense for answers that stream."""

_OPEN_LOOP_LIMIT = 4096
_CLOSED_LOOP_LIMIT = 16
_QUICK = "quick"


@dataclass(frozen=True)
class LlmRequest:
    """Everything that is asked of a session.

    target_qps:
        Rate of Server, requests a second; the scenario needs it.
    in_flight:
        Most requests on their way at once; ``None`` for 16 in Offline and 4,096 in Server.
    requests:
        How many each performance test sends; ``None`` for as many as the effort affords.
    ttft_ns, tpot_ns:
        Bounds on the time to the first token, and per output token.
    settings:
        Settings that override the others.

    Raises `SettingsError` for a scenario that can't be run so.
    """

    endpoint: LlmEndpoint
    options: LlmOptions
    prompts: Prompts
    output: Path
    scenarios: tuple[Scenario, ...] = (Scenario.SINGLE_STREAM,)
    modes: tuple[Mode, ...] = (Mode.PERFORMANCE,)
    effort: Effort = field(default_factory=Effort)
    target_qps: float | None = None
    in_flight: int | None = None
    requests: int | None = None
    ttft_ns: int = 2_000_000_000
    tpot_ns: int = 200_000_000
    settings: Mapping[str, Any] = field(default_factory=dict)
    command: str = ""

    def __post_init__(self) -> None:
        for scenario in self.scenarios:
            if scenario not in SCENARIOS:
                names = ", ".join(one.value for one in SCENARIOS)
                raise SettingsError(f"{scenario.value} isn't for endpoints; they take {names}")
        if Scenario.SERVER in self.scenarios and self.target_qps is None:
            raise SettingsError("Server needs its rate: --target-qps, requests a second")
        Settings.check_names(self.settings)

    def limit_of(self, scenario: Scenario) -> int:
        """Give how many requests may be on their way at once."""
        if scenario is Scenario.SINGLE_STREAM:
            return 1
        usual = _CLOSED_LOOP_LIMIT if scenario is Scenario.OFFLINE else _OPEN_LOOP_LIMIT
        return self.in_flight or usual

    def settings_of(
        self, scenario: Scenario, mode: Mode, pace: Pace
    ) -> tuple[Settings, StopRule | None]:
        """Give the settings of a test, and the rule that ends it once enough is known."""
        base = self._base(scenario, mode)
        if mode is Mode.ACCURACY:
            return base.replace(**self.settings), None
        if self.requests is None:
            sized, rule = quick_settings(scenario, base, pace, self.effort)
            return sized.replace(**self.settings), rule
        counted = base.replace(
            min_duration_ms=0, min_query_count=self.requests, max_query_count=self.requests
        )
        return counted.replace(**self.settings), None

    def _base(self, scenario: Scenario, mode: Mode) -> Settings:
        seeded, _ = apply_config(
            Settings(), builtin_config(Era.CURRENT), "*", scenario.value, takes_seeds=True
        )
        return Settings(
            scenario=scenario,
            mode=mode,
            qsl_rng_seed=seeded.qsl_rng_seed,
            sample_index_rng_seed=seeded.sample_index_rng_seed,
            schedule_rng_seed=seeded.schedule_rng_seed,
            server_target_qps=self.target_qps or 1.0,
            use_token_latencies=True,
            ttft_latency_ns=self.ttft_ns,
            tpot_latency_ns=self.tpot_ns,
        )

    def expected_s(self, settings: Settings, pace: Pace) -> float:
        """Say about how long a test takes."""
        if settings.mode is Mode.PERFORMANCE and self.requests is None:
            return self.effort.budget_s
        count = len(self.prompts.entries)
        if settings.mode is Mode.PERFORMANCE and self.requests is not None:
            count = self.requests
        is_paced = settings.scenario is Scenario.SERVER
        return count / (settings.server_target_qps if is_paced else pace.samples_per_s)

    @property
    def label(self) -> str:
        """How the runs are labelled."""
        return _QUICK if self.requests is None else f"{self.requests:,} requests"
