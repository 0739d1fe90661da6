"""Signals after OpenVINO: its models leave no signal stack behind that is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.support import ROOT

SCRIPT = """
import gc, os, signal
import numpy as np
from inferometer.backends import BackendOptions, get_backend
from inferometer.workloads import MODEL, get_workload

came = []
signal.signal(signal.SIGINT, lambda *_: came.append(1))
backend = get_backend("openvino")
model = get_workload("pocket-mobilenet").models(backend.formats)[MODEL]
for threads in (1, 2, 1):
    session = backend.load(model, BackendOptions(threads=threads))
    session.run({session.input_names[0]: np.zeros((2, 1, 28, 28), np.float32)})
    os.kill(os.getpid(), signal.SIGINT)
del session
gc.collect()
os.kill(os.getpid(), signal.SIGINT)
print(len(came))
"""


def test_a_signal_after_openvino_is_handled() -> None:
    pytest.importorskip("openvino")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True, text=True, cwd=ROOT, env=dict(os.environ), check=False,
    )  # fmt: skip
    assert done.returncode != -signal.SIGSEGV
    assert (done.returncode, done.stdout.strip()) == (0, "4"), done.stderr
