"""The published API as a program sees it before it runs a test: names, types, errors."""

from __future__ import annotations

import copy
import json
import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import inferometer.mlperf_loadgen as package
from tests.mlperf_loadgen.harness import NO_WHEEL, OURS, OURS_V05
from tests.support import ROOT

CURRENT_NAMES = [
    "ConstructFastSUT",
    "ConstructQDL",
    "ConstructQSL",
    "ConstructSUT",
    "DestroyFastSUT",
    "DestroyQDL",
    "DestroyQSL",
    "DestroySUT",
    "FirstTokenComplete",
    "LogOutputSettings",
    "LogSettings",
    "LoggingMode",
    "QuerySample",
    "QuerySampleResponse",
    "QuerySamplesComplete",
    "StartTest",
    "StartTestWithLogSettings",
    "TestMode",
    "TestScenario",
    "TestSettings",
    "VectorQuerySample",
    "VectorQuerySampleResponse",
]
NOT_IN_V05 = {
    "ConstructFastSUT",
    "ConstructQDL",
    "DestroyFastSUT",
    "DestroyQDL",
    "FirstTokenComplete",
}
SETTINGS_CLASSES = ("TestSettings", "LogSettings", "LogOutputSettings")


@pytest.fixture
def wheel() -> Any:
    """The published package, whatever `install` has put in its place."""
    return pytest.importorskip("mlperf_loadgen", reason=NO_WHEEL)


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


# ---- names, eras, installing


def test_names() -> None:
    assert public(OURS) == CURRENT_NAMES
    assert public(OURS_V05) == sorted(set(CURRENT_NAMES) - NOT_IN_V05)
    assert set(CURRENT_NAMES) < set(dir(package))
    for name in CURRENT_NAMES:
        assert getattr(package, name) is getattr(OURS, name), name


def test_names_are_those_of_the_wheel(wheel: Any) -> None:
    assert public(wheel) == CURRENT_NAMES
    for name in SETTINGS_CLASSES:
        assert public(getattr(OURS, name)()) == public(getattr(wheel, name)()), name
    for name in ("TestScenario", "TestMode", "LoggingMode"):
        ours, theirs = getattr(OURS, name), getattr(wheel, name)
        assert list(ours.__members__) == list(theirs.__members__), name
        for member in theirs.__members__:
            mine, yours = getattr(ours, member), getattr(theirs, member)
            assert (repr(mine), str(mine), int(mine)) == (repr(yours), str(yours), int(yours))
            assert (mine.name, mine.value) == (yours.name, yours.value)


def test_installing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(package.ERA_VARIABLE, raising=False)
    # The entry is noted first, so that it is put back in the end.
    monkeypatch.setitem(sys.modules, "mlperf_loadgen", OURS)
    import_it = "import mlperf_loadgen as lg; names = lg.__all__; kind = lg.TestSettings"
    for era, expected in ((None, OURS), ("current", OURS), ("v0.5", OURS_V05)):
        package.install(era)
        found: dict[str, Any] = {}
        exec(import_it, found)
        assert found["names"] == public(expected)
        assert found["kind"] is expected.TestSettings
    monkeypatch.setenv(package.ERA_VARIABLE, "v0.5")
    package.install()
    assert sys.modules["mlperf_loadgen"].TestSettings is OURS_V05.TestSettings
    package.install("current")
    assert sys.modules["mlperf_loadgen"].TestSettings is OURS.TestSettings
    with pytest.raises(ValueError, match=r"choose one of current, v0\.5"):
        package.install("v1.0")
    monkeypatch.setenv(package.ERA_VARIABLE, "v2")
    with pytest.raises(ValueError, match="INFEROMETER_LOADGEN_ERA is 'v2'"):
        package.install()


@pytest.mark.parametrize(
    ("era", "has_free"), [("", False), ("current", False), ("v0.5", True)], ids=str
)
def test_the_era_variable_chooses_what_the_package_offers(era: str, has_free: bool) -> None:
    script = """
        import json
        from inferometer import mlperf_loadgen as lg
        has_free = hasattr(lg.TestScenario, "MultiStreamFree")
        print(json.dumps([has_free, hasattr(lg, "FirstTokenComplete")]))
        """
    assert run_python(script, INFEROMETER_LOADGEN_ERA=era) == [has_free, not has_free]


