"""TensorFlow checkpoints: the variables that TensorFlow wrote, and damage that is noticed."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inferometer.workloads.protocol import WorkloadError
from inferometer.workloads.weights import tf_checkpoint
from inferometer.workloads.weights.tf_checkpoint import read_checkpoint, table_entries
from tests.workloads.weights.fixtures import expected, unpack

pytest.importorskip("google.protobuf")

INDEX, DATA = "translate.ckpt.index", "translate.ckpt.data-00000-of-00001"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    for name in (INDEX, DATA):
        unpack(name, tmp_path)
    return tmp_path / "translate.ckpt"


def test_variables_are_what_tensorflow_wrote(checkpoint: Path) -> None:
    found, wanted = read_checkpoint(checkpoint), expected("gnmt")
    assert set(found) == set(wanted)
    assert len(wanted) == 27
    for name, array in wanted.items():
        assert found[name].dtype == array.dtype, name
        assert found[name].shape == array.shape, name
        assert (found[name] == array).all(), name


def test_the_index_file_names_the_checkpoint_too(checkpoint: Path) -> None:
    found = read_checkpoint(checkpoint.with_name(INDEX))
    assert found["global_step"] == 340_000


def test_crc_is_castagnolis() -> None:
    # The check value of CRC-32C is e3069283; masked as tables store it.
    crc = 0xE3069283
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    assert tf_checkpoint._masked_crc(b"123456789") == masked


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_a_changed_byte_of_the_index_is_noticed(checkpoint: Path, place: float, flip: int) -> None:
    content = bytearray(checkpoint.with_name(INDEX).read_bytes())
    whole = table_entries(memoryview(bytes(content)), checkpoint)
    content[int(place * len(content))] ^= flip
    # Bytes without meaning are the padding and the meta index, which isn't read.
    found = None
    with contextlib.suppress(WorkloadError):
        found = table_entries(memoryview(bytes(content)), checkpoint)
    assert found in (None, whole)


@pytest.mark.parametrize("size", [0, 1, 47, 48, 300])
def test_an_index_cut_short(checkpoint: Path, size: int) -> None:
    index = checkpoint.with_name(INDEX)
    index.write_bytes(index.read_bytes()[:size])
    with pytest.raises(WorkloadError, match="damaged, or no checkpoint's index"):
        read_checkpoint(checkpoint)


def test_data_cut_short_or_missing(checkpoint: Path) -> None:
    data = checkpoint.with_name(DATA)
    data.write_bytes(data.read_bytes()[:-100])
    with pytest.raises(WorkloadError, match="damaged or cut short"):
        read_checkpoint(checkpoint)
    data.unlink()
    with pytest.raises(WorkloadError, match=r"00001: can't be read: .* side by side"):
        read_checkpoint(checkpoint)
    with pytest.raises(WorkloadError, match=r"other\.index: can't be read"):
        read_checkpoint(checkpoint.with_name("other"))


def test_compressed_tables_are_refused(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = checkpoint.with_name(INDEX)
    content = index.read_bytes()
    head = tf_checkpoint._index_handle(*tf_checkpoint._FOOTER.unpack(content[-48:]))
    at = sum(head)
    checksum = tf_checkpoint._masked_crc(content[head[0] : at] + b"\x01").to_bytes(4, "little")
    index.write_bytes(content[:at] + b"\x01" + checksum + content[at + 5 :])
    with pytest.raises(WorkloadError, match="blocks are compressed"):
        read_checkpoint(checkpoint)


def test_a_checkpoint_can_have_any_name(checkpoint: Path, tmp_path: Path) -> None:
    shutil.copy(checkpoint.with_name(INDEX), tmp_path / "model-1.5.index")
    shutil.copy(checkpoint.with_name(DATA), tmp_path / "model-1.5.data-00000-of-00001")
    found = read_checkpoint(tmp_path / "model-1.5")
    assert np.isfinite(found["embeddings/encoder/embedding_encoder"]).all()
