"""The published API as a program sees it before it runs a test: names, eras, enums."""

from __future__ import annotations

import copy
import pickle
import sys
from typing import Any

import pytest

import inferometer.mlperf_loadgen as package
from tests.mlperf_loadgen.api import SETTINGS_CLASSES, public, run_python
from tests.mlperf_loadgen.harness import OURS, OURS_V05

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


def test_enum_errors() -> None:
    with pytest.raises(TypeError):
        OURS.TestScenario("Server")
