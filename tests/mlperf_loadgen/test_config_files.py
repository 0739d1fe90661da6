"""Config files read through the published API, in either era."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.mlperf_loadgen.api import run_python
from tests.mlperf_loadgen.harness import OURS, OURS_V05
from tests.support import ROOT

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
