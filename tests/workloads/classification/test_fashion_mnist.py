"""Fashion-MNIST: the shipped test images, and the library over them."""

from __future__ import annotations

import numpy as np
import pytest

from inferometer.workloads.classification import fashion_mnist
from inferometer.workloads.classification.fashion_mnist import (
    CLASS_NAMES,
    FashionMnistLibrary,
    preprocess,
    read_images,
    read_labels,
)
from inferometer.workloads.protocol import WorkloadError


def test_data_are_the_published_test_images() -> None:
    images, labels = read_images(), read_labels()
    assert images.shape == (10_000, 28, 28)
    assert np.bincount(labels).tolist() == [1000] * len(CLASS_NAMES)


def test_damaged_data_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fashion_mnist, "_LABELS", (fashion_mnist._LABELS[0], "0" * 64))
    with pytest.raises(WorkloadError, match="is damaged: its sha256"):
        read_labels()
    monkeypatch.setattr(fashion_mnist, "_LABELS", ("none.gz", "0" * 64))
    with pytest.raises(WorkloadError, match="is missing; install the package again"):
        read_labels()


def test_preprocessing_scales_to_minus_one_to_one() -> None:
    images = np.array([[[0, 255]]], np.uint8)
    assert preprocess(images).tolist() == [[[[-1.0, 1.0]]]]
    assert preprocess(images).dtype == np.float32


def test_library_gives_what_is_loaded_and_nothing_else() -> None:
    library = FashionMnistLibrary()
    images = read_images()
    library.load(np.array([5, 3, 5, 9999]))
    found = library.inputs(np.array([9999, 5, 5]))["input"]
    assert found.shape == (3, 1, 28, 28)
    assert (found[0] == preprocess(images[9999:])[0]).all()
    assert (found[1] == found[2]).all()
    with pytest.raises(WorkloadError, match="isn't loaded"):
        library.inputs(np.array([4]))
    library.unload(np.array([5, 3, 9999]))
    with pytest.raises(WorkloadError, match="isn't loaded"):
        library.inputs(np.array([5]))


@pytest.mark.parametrize(
    ("count", "total", "performance"),
    [(None, 10_000, 1024), (1, 1, 1), (700, 700, 700), (2000, 2000, 1024), (10**6, 10_000, 1024)],
)
def test_a_part_of_the_images(count: int | None, total: int, performance: int) -> None:
    library = FashionMnistLibrary(count)
    assert library.total_sample_count == total
    assert library.performance_sample_count == performance
    library.load(np.array([total - 1]))
    found = library.inputs(np.array([total - 1]))["input"]
    assert (found == preprocess(read_images()[total - 1 : total])).all()
    with pytest.raises(IndexError):
        library.load(np.array([total]))


def test_no_images_at_all_are_refused() -> None:
    with pytest.raises(WorkloadError, match="number of samples is 0"):
        FashionMnistLibrary(0)
