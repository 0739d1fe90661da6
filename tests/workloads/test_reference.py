"""Reference workloads: the full-size models with random weights, and what is refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from inferometer.backends import BackendOptions, get_backend
from inferometer.loadgen import Mode, Scenario, SeriesProgress
from inferometer.rounds import load_round
from inferometer.runs import Effort, Runner, RunRequest, TestResult
from inferometer.workloads import MODEL, WorkloadError, WorkloadOptions, get_workload
from inferometer.workloads.places import HOME_VARIABLE
from inferometer.workloads.synthetic import SyntheticPhotos

RANDOM = WorkloadOptions(weights="random")
TINY = {"min_duration_ms": 0, "min_query_count": 2, "max_query_count": 2}


class Quiet:
    def note(self, text: str) -> None: ...
    def begin(self, name: str, expected_s: float) -> None: ...
    def progress(self, progress: SeriesProgress) -> None: ...
    def end(self, result: TestResult) -> None: ...


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> object:
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HOME_VARIABLE, str(tmp_path_factory.mktemp("home")))
        yield


@pytest.mark.torch
@pytest.mark.parametrize(
    ("name", "shape", "dtype"),
    [
        ("mobilenet", (3, 224, 224), "float32"),
        pytest.param("resnet50", (3, 224, 224), "float32", marks=pytest.mark.slow),
        ("ssd-mobilenet", (300, 300, 3), "uint8"),
        pytest.param("ssd-resnet34", (3, 1200, 1200), "float32", marks=pytest.mark.slow),
    ],
)
def test_random_weights_answer_synthetic_photos(
    name: str, shape: tuple[int, ...], dtype: str
) -> None:
    workload = get_workload(name, RANDOM)
    assert workload.info.not_scored == "random weights and synthetic samples"
    assert workload.info.server_latency_bound_ns in (10_000_000, 15_000_000, 100_000_000)
    backend = get_backend("onnxruntime")
    files = workload.models(backend.formats)
    library = workload.library()
    indices = np.array([1, 0])
    library.load(indices)
    inputs = library.inputs(indices)
    (photos,) = inputs.values()
    assert photos.shape == (2, *shape)
    assert photos.dtype == dtype
    session = backend.load(files[MODEL], BackendOptions())
    answers = workload.predictor({MODEL: session})(indices, inputs)
    assert len(answers) == 2
    if "ssd" in name:
        for index, rows in zip(indices.tolist(), answers, strict=True):
            found = np.asarray(rows)
            assert found.shape[1] == 7
            assert (found[:, 0] == index).all()
    else:
        assert all(-1 <= float(answer[0]) < 1000 for answer in np.asarray(answers))
    assert workload.models(backend.formats)[MODEL].path == files[MODEL].path, "made once"


@pytest.mark.torch
@pytest.mark.slow
def test_every_scenario_runs_and_nothing_counts_in_a_round(tmp_path: Path) -> None:
    request = RunRequest(
        "mobilenet",
        tmp_path,
        workload_options=RANDOM,
        round=load_round("v0.5"),
        effort=Effort(budget_s=0.5),
        settings=lambda scenario: {
            **TINY,
            **({"server_target_qps": 5.0} if scenario is Scenario.SERVER else {}),
        },
    )
    session = Runner(request, Quiet()).run()
    assert {test.scenario for test in session.tests} == set(load_round("v0.5").scenarios)
    assert {test.mode for test in session.tests} == {Mode.PERFORMANCE}
    for test in session.tests:
        assert test.is_valid is False
        assert "round.accuracy-not-measured" in {found.rule.id for found in test.findings}
    only_accuracy = dataclasses.replace(request, modes=(Mode.ACCURACY,))
    with pytest.raises(WorkloadError, match="accuracy can't be measured with random weights"):
        Runner(only_accuracy, Quiet()).run()


def test_what_is_missing_says_how_to_get_it(tmp_path: Path) -> None:
    for name in ("resnet50", "mobilenet", "ssd-mobilenet", "ssd-resnet34"):
        with pytest.raises(WorkloadError, match=f"inferometer fetch {name}"):
            get_workload(name).models(("onnx",))
    with pytest.raises(WorkloadError, match="there is no such list"):
        get_workload("resnet50", WorkloadOptions(data=tmp_path)).library()
    with pytest.raises(WorkloadError, match="resnet50 has no option 'profil'; did you mean"):
        get_workload("resnet50", WorkloadOptions(extra={"profil": "x"}))
    with pytest.raises(WorkloadError, match="has no profile 'x'"):
        get_workload("resnet50", WorkloadOptions(extra={"profile": "x"}))


def test_the_file_says_how_it_is_fed() -> None:
    def made(name: str, path: str) -> object:
        return get_workload(name, WorkloadOptions(model=Path(path)))

    assert made("resnet50", "resnet50_v1.onnx").recipe.key == "imagenet"  # type: ignore[attr-defined]
    assert made("resnet50", "resnet50-19c8e357.pth").recipe.key == "torchvision"  # type: ignore[attr-defined]
    without_empty = made("ssd-resnet34", "resnet34-ssd1200.pytorch")
    assert without_empty.info.sample_count == 4952  # type: ignore[attr-defined]
    onnx = made("ssd-resnet34", "resnet34-ssd1200.onnx")
    assert onnx.info.largest_batch == 1  # type: ignore[attr-defined]
    assert onnx.info.sample_count == 5000  # type: ignore[attr-defined]


def test_synthetic_photos_follow_from_their_seed() -> None:
    recipe = get_workload("resnet50", RANDOM).recipe  # type: ignore[attr-defined]
    one, same, other = (SyntheticPhotos(recipe, "photos", 10, 5, seed) for seed in (1, 1, 2))
    for library in (one, same, other):
        library.load(np.array([3, 3, 4]))
    first = one.inputs(np.array([3]))["photos"]
    assert (first == same.inputs(np.array([3]))["photos"]).all()
    assert (first != other.inputs(np.array([3]))["photos"]).any()
    assert first[0, 0].min() == np.float32(-123.68)
    with pytest.raises(WorkloadError, match="isn't loaded"):
        one.inputs(np.array([5]))


@pytest.mark.torch
@pytest.mark.slow
def test_published_weights_go_through_the_architecture(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from inferometer.workloads.models.reference import resnet50_torchvision

    torch.manual_seed(5)
    module = resnet50_torchvision().eval()
    path = tmp_path / "resnet50-19c8e357.pth"
    torch.save(module.state_dict(), path)
    workload = get_workload("resnet50", WorkloadOptions(data=Path("synthetic"), model=path))
    assert workload.info.not_scored == "synthetic samples"
    backend = get_backend("onnxruntime")
    session = backend.load(workload.models(backend.formats)[MODEL], BackendOptions())
    library = workload.library()
    library.load(np.arange(3))
    (photos,) = library.inputs(np.arange(3)).values()
    with torch.no_grad():
        expected = module(torch.from_numpy(photos)).numpy()
    found = session.run({session.input_names[0]: photos})[0]
    assert np.abs(found - expected).max() < 1e-3 * np.abs(expected).max()
    answers = np.asarray(workload.predictor({MODEL: session})(np.arange(3), {"photos": photos}))
    assert (answers[:, 0] == expected.argmax(axis=1)).all(), "1000 classes have no offset"
