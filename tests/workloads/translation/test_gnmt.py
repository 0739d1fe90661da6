"""GNMT in PyTorch: size, arithmetic, lengths; and its parts as ONNX files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inferometer.backends import BackendOptions, ModelFile, Session, get_backend
from inferometer.workloads.translation.beam import BeamSearch
from inferometer.workloads.translation.vocabulary import END, PUBLISHED_SIZE, START

from .plain_gnmt import PlainGnmt

pytestmark = pytest.mark.torch

WORDS, HIDDEN = 23, 12


def small_model() -> Any:
    torch = pytest.importorskip("torch")
    gnmt = pytest.importorskip("inferometer.workloads.models.gnmt")
    torch.manual_seed(7)
    model = gnmt.Gnmt(WORDS, HIDDEN).eval()
    for parameter in model.parameters():
        if parameter.requires_grad:
            # Far from the small start values, so that every gate and weight has a say.
            torch.nn.init.normal_(parameter, std=0.5)
    return model


def sentences(lengths: list[int], seed: int = 0) -> tuple[Any, Any]:
    source = np.random.default_rng(seed)
    tokens = np.full((len(lengths), max(lengths)), END, np.int64)
    for row, length in enumerate(lengths):
        tokens[row, :length] = source.integers(0, WORDS, length)
    return tokens, np.array(lengths, np.int64)


def test_published_size() -> None:
    torch = pytest.importorskip("torch")
    gnmt = pytest.importorskip("inferometer.workloads.models.gnmt")
    with torch.device("meta"):
        model = gnmt.Gnmt()
    beside_words = model.parameter_count() - 3 * PUBLISHED_SIZE * 1024
    lstms = 2 * 2048 + 3072 + 2 * 2048 + 4 * 3072
    assert beside_words == lstms * 4096 + 9 * 4096 + 2 * 1024**2 + 2 * 1024 + 1
    assert round(beside_words / 1e6, 1) == 98.6
    assert round(model.parameter_count() / 1e6, 1) == 197.9


def test_new_cells_forget_little() -> None:
    torch = pytest.importorskip("torch")
    gnmt = pytest.importorskip("inferometer.workloads.models.gnmt")
    layer = gnmt.Gnmt(WORDS, HIDDEN).encoder.layers[0]
    assert torch.equal(layer.bias_ih_l0.view(4, HIDDEN).sum(1), torch.tensor([0, HIDDEN, 0, 0.0]))
    assert not layer.bias_hh_l0.requires_grad
    assert not layer.bias_hh_l0.any()


def test_arithmetic_is_the_published_one() -> None:
    torch = pytest.importorskip("torch")
    model = small_model()
    plain = PlainGnmt(model.state_dict())
    tokens, lengths = sentences([5, 1, 9])
    target = np.array([[START, 4, 5, 6], [START, 7, 8, 9], [START, 3, 3, END]])
    with torch.no_grad():
        logits = model(*map(torch.from_numpy, (tokens, lengths, target)))
        found = torch.log_softmax(logits, dim=2).numpy()
    for row, length in enumerate(lengths):
        expected = plain.decode(tokens[row, :length], target[row])
        np.testing.assert_allclose(found[row], expected, atol=2e-5)


def test_steps_are_the_same_as_known_targets() -> None:
    torch = pytest.importorskip("torch")
    model = small_model()
    tokens, lengths = map(torch.from_numpy, sentences([4, 6]))
    target = torch.tensor([[START, 4, 5], [START, 7, 8]])
    with torch.no_grad():
        memory, keys, state = model.encoder(tokens, lengths)
        expected = model.decoder.logits_of(target, state, memory, keys, lengths)
        for step in range(3):
            logits, state = model.decoder.step(target[:, step], state, memory, keys, lengths)
            torch.testing.assert_close(logits, expected[:, step], atol=1e-5, rtol=1e-5)


def test_padding_changes_nothing() -> None:
    torch = pytest.importorskip("torch")
    model = small_model()
    tokens, lengths = sentences([3, 8, 1, 8, 5])
    with torch.no_grad():
        together = model.encoder(torch.from_numpy(tokens), torch.from_numpy(lengths))
        for row, length in enumerate(lengths.tolist()):
            alone = model.encoder(
                torch.from_numpy(tokens[row : row + 1, :length]), torch.tensor([length])
            )
            for many, one in zip(together[:2], alone[:2], strict=True):
                torch.testing.assert_close(many[row, :length], one[0], atol=1e-6, rtol=1e-5)
                assert not many[row, length:].any()
            torch.testing.assert_close(together[2][row], alone[2][0], atol=1e-6, rtol=1e-5)


def test_attention_is_normalised() -> None:
    torch = pytest.importorskip("torch")
    attention = small_model().decoder.attention
    query = torch.randn(6, HIDDEN)
    keys, lengths = torch.randn(2, 5, HIDDEN), torch.tensor([5, 2])
    memory = torch.randn(2, 5, HIDDEN)
    with torch.no_grad():
        ones = attention(query, torch.ones(2, 5, HIDDEN), keys, lengths)
        torch.testing.assert_close(ones, torch.ones(6, HIDDEN))
        before = attention(query, memory, keys, lengths)
        memory[1, 2:], keys[1, 2:] = 99.0, 99.0
        torch.testing.assert_close(attention(query, memory, keys, lengths), before)
        attention.direction *= 17.0
        torch.testing.assert_close(attention(query, memory, keys, lengths), before)
        attention.gain *= 2.0
        assert not torch.allclose(attention(query, memory, keys, lengths), before)


def exported(model: Any, folder: Path) -> dict[str, Session]:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    exporting = pytest.importorskip("inferometer.workloads.translation.exporting")
    paths = {part: folder / f"{part}.onnx" for part in ("encoder", "decoder")}
    exporting.export_parts(model, paths)
    backend = get_backend("onnxruntime")
    return {
        part: backend.load(ModelFile(path, "onnx"), BackendOptions(threads=1))
        for part, path in paths.items()
    }


def test_files_give_what_the_modules_give(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    model = small_model()
    sessions = exported(model, tmp_path)
    for hypotheses, sizes in ((1, [1]), (10, [4]), (3, [2, 9, 1, 9, 5]), (2, [3, 3])):
        tokens, lengths = sentences(sizes, hypotheses)
        memory, keys, state = sessions["encoder"].run({"tokens": tokens, "lengths": lengths})
        with torch.no_grad():
            expected = model.encoder(torch.from_numpy(tokens), torch.from_numpy(lengths))
        for found, wanted in zip((memory, keys, state), expected, strict=True):
            np.testing.assert_allclose(found, wanted.numpy(), atol=2e-6)
        given = {
            "tokens": np.arange(hypotheses * len(sizes)) % WORDS,
            "state": np.repeat(state, hypotheses, axis=0),
            "memory": memory,
            "keys": keys,
            "lengths": lengths,
        }
        scores, choices, after = sessions["decoder"].run(given)
        with torch.no_grad():
            wanted_scores, wanted_choices, wanted_after = model.decoder(
                *(torch.from_numpy(array) for array in given.values())
            )
        np.testing.assert_allclose(scores, wanted_scores.numpy(), atol=2e-5)
        np.testing.assert_array_equal(choices, wanted_choices.numpy())
        np.testing.assert_allclose(after, wanted_after.numpy(), atol=2e-5)
        assert choices.dtype == np.int64
        assert (np.diff(scores, axis=1) <= 0).all()


def test_files_say_nothing_about_where_they_were_made(tmp_path: Path) -> None:
    exported(small_model(), tmp_path)
    for path in tmp_path.iterdir():
        content = path.read_bytes()
        assert b".py" not in content
        assert str(tmp_path).encode() not in content


def test_batches_give_what_single_sentences_give(tmp_path: Path) -> None:
    sessions = exported(small_model(), tmp_path)
    search = BeamSearch(sessions["encoder"], sessions["decoder"])
    tokens, lengths = sentences([6, 2, 6, 4])
    together = search(tokens, lengths)
    assert together.shape[1] <= 12
    for row in (0, 2):
        alone = search(tokens[row : row + 1, :6], lengths[row : row + 1])[0]
        steps = min(len(alone), together.shape[1])
        assert together[row, :steps].tolist() == alone[:steps].tolist()