def test_a_wrong_era_variable_fails_the_import() -> None:
    script = """
        import json
        try:
            import inferometer.mlperf_loadgen
        except ValueError as error:
            print(json.dumps(str(error)))
        """
    found = run_python(script, INFEROMETER_LOADGEN_ERA="v0.7")
    assert found == "INFEROMETER_LOADGEN_ERA is 'v0.7'; it takes one of current, v0.5"


def test_the_names_alone_import_nothing_heavy() -> None:
    script = """
        import json
        import sys
        import inferometer.mlperf_loadgen as lg

        lg.install()
        settings = lg.TestSettings()
        settings.min_query_count = 5
        lg.LogSettings().log_output.outdir = "x"
        lg.QuerySampleResponse(1, 2, 3)
        heavy = ("numpy", "inferometer.loadgen", "inferometer.logs")
        print(json.dumps([name for name in heavy if name in sys.modules]))
        """
    assert run_python(script) == []


# ---- enums


def test_enums() -> None:
    scenario = OURS.TestScenario
    server = scenario.Server
    assert repr(server) == "<TestScenario.Server: 2>"
    assert str(server) == "TestScenario.Server"
    assert int(server) == server.value == 2
    assert server.name == "Server"
    assert scenario(2) is server
    assert scenario(True) is scenario.MultiStream
    assert [10, 20, 30, 40][server] == 30
    assert list(scenario.__members__) == ["SingleStream", "MultiStream", "Server", "Offline"]
    assert scenario.__members__["Server"] is server
    assert len({server, scenario(2), scenario.Offline}) == 2
    assert pickle.loads(pickle.dumps(server)) is server
    assert copy.deepcopy(server) is server
    assert list(OURS.TestMode.__members__) == [
        "SubmissionRun",
        "AccuracyOnly",
        "PerformanceOnly",
        "FindPeakPerformance",
    ]
    assert list(OURS.LoggingMode.__members__) == ["AsyncPoll", "EndOfTestOnly", "Synchronous"]
    assert repr(OURS_V05.TestScenario.Server) == "<TestScenario.Server: 3>"
    assert OURS_V05.TestScenario.MultiStreamFree.value == 2
    assert OURS_V05.TestMode is OURS.TestMode


def test_enums_equal_no_number_and_have_no_order() -> None:
    server, offline = OURS.TestScenario.Server, OURS.TestScenario.Offline
    others: list[Any] = [2, "Server", OURS.TestMode.PerformanceOnly, OURS_V05.TestScenario.Server]
    for other in others:
        assert server != other
        assert not server == other  # noqa: SIM201 - both operators are looked at
    for other in (offline, 5):
        with pytest.raises(TypeError):
            _ = server < other
        with pytest.raises(TypeError):
            _ = server >= other
    with pytest.raises((TypeError, ValueError)):
        OURS.TestScenario("Server")


# ---- settings

NUMBERS: list[Any] = [0, 1, 5, -1, 2**31 - 1, 2**31, 2**32, 2**53 + 1, 2**63, 2**64 - 1, 2**64]
REALS: list[Any] = [1.0, 2.5, -0.5, 1e300, float("nan"), float("inf")]
OTHERS: list[Any] = [True, False, None, "", "1", "x", [], [1], (), {}, {1}, object(), int, 1 + 2j]
NUMPY: list[Any] = [
    np.int64(3),
    np.uint64(2**64 - 1),
    np.int8(-2),
    np.uint8(7),
    np.float64(2.5),
    np.array(3),
]
VALUES = [*NUMBERS, *REALS, *OTHERS, *NUMPY]


def attempt(owner: Any, name: str, value: Any) -> Any:
    """Set an attribute of a new object; give its value and type, or the error's name."""
    settings = owner()
    try:
        setattr(settings, name, value)
    except (TypeError, OverflowError, ValueError) as error:
        return type(error).__name__
    kept = getattr(settings, name)
    return type(kept).__name__, repr(kept)


