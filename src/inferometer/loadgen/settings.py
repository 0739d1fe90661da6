"""Settings: what a test is asked to do, as one frozen and validated value."""

from __future__ import annotations

import dataclasses
import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from inferometer.loadgen.errors import SettingsError, nearest_name
from inferometer.loadgen.vocabulary import Era, IntegerFlavour, Mode, Scenario

__all__ = ["Settings"]

_U64_MAX = 2**64 - 1
_I32_MAX = 2**31 - 1
_BY_ERA: Any = object()
_ERA_DEFAULTS: dict[str, tuple[float, float]] = {
    "multi_stream_target_latency_percentile": (0.9, 0.99),
    "multi_stream_samples_per_query": (4, 8),
}
_SINCE_V2 = (
    "sample_concatenate_permutation",
    "accuracy_log_sampling_target",
    "accuracy_sample_count_override",
    "test05",
    "use_token_latencies",
    "infer_token_latencies",
)


def _count(default: int, doc: str, least: int = 0, most: int = _U64_MAX) -> Any:
    meta = {"kind": "count", "least": least, "most": most, "doc": doc}
    return dataclasses.field(default=default, metadata=meta)


def _rate(default: float, doc: str) -> Any:
    return dataclasses.field(default=default, metadata={"kind": "rate", "doc": doc})


def _limit(default: float, doc: str) -> Any:
    return dataclasses.field(default=default, metadata={"kind": "limit", "doc": doc})


def _fraction(default: float, doc: str, *, closed: bool = False) -> Any:
    meta = {"kind": "closed_fraction" if closed else "fraction", "doc": doc}
    return dataclasses.field(default=default, metadata=meta)


def _flag(doc: str) -> Any:
    return dataclasses.field(default=False, metadata={"kind": "flag", "doc": doc})


def _word(default: enum.Enum, doc: str) -> Any:
    meta = {"kind": "word", "enum": type(default), "doc": doc}
    return dataclasses.field(default=default, metadata=meta)


