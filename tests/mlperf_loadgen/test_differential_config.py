"""Beside the published package: what config files make of settings, in every order."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.mlperf_loadgen.harness import NO_WHEEL, SCENARIOS, only_decided
from tests.support import ROOT

pytest.importorskip("mlperf_loadgen", reason=NO_WHEEL)

USER_CONF = """
*.*.min_duration = 0
*.*.min_query_count = 30
*.*.performance_sample_count_override = 20
*.*.qsl_rng_seed = 1
*.Server.target_qps = 20000.5
*.Offline.target_qps = 100.25
*.SingleStream.target_latency = 0.5
*.MultiStream.target_latency = 2
*.MultiStream.samples_per_query = 3
bert.*.min_query_count = 31
"""

TEXTS: list[str | None] = [
    None,
    "",
    USER_CONF,
    "*.*.min_query_count = 1\nm.*.min_query_count = 2\n*.Server.min_query_count = 3\n",
    "m.Server.min_query_count = 4\n*.Server.min_query_count = 3\n*.*.min_query_count = 1\n",
    "m.Offline.min_query_count = 4\nm.*.max_query_count = 5\nn.*.max_duration = 6\n",
    "*.*.min_query_count = 2.9\n*.*.max_query_count = -1\n*.*.min_duration = 0x64\n",
    "*.*.min_query_count = 010\n*.*.max_query_count = 1e3\n*.*.max_duration = inf\n",
    "*.*.min_query_count = 1 2\n*.*.max_query_count=3\n*.*.min_duration =\n # no = comment\n",
    "*.*.min_query_count = 1 # behind a value\n*.*.max_query_count = 3\n",
    "#comment\n*.*.max_query_count = 3\n",
    "*.*.max_query_count = 3x\n*.*.min_query_count = 5\n",
    *(f"*.*.mode = {number}\n*.*.min_query_count = 5\n" for number in range(6)),
    "*.*.use_token_latencies = 1\n*.Server.ttft_latency = 200\n*.Server.tpot_latency = 20\n",
    "*.Server.ttft_latency = 200\n*.Server.tpot_latency = 20\n*.*.ttft_latency = 3\n",
    "*.*.use_token_latencies = 2\n*.*.ttft_latency = 7\n*.*.tpot_latency = 2.9\n",
    "*.*.infer_token_latencies = 1\n*.*.token_latency_scaling_factor = 69\n",
    "*.*.target_latency_percentile = 97\nm.Server.target_latency_percentile = 99.9\n",
    "*.*.target_latency = 12.5\n*.*.target_qps = 33.3\n*.*.samples_per_query = 16\n",
    (
        "*.*.performance_issue_unique = 2\n*.*.performance_issue_same = 1\n"
        "*.*.performance_issue_same_index = 9\n*.*.print_timestamps = 4\n"
    ),
    (
        "*.*.sample_concatenate_permutation = 1\n*.Server.coalesce_queries = 3\n"
        "*.Server.max_async_queries = 12\n*.*.accuracy_sample_count_override = 7\n"
    ),
    "*.*.sample_concatenate_permutation = 2\n*.Server.max_async_queries = 2.5\n",
    (
        "*.*.accuracy_log_rng_seed = 5\n*.*.accuracy_log_sampling_target = 6\n"
        "*.*.accuracy_log_probability = 10\n*.*.test05 = 1\n*.*.test05_qsl_rng_seed = 3\n"
    ),
    "*.*.qsl_rng_seed = 1\n*.*.sample_index_rng_seed = 2\n*.*.schedule_rng_seed = 3\n",
    "*.*.unheard_of = 5\nnot.a.key.at.all = 6\n",
]
MODELS = [
    "3d-unet",
    "bert",
    "deepseek-r1",
    "deepseek-r1-interactive",
    "dlrm",
    "dlrm-v2",
    "dlrm-v3",
    "gpt-oss-120b",
    "gpt-oss-120b-interactive",
    "gptj",
    "llama2-70b",
    "llama2-70b-interactive",
    "llama3_1-405b",
    "llama3_1-405b-interactive",
    "llama3_1-8b",
    "llama3_1-8b-edge",
    "llama3_1-8b-interactive",
    "mixtral-8x7b",
    "pointpainting",
    "qwen3-vl-235b-a22b",
    "resnet50",
    "retinanet",
    "rgat",
    "rnnt",
    "ssd-mobilenet",
    "stable-diffusion-xl",
    "wan-2.2-t2v-a14b",
    "whisper",
    "yolo",
    "yolo-95",
    "yolo-99",
    "unheard-of",
    "*",
]

Call = tuple[str | None, str, str, int | None, dict[str, Any]]
FILES_ALONE: list[Call] = [
    (text, "m", scenario, 2, {}) for text in TEXTS for scenario in (*SCENARIOS, "Unheard")
]
BUILT_IN: list[Call] = [
    (None, model, scenario, 0, {}) for model in MODELS for scenario in SCENARIOS
]
USER_FILES: list[Call] = [
    (USER_CONF, "resnet50", "Server", None, {}),
    (USER_CONF, "resnet50", "Server", 1, {"min_query_count": 7}),
    (None, "resnet50", "Server", 1, {}),
    (USER_CONF, "bert", "Offline", 0, {}),
    (USER_CONF, "bert", "Offline", 3, {"qsl_rng_seed": 8}),
]
# The first user file of a process decides; it may be one that isn't there or is broken.
ORDERS: dict[str, list[Call]] = {
    "files alone": FILES_ALONE,
    "built in": BUILT_IN,
    "user files": USER_FILES,
    "user file missing": [(None, "bert", "Server", 1, {}), (USER_CONF, "bert", "Server", 1, {})],
    "user file broken": [("x", "bert", "Server", 1, {}), (USER_CONF, "bert", "Server", 1, {})],
    "built in, then user file": [
        (None, "bert", "Server", 0, {}),
        (USER_CONF, "bert", "Server", 1, {}),
    ],
    "flags set before": [
        (text, "m", "Server", 2, {"use_token_latencies": True, "infer_token_latencies": True})
        for text in TEXTS
    ],
}


@pytest.mark.parametrize("order", ORDERS)
def test_same_settings_from_config_files(order: str, tmp_path: Path) -> None:
    published, ours = configure_both(tmp_path, ORDERS[order], tests=[])
    assert len(ours["applied"]) == len(ORDERS[order])
    for call, mine, theirs in zip(
        ORDERS[order], ours["applied"], published["applied"], strict=True
    ):
        for _, values in (mine, theirs):
            # The published package leaves this one uninitialised.
            if "token_latency_scaling_factor" not in (call[0] or "") and call[3] != 0:
                del values["token_latency_scaling_factor"]
        assert mine == theirs, call


@pytest.mark.slow
@pytest.mark.parametrize("model", ["resnet50", "bert", "unheard-of"])
def test_same_tests_from_a_user_conf(model: str, tmp_path: Path) -> None:
    """The scenario looked up is Server, whichever is run; what was wrong is logged first."""
    calls: list[Call] = [(USER_CONF, model, "Server", 1, {}), ("x", model, "Server", 1, {})]
    calls.append((USER_CONF, model, "Server", 2, {}))
    published, ours = configure_both(tmp_path, calls, tests=list(SCENARIOS))
    for mine, theirs in zip(ours["tested"], published["tested"], strict=True):
        assert mine[0] == theirs[0]
        assert only_decided(mine[1]) == only_decided(theirs[1])


def configure_both(
    folder: Path, calls: list[Call], tests: list[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Make the calls in a fresh process of each side."""
    pair: list[dict[str, Any]] = []
    for module in ("mlperf_loadgen", "inferometer.mlperf_loadgen"):
        where = folder / module
        where.mkdir()
        job = {"module": module, "folder": str(where), "calls": calls, "tests": tests}
        done = subprocess.run(
            [sys.executable, "-m", "tests.mlperf_loadgen.config_worker"],
            input=json.dumps(job),
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )
        assert done.returncode == 0, done.stderr
        text = done.stdout.replace(str(where), "FOLDER")
        pair.append(json.loads(text))
    return pair[0], pair[1]