@pytest.mark.parametrize("kind", SETTINGS_CLASSES)
def test_attributes_take_what_those_of_the_wheel_take(kind: str, wheel: Any) -> None:
    ours, theirs = getattr(OURS, kind), getattr(wheel, kind)
    names = [name for name in public(theirs()) if name not in ("FromConfig", "log_output")]
    differences = [
        (name, value, mine, yours)
        for name in names
        for value in VALUES
        if (mine := attempt(ours, name, value)) != (yours := attempt(theirs, name, value))
    ]
    assert differences == []


@pytest.mark.parametrize("kind", SETTINGS_CLASSES)
def test_defaults_are_those_of_the_wheel(kind: str, wheel: Any) -> None:
    ours, theirs = getattr(OURS, kind)(), getattr(wheel, kind)()
    for name in public(theirs):
        if name not in ("FromConfig", "log_output"):
            assert repr(getattr(ours, name)) == repr(getattr(theirs, name)), name


ERROR = "TypeError"


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("min_query_count", 5, 5),
        ("min_query_count", True, 1),
        ("min_query_count", np.int32(7), 7),
        ("min_query_count", 2**64 - 1, 2**64 - 1),
        ("min_query_count", 2**64, ERROR),
        ("min_query_count", -1, ERROR),
        ("min_query_count", 1.0, ERROR),
        ("min_query_count", "1", ERROR),
        ("min_query_count", None, ERROR),
        ("server_find_peak_qps_decimals_of_precision", -3, -3),
        ("server_find_peak_qps_decimals_of_precision", 2**31, ERROR),
        ("server_target_qps", 5, 5.0),
        ("server_target_qps", True, 1.0),
        ("server_target_qps", np.float32(2.5), 2.5),
        ("server_target_qps", -5, -5.0),
        ("server_target_qps", "5", ERROR),
        ("server_target_qps", None, ERROR),
        ("test05", 7, True),
        ("test05", 0, False),
        ("test05", None, False),
        ("test05", "yes", ERROR),
        ("test05", [], ERROR),
        ("scenario", OURS.TestScenario.Offline, OURS.TestScenario.Offline),
        ("scenario", 2, ERROR),
        ("scenario", "Offline", ERROR),
        ("scenario", OURS.TestMode.AccuracyOnly, ERROR),
        ("mode", OURS.TestMode.AccuracyOnly, OURS.TestMode.AccuracyOnly),
        ("mode", 1, ERROR),
    ],
)
def test_what_attributes_take(name: str, value: Any, kept: Any) -> None:
    settings = OURS.TestSettings()
    if kept == ERROR:
        before = getattr(settings, name)
        with pytest.raises(TypeError, match=f"TestSettings.{name} takes"):
            setattr(settings, name, value)
        assert getattr(settings, name) == before
        return
    setattr(settings, name, value)
    found = getattr(settings, name)
    assert found == kept
    assert type(found) is type(kept)


@pytest.mark.parametrize("lg", [OURS, OURS_V05], ids=["current", "v0.5"])
@pytest.mark.parametrize("kind", [*SETTINGS_CLASSES, "QuerySample", "QuerySampleResponse"])
def test_objects_share_no_values(kind: str, lg: Any) -> None:
    one, other = getattr(lg, kind)(), getattr(lg, kind)()
    for name in public(one):
        if isinstance(before := getattr(other, name), int) and not isinstance(before, bool):
            setattr(one, name, before + 1)
            assert getattr(other, name) == before


@pytest.mark.parametrize("lg", [OURS, OURS_V05], ids=["current", "v0.5"])
@pytest.mark.parametrize("kind", [*SETTINGS_CLASSES, "QuerySample", "QuerySampleResponse"])
def test_there_are_no_other_attributes(kind: str, lg: Any) -> None:
    thing = getattr(lg, kind)()
    with pytest.raises(AttributeError):
        thing.target_latency_of_nothing = 1
    with pytest.raises(AttributeError):
        _ = thing.target_latency_of_nothing


