"""Real weights on real photos: ImageNet classifiers through the workload for one's own model."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from inferometer.backends import BackendOptions, get_backend
from inferometer.loadgen import Response
from inferometer.workloads import MODEL, ScoredAnswer, WorkloadOptions, get_workload
from inferometer.workloads.places import HOME_VARIABLE
from tests.support import shared_data


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A list of the 20 labelled photos that the foolbox package carries."""
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    pytest.importorskip("cv2")
    found = [
        Path(str(folder)) / "data"
        for folder in _site_packages()
        if (Path(str(folder)) / "data").is_dir()
    ]
    if not found:
        pytest.skip("photos not here: pip install --no-deps foolbox==3.3.4")
    names = sorted(found[0].glob("imagenet_*.jpg"))
    assert len(names) == 20
    listed = tmp_path / "photos.txt"
    listed.write_text("".join(f"{name} {name.stem.split('_')[2]}\n" for name in names))
    return listed


def _site_packages() -> list[Path]:
    # Importing foolbox would need what it needs, and its photos are all that is wanted.
    beside = Path(str(resources.files("numpy"))).parent
    return [beside / "foolbox"]


@pytest.mark.parametrize(
    ("model", "extra", "least"),
    [
        ("resnet50_v15.onnx", {"preprocessing": "torchvision"}, 19),
        (
            "mobilenet_v1_quant.onnx",
            {"preprocessing": "imagenet_mobilenet", "label_offset": "1"},
            18,
        ),
    ],
)
def test_trained_imagenet_models_recognise_photos(
    photos: Path, model: str, extra: dict[str, str], least: int
) -> None:
    path = shared_data("models", model)
    options = WorkloadOptions(data=photos, model=path, extra=extra)
    workload = get_workload("classification", options)
    backend = get_backend("onnxruntime")
    session = backend.load(workload.models(backend.formats)[MODEL], BackendOptions(threads=2))
    predict, library = workload.predictor({MODEL: session}), workload.library()
    indices = np.arange(20)
    library.load(indices)
    answers = np.asarray(predict(indices, library.inputs(indices)))
    found = workload.score(
        ScoredAnswer(index, Response(index, answers[index].tobytes(), b"", None))
        for index in range(20)
    )
    assert found.good is not None
    assert found.good >= least
    assert found.total == 20