@dataclass(frozen=True)
class Settings:
    """Everything a test is asked to do; immutable, checked when it is made.

    Field names are the published ones (`TestSettings`), with the unit added where the
    published name lacks it. Defaults are the published ones; those that differ between
    v0.5 and later follow ``era``.

    Raises `SettingsError` for a wrong type, a value out of range, or a setting that the
    chosen era doesn't have.

    Source: MLPerf LoadGen 6.0.17 and branch r0.5.
    """

    scenario: Scenario = _word(Scenario.SINGLE_STREAM, "how queries arrive")
    mode: Mode = _word(Mode.PERFORMANCE, "what the test is for")
    era: Era = _word(Era.CURRENT, "which published LoadGen to follow")
    integer_flavour: IntegerFlavour = _word(
        IntegerFlavour.LEMIRE, "how bounded random integers are made"
    )

    single_stream_expected_latency_ns: float = _rate(
        1e6, "expected latency of a query; only sizes how many are pre-generated"
    )
    single_stream_target_latency_percentile: float = _fraction(0.90, "percentile reported")
    multi_stream_expected_latency_ns: float = _rate(
        8e6, "expected latency of a query; only sizes how many are pre-generated"
    )
    multi_stream_target_latency_percentile: float = _fraction(
        _BY_ERA, "percentile reported; 0.9 in v0.5, 0.99 later"
    )
    multi_stream_samples_per_query: int = _count(
        _BY_ERA, "samples in each query; 4 in v0.5, 8 later", least=1, most=_I32_MAX
    )
    multi_stream_target_qps: float = _rate(10.0, "v0.5: queries a second on the grid of ticks")
    multi_stream_target_latency_ns: int = _count(100_000_000, "v0.5 MultiStreamFree: latency bound")
    multi_stream_max_async_queries: int = _count(
        1, "v0.5: queries that may be outstanding at a tick", least=1, most=_I32_MAX
    )
    server_target_qps: float = _rate(1.0, "Poisson arrival rate, queries a second")
    server_target_latency_ns: int = _count(100_000_000, "latency bound at the percentile")
    server_target_latency_percentile: float = _fraction(0.99, "percentile that the bound is for")
    server_coalesce_queries: bool = _flag("merge all queries that are due into one call")
    server_find_peak_qps_decimals_of_precision: int = _count(
        1, "decimals to which find-peak narrows the rate", most=9
    )
    server_find_peak_qps_boundary_step_size: float = _rate(
        1.0, "find-peak widens its bound by 1 + this factor"
    )
    server_max_async_queries: int = _count(
        0, "end early beyond so many outstanding queries; 0 is no limit"
    )
    server_num_issue_query_threads: int = _count(0, "only 0 can be used from Python", most=0)
    offline_expected_qps: float = _rate(1.0, "expected samples a second; sizes the one query")

    sample_concatenate_permutation: bool = _flag("issue whole permutations of the loaded set")
    min_duration_ms: int = _count(10_000, "least duration of a valid performance run")
    max_duration_ms: int = _count(0, "end early after so long; 0 is no limit")
    min_query_count: int = _count(100, "least queries of a valid performance run", least=1)
    max_query_count: int = _count(0, "end early after so many queries; 0 is no limit")
    qsl_rng_seed: int = _count(0, "seed of the loaded sets; only its low 32 bits matter")
    sample_index_rng_seed: int = _count(0, "seed of the sample order; only its low 32 bits matter")
    schedule_rng_seed: int = _count(0, "seed of the arrival times; only its low 32 bits matter")
    accuracy_log_rng_seed: int = _count(0, "seed that shifts which responses are logged")
    accuracy_log_probability: float = _fraction(
        0.0, "fraction of responses logged in performance mode", closed=True
    )
    accuracy_log_sampling_target: int = _count(
        0, "wanted number of logged responses; above 0 it overrides the probability"
    )
    test05: bool = _flag("replace the three seeds by the test05 ones, performance mode only")
    test05_qsl_rng_seed: int = _count(0, "qsl seed under test05")
    test05_sample_index_rng_seed: int = _count(0, "sample index seed under test05")
    test05_schedule_rng_seed: int = _count(0, "schedule seed under test05")
    print_timestamps: bool = _flag("print five lines of clock readings around a performance run")
    performance_issue_unique: bool = _flag("issue every entry of the loaded set once")
    performance_issue_same: bool = _flag("issue one position of the loaded set again and again")
    performance_issue_same_index: int = _count(
        0, "which position of the loaded set performance_issue_same repeats", most=_I32_MAX
    )
    performance_sample_count_override: int = _count(
        0, "replaces the library's performance sample count; 0 keeps it", most=_I32_MAX
    )
    accuracy_sample_count_override: int = _count(
        0, "replaces the library's total sample count in accuracy mode; 0 keeps it", most=_I32_MAX
    )
    use_token_latencies: bool = _flag("measure first-token and per-token latencies")
    ttft_latency_ns: int = _count(100_000_000, "Server bound on the time to the first token")
    tpot_latency_ns: int = _count(100_000_000, "Server bound on the time per output token")
    infer_token_latencies: bool = _flag("multiply sample rates into token rates")
    token_latency_scaling_factor: int = _count(0, "tokens a sample, for inferred token rates")

    outstanding_limit_s: float = _limit(
        3600.0, "end the run when nothing completes for so long; 0 waits for ever"
    )

    def __post_init__(self) -> None:
        column = 0 if self._checked_era().is_v05 else 1
        for name, defaults in _ERA_DEFAULTS.items():
            if getattr(self, name) is _BY_ERA:
                object.__setattr__(self, name, defaults[column])
        for field in dataclasses.fields(self):
            value = _checked(field.name, getattr(self, field.name), field.metadata)
            object.__setattr__(self, field.name, value)
        self._check_era_has_settings()

    def _checked_era(self) -> Era:
        metadata = type(self).__dataclass_fields__["era"].metadata
        return cast(Era, _checked("era", self.era, metadata))

    def _check_era_has_settings(self) -> None:
        if self.era.is_v05:
            for name in _SINCE_V2:
                if getattr(self, name):
                    raise SettingsError(
                        f"{name} is set, but LoadGen v0.5 has no such setting; "
                        f"leave it out or choose era {Era.CURRENT.value!r}"
                    )
        elif self.scenario is Scenario.MULTI_STREAM_FREE:
            raise SettingsError(
                "scenario MultiStreamFree was removed in LoadGen 2.0; "
                f"choose MultiStream, or era {Era.V05.value!r}"
            )

    def replace(self, **changes: Any) -> Settings:
        """Give a copy with the named settings changed; an unknown name raises `SettingsError`."""
        self.check_names(changes)
        return dataclasses.replace(self, **changes)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Settings:
        """Make settings from plain names and values, words such as ``"Server"`` included.

        Raises `SettingsError` for an unknown name, suggesting the nearest right one.
        """
        cls.check_names(values)
        return cls(**values)

    @classmethod
    def check_names(cls, values: Mapping[str, Any]) -> None:
        """Raise `SettingsError` if any name isn't a setting."""
        known = cls.__dataclass_fields__
        for name in values:
            if name not in known:
                raise SettingsError(f"unknown setting {name!r}{nearest_name(name, known)}")

    @classmethod
    def check_value(cls, name: str, value: Any) -> None:
        """Raise `SettingsError` if a setting can't have this value in any era."""
        _checked(name, value, cls.__dataclass_fields__[name].metadata)

    def to_mapping(self) -> dict[str, Any]:
        """Give plain names and values (words as their published names), ready for JSON."""
        return {
            name: value.value if isinstance(value, enum.Enum) else value
            for name, value in ((f.name, getattr(self, f.name)) for f in dataclasses.fields(self))
        }