def test_settings_of_v05() -> None:
    settings = OURS_V05.TestSettings()
    expected = {
        "single_stream_expected_latency_ns": 1_000_000,
        "multi_stream_target_qps": 10.0,
        "multi_stream_target_latency_ns": 100_000_000,
        "multi_stream_target_latency_percentile": 0.9,
        "multi_stream_samples_per_query": 4,
        "multi_stream_max_async_queries": 1,
        "min_query_count": 100,
        "min_duration_ms": 10_000,
    }
    assert {name: getattr(settings, name) for name in expected} == expected
    assert settings.scenario is OURS_V05.TestScenario.SingleStream
    with pytest.raises(TypeError):
        settings.scenario = OURS.TestScenario.Offline
    for name in ("sample_concatenate_permutation", "use_token_latencies", "test05"):
        assert not hasattr(settings, name)


def test_log_output_is_given_by_reference() -> None:
    logs = OURS.LogSettings()
    output = logs.log_output
    output.outdir = "there"
    assert logs.log_output.outdir == "there"
    assert OURS.LogSettings().log_output.outdir == "."
    other = OURS.LogOutputSettings()
    other.prefix = "run_"
    logs.log_output = other
    assert logs.log_output.prefix == "run_"
    assert logs.log_output.outdir == "."
    assert logs.enable_trace is True


# ---- samples


@pytest.mark.parametrize("whole", [int, np.int64, np.uint64, np.int32])
def test_samples_and_responses_hold_what_they_are_made_of(whole: Any) -> None:
    sample = OURS.QuerySample(whole(3), whole(4))
    assert (sample.id, sample.index) == (3, 4)
    response = OURS.QuerySampleResponse(whole(3), whole(4), whole(5))
    assert (response.id, response.data, response.size, response.n_tokens) == (3, 4, 5, 0)
    response = OURS.QuerySampleResponse(whole(3), whole(4), whole(5), whole(6))
    assert response.n_tokens == 6
    for made in (OURS.QuerySample(), OURS.QuerySampleResponse()):
        assert {getattr(made, name) for name in public(made)} == {0}
        made.id = whole(9)
        assert made.id == 9


