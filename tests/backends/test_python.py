"""Python functions as models: found, called with arrays, and told what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inferometer.backends import BackendError, BackendOptions, ModelFile, get_backend

SOURCE = """
import numpy as np

def mean(images):
    return images.mean(axis=(1, 2))

def both(left, right):
    return [left + right, left - right]

def too_few(images):
    return images[:1]

def number(images):
    return 3.0
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(SOURCE)
    return path


def load(path: str) -> object:
    return get_backend("python").load(ModelFile.of_user(Path(path)), BackendOptions())


def test_a_function_is_a_model(source: Path) -> None:
    session = get_backend("python").load(
        ModelFile.of_user(Path(f"{source}:mean")), BackendOptions()
    )
    assert session.input_names == ("images",)
    outputs = session.run({"images": np.ones((3, 4, 4), np.float32)})
    assert [output.tolist() for output in outputs] == [[1.0, 1.0, 1.0]]
    assert session.description["function"] == "mine.py:mean"


def test_several_inputs_and_outputs(source: Path) -> None:
    session = get_backend("python").load(
        ModelFile.of_user(Path(f"{source}:both")), BackendOptions()
    )
    found = session.run({"a": np.array([5, 6]), "b": np.array([1, 2])})
    assert [output.tolist() for output in found] == [[6, 8], [4, 4]]


@pytest.mark.parametrize("name", ["too_few", "number"])
def test_outputs_have_to_run_over_the_samples(source: Path, name: str) -> None:
    session = get_backend("python").load(
        ModelFile.of_user(Path(f"{source}:{name}")), BackendOptions()
    )
    with pytest.raises(BackendError, match="its first axis has to run over the samples"):
        session.run({"images": np.ones((3, 4, 4), np.float32)})


def test_wrong_places_are_named(source: Path, tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="there is no such model file"):
        load(f"{tmp_path}/none.py:f")
    with pytest.raises(BackendError, match="say which function is the model"):
        load(str(source))
    with pytest.raises(BackendError, match="has no function 'meen'; did you mean 'mean'"):
        load(f"{source}:meen")
    broken = tmp_path / "broken.py"
    broken.write_text("1 / 0\n")
    with pytest.raises(BackendError, match=r"can't be imported: ZeroDivisionError"):
        load(f"{broken}:f")
    with pytest.raises(BackendError, match="python has no option 'speed'"):
        get_backend("python").load(
            ModelFile.of_user(Path(f"{source}:mean")), BackendOptions(extra={"speed": "1"})
        )