def _checked(name: str, value: Any, meta: Mapping[str, Any]) -> Any:
    """Give the value in its own type, or raise `SettingsError` saying what was expected."""
    kind = meta["kind"]
    if kind == "word":
        return _checked_word(name, value, meta["enum"])
    if kind == "flag":
        if not isinstance(value, bool):
            raise _wrong(name, value, "true or false")
        return value
    if kind == "count":
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise _wrong(name, value, "a whole number")
        number = int(value.__index__())
        if not meta["least"] <= number <= meta["most"]:
            raise _wrong(name, value, f"a whole number from {meta['least']} to {meta['most']}")
        return number
    return _checked_real(name, value, kind)


def _checked_real(name: str, value: Any, kind: str) -> float:
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise _wrong(name, value, "a number")
    real = float(value)
    if kind == "rate":
        if not (math.isfinite(real) and real > 0):
            raise _wrong(name, value, "a finite number above 0")
    elif kind == "limit":
        if not (math.isfinite(real) and real >= 0):
            raise _wrong(name, value, "a finite number from 0")
    elif kind == "fraction":
        if not 0.0 < real < 1.0:
            raise _wrong(name, value, "a fraction above 0 and below 1 (0.99 for the 99th)")
    elif not 0.0 <= real <= 1.0:
        raise _wrong(name, value, "a fraction from 0 to 1")
    return real


def _checked_word(name: str, value: Any, words: type[enum.Enum]) -> enum.Enum:
    if isinstance(value, words):
        return value
    known = [word.value for word in words]
    if isinstance(value, str):
        if value in known:
            return words(value)
        hint = nearest_name(value, known)
        raise SettingsError(f"{name} is {value!r}; it takes one of {', '.join(known)}{hint}")
    raise _wrong(name, value, f"one of {', '.join(known)}")


def _wrong(name: str, value: Any, expected: str) -> SettingsError:
    return SettingsError(f"{name} is {value!r}; it takes {expected}")
