"""Chooser: the settings of each test, from the request and what is known of the speed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from inferometer.loadgen import Era, Mode, Scenario, Settings, SettingsError, StopRule
from inferometer.logs import apply_config, builtin_config, config_changes
from inferometer.runs.effort import Pace, expected_performance, quick_settings, server_rate
from inferometer.runs.request import RunRequest
from inferometer.workloads import WorkloadInfo

__all__ = ["Chooser"]

_OFFLINE_MARGIN = 1.1


class Chooser:
    """Chooses settings: by the book of a round, or sized for a quick run."""

    def __init__(self, request: RunRequest, info: WorkloadInfo):
        self._request = request
        self._info = info

    def choose(
        self, scenario: Scenario, mode: Mode, pace: Pace
    ) -> tuple[Settings, StopRule | None]:
        """Give the settings of a test, and the rule that ends a quick one."""
        if self._request.round is not None:
            base = self._request.round.settings(scenario, self._info.round_benchmark)
            hints = expected_performance(base, pace)
            overrides = {**hints, **self._overrides(base)}
            return base.replace(mode=mode, **overrides), None
        base = self._quick_base(scenario, mode, pace)
        overrides = self._overrides(base)
        base = base.replace(**overrides)
        if mode is Mode.ACCURACY:
            return base, None
        if scenario.is_multi_stream:
            query_s = base.multi_stream_samples_per_query / pace.samples_per_s
            pace = dataclasses.replace(pace, query_latency_s=query_s)
        settings, rule = quick_settings(scenario, base, pace, self._request.effort)
        return settings.replace(**overrides), rule

    def _overrides(self, base: Settings) -> dict[str, Any]:
        """Give what the user set: in a user.conf, then by name."""
        changes: dict[str, Any] = {}
        if self._request.user_conf is not None:
            changes, errors = config_changes(
                base.era,
                self._request.user_conf,
                self._info.round_benchmark,
                base.scenario.value,
                flags=lambda name: bool(getattr(base, name)),
            )
            if errors:
                raise SettingsError(f"user.conf: {'; '.join(errors)}")
        # The session decides which mode is run, as the published harnesses do.
        changes.pop("mode", None)
        return {**changes, **self._request.settings(base.scenario)}

    def _quick_base(self, scenario: Scenario, mode: Mode, pace: Pace) -> Settings:
        """Start from the round's seeds and the workload's own bound."""
        overrides: Mapping[str, Any] = self._request.settings(scenario)
        era = Era(overrides.get("era", Era.CURRENT))
        seeded, _ = apply_config(
            Settings(era=era), builtin_config(era), "*", scenario.value, takes_seeds=True
        )
        return Settings(
            era=era,
            scenario=scenario,
            mode=mode,
            qsl_rng_seed=seeded.qsl_rng_seed,
            sample_index_rng_seed=seeded.sample_index_rng_seed,
            schedule_rng_seed=seeded.schedule_rng_seed,
            server_target_latency_ns=self._info.server_latency_bound_ns,
            server_target_latency_percentile=self._info.server_percentile,
            server_target_qps=server_rate(pace, self._info.server_latency_bound_ns),
        )

    def expected_s(self, settings: Settings, pace: Pace) -> float:
        """Say about how long a test with these settings takes."""
        samples_per_s = max(pace.samples_per_s, 1.0)
        if settings.mode is Mode.ACCURACY:
            if settings.scenario is Scenario.SERVER:
                samples_per_s = settings.server_target_qps
            return self._info.sample_count / samples_per_s
        least_s = settings.min_duration_ms / 1e3
        if self._request.round is None:
            return max(least_s, self._request.effort.budget_s)
        return max(least_s, self._least_work_s(settings, pace, samples_per_s))

    @staticmethod
    def _least_work_s(settings: Settings, pace: Pace, samples_per_s: float) -> float:
        """Say how long the minimum number of queries takes."""
        count = settings.min_query_count
        match settings.scenario:
            case Scenario.SERVER:
                return count / settings.server_target_qps
            case Scenario.OFFLINE:
                seconds = settings.min_duration_ms / 1e3
                wanted = _OFFLINE_MARGIN * seconds * settings.offline_expected_qps
                return max(count, wanted) / samples_per_s
            case Scenario.SINGLE_STREAM:
                return count * pace.query_latency_s
            case _ if settings.era.is_v05:
                return count / settings.multi_stream_target_qps
            case _:
                return count * settings.multi_stream_samples_per_query / samples_per_s