@pytest.mark.parametrize(
    "arguments",
    [
        (1.0, 2, 3),
        (1, 2.0, 3),
        (1, 2, 3.0),
        (-1, 2, 3),
        (1, -2, 3),
        (1, 2, -3),
        ("1", 2, 3),
        (1, "2", 3),
        (1, 2, None),
        (1, [2], 3),
        (1, 2, 3, 4, 5),
    ],
)
def test_responses_of_the_wrong_kind_are_refused(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        OURS.QuerySampleResponse(*arguments)


def test_samples_take_no_keywords() -> None:
    with pytest.raises(TypeError):
        OURS.QuerySample(id=1, index=2)
    with pytest.raises(TypeError):
        OURS.QuerySampleResponse(id=1, data=2, size=3)
    with pytest.raises(TypeError):
        OURS.QuerySample(1, 2, 3)


@pytest.mark.parametrize(
    "made", [OURS.QuerySample(3, 4), OURS.QuerySampleResponse(3, 4, 5, 6)], ids=["sample", "answer"]
)
def test_samples_and_responses_are_pickled(made: Any) -> None:
    for again in (pickle.loads(pickle.dumps(made)), copy.copy(made), copy.deepcopy(made)):
        assert type(again) is type(made)
        assert again is not made
        for name in public(made):
            assert getattr(again, name) == getattr(made, name)
        assert again != made, "they are equal to nothing but themselves"
    assert made == made  # noqa: PLR0124 - that is what is tested


def test_vectors_are_lists() -> None:
    """The published ones fail at any use."""
    samples = OURS.VectorQuerySample([OURS.QuerySample(1, 2)])
    samples.append(OURS.QuerySample(3, 4))
    assert [one.index for one in samples] == [2, 4]
    assert len(OURS.VectorQuerySampleResponse()) == 0


# ---- constructing and destroying


def nothing(*_: Any) -> None:
    """Any callback."""


CONSTRUCTORS: list[tuple[Any, str, tuple[Any, ...]]] = [
    (OURS, "SUT", (nothing, nothing)),
    (OURS, "FastSUT", (nothing, nothing)),
    (OURS, "QDL", (nothing, nothing, nothing)),
    (OURS, "QSL", (5, 5, nothing, nothing)),
    (OURS_V05, "SUT", (nothing, nothing, nothing)),
    (OURS_V05, "QSL", (5, 5, nothing, nothing)),
]


@pytest.mark.parametrize(("lg", "kind", "arguments"), CONSTRUCTORS)
def test_handles(lg: Any, kind: str, arguments: tuple[Any, ...]) -> None:
    construct, destroy = getattr(lg, f"Construct{kind}"), getattr(lg, f"Destroy{kind}")
    handle, other = construct(*arguments), construct(*arguments)
    assert type(handle) is int
    assert handle > 0
    assert handle != other
    assert destroy(handle) is None
    for gone in (handle, 0, 10**9, -1):
        with pytest.raises(ValueError, match="not the handle"):
            destroy(gone)
    for other_kind in {"SUT", "QSL"} - {kind}:
        with pytest.raises(ValueError, match="not the handle"):
            getattr(lg, f"Destroy{other_kind}")(other)
    destroy(other)


@pytest.mark.parametrize(("lg", "kind", "arguments"), CONSTRUCTORS)
def test_constructing_from_the_wrong_things(lg: Any, kind: str, arguments: tuple[Any, ...]) -> None:
    construct = getattr(lg, f"Construct{kind}")
    for place, argument in enumerate(arguments):
        wrong: list[Any] = ["text", [], 2.5]
        wrong += [-1, None] if isinstance(argument, int) else [5]
        for value in wrong:
            with pytest.raises(TypeError):
                construct(*arguments[:place], value, *arguments[place + 1 :])
    for count in (len(arguments) - 1, len(arguments) + 1):
        with pytest.raises(TypeError):
            construct(*(arguments * 2)[:count])


def test_library_counts_may_be_numpy_integers() -> None:
    OURS.DestroyQSL(OURS.ConstructQSL(np.int64(5), np.uint8(5), nothing, nothing))


# ---- config files

FROM_CONFIG = """
    import json
    import sys
    from pathlib import Path
    from inferometer.mlperf_loadgen.api import api_module
    from tests.mlperf_loadgen.harness import run, settings_for

    era, folder = sys.argv[1], Path(sys.argv[2])
    lg = api_module(era)
    found = []
    for text, *arguments in json.load(open(folder / "calls.json")):
        path = folder / "user.conf"
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text)
        settings = lg.TestSettings()
        code = settings.FromConfig(str(path), *arguments)
        names = ("min_query_count", "qsl_rng_seed", "performance_sample_count_override")
        found.append([code, *(getattr(settings, name) for name in names)])
    print(json.dumps(found))
    sys.stdout.flush()
    run(lg, folder, settings_for(lg, "Offline", "PerformanceOnly"))
    """
SEED = 2085463073848966840
TEXT = "*.*.min_query_count = 7\n*.*.qsl_rng_seed = 9\n"
MULTIPLE = "Multiple conf files are used. This is not valid for official submission."


@pytest.mark.parametrize(
    ("calls", "found", "errors"),
    [
        # The first user file brings the built-in one along, and may not set seeds.
        ([[TEXT, "resnet50", "Server"]], [[0, 7, SEED, 1024]], []),
        (
            [[TEXT, "resnet50", "Server", 1], [TEXT, "resnet50", "Server", 1]],
            [[0, 7, SEED, 1024], [0, 7, 0, 0]],
            [MULTIPLE],
        ),
        ([[TEXT, "resnet50", "Offline", 0]], [[0, 24576, SEED, 1024]], []),
        (
            [
                [None, "resnet50", "Offline", 0],
                [None, "bert", "Offline", 0],
                [TEXT, "bert", "Offline"],
            ],
            [[0, 24576, SEED, 1024], [0, 10833, SEED, 10833], [0, 7, SEED, 10833]],
            [],
        ),
        ([[TEXT, "resnet50", "Server", 2]], [[0, 7, 0, 0]], []),
        ([[TEXT, "resnet50", "Server", 9]], [[0, 7, 0, 0]], []),
        # What fails applies nothing of its own file; the first time is used up.
        (
            [[None, "resnet50", "Server"], [TEXT, "resnet50", "Server"]],
            [[-2, 100, SEED, 1024], [0, 7, 0, 0]],
            ["can't open file FOLDER/user.conf", MULTIPLE],
        ),
        (
            [["*.*.min_query_count = 7\nx y\n", "resnet50", "Server", 2]],
            [[-22, 100, 0, 0]],
            ["expected 'key=value', line=2"],
        ),
    ],
)
def test_config_files_and_the_memory_of_a_process(
    calls: list[Any], found: list[Any], errors: list[str], tmp_path: Path
) -> None:
    (tmp_path / "calls.json").write_text(json.dumps(calls))
    assert run_python(FROM_CONFIG, "current", str(tmp_path), PYTHONPATH=str(ROOT)) == found
    detail = (tmp_path / "mlperf_log_detail.txt").read_text()
    entries = [json.loads(line.split(" ", 1)[1]) for line in detail.splitlines()]
    said = [entry["value"] for entry in entries if entry["key"] == "error_invalid_config"]
    assert [text.replace(str(tmp_path), "FOLDER") for text in said] == errors


def test_v05_takes_every_key_from_every_file(tmp_path: Path) -> None:
    path = tmp_path / "user.conf"
    text = "*.*.qsl_rng_seed = 9\n*.*.accuracy_log_probability = 10\nm.SingleStream.mode = 1\n"
    path.write_text(text + "*.MultiStream.target_qps = 20\n*.MultiStream.max_async_queries = 3\n")
    for _ in range(2):
        settings = OURS_V05.TestSettings()
        assert settings.FromConfig(str(path), "m", "SingleStream") == 0
        assert settings.qsl_rng_seed == 9
        assert settings.accuracy_log_probability == pytest.approx(0.1)
        assert settings.mode is OURS_V05.TestMode.AccuracyOnly
        assert settings.multi_stream_target_qps == 20.0
        assert settings.multi_stream_max_async_queries == 3
        assert settings.min_query_count == 100, "there is no built-in file"
    with pytest.raises(TypeError):
        settings.FromConfig(str(path), "m", "SingleStream", 1)


def test_negative_max_async_queries(tmp_path: Path) -> None:
    (tmp_path / "c.conf").write_text("*.Server.max_async_queries = -1\n")
    settings = OURS.TestSettings()
    assert settings.FromConfig(str(tmp_path / "c.conf"), "m", "Server", 2) == 0
    assert settings.server_max_async_queries == 2**64 - 1


def test_log_output_is_copied_and_typed() -> None:
    logs, other = OURS.LogSettings(), OURS.LogOutputSettings()
    logs.log_output = other
    other.outdir = "later"
    assert logs.log_output.outdir == "."
    with pytest.raises(TypeError):
        logs.log_output = 5


@pytest.mark.parametrize("arguments", [(1,), (1, 2)])
def test_arity_of_responses(arguments: Any) -> None:
    with pytest.raises(TypeError):
        OURS.QuerySampleResponse(*arguments)


def test_arity_of_samples() -> None:
    with pytest.raises(TypeError):
        OURS.QuerySample(1)


def test_mixed_numpy_integers() -> None:
    OURS.QuerySampleResponse(5, np.uint64(10), np.int64(8))


@pytest.mark.parametrize("kind", ["SUT", "QSL", "QDL", "FastSUT"])
def test_destroying_what_is_no_number(kind: str) -> None:
    with pytest.raises(TypeError):
        getattr(OURS, f"Destroy{kind}")("x")


def test_enum_errors() -> None:
    with pytest.raises(TypeError):
        OURS.TestScenario("Server")


def test_float_fields_and_huge_integers() -> None:
    with pytest.raises(TypeError):
        OURS.TestSettings().server_target_qps = 10**400
