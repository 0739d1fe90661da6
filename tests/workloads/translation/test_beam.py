"""Beam search: against a plain one, in batches, and where it ends."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inferometer.workloads.translation.beam import BeamOptions, BeamSearch
from inferometer.workloads.translation.vocabulary import END

from .toy import ToyDecoder, ToyEncoder, plain_search


def padded(lengths: list[int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    source = np.random.default_rng(seed)
    tokens = np.full((len(lengths), max(lengths)), END, np.int64)
    for row, length in enumerate(lengths):
        tokens[row, :length] = source.integers(3, 90, length)
    return tokens, np.array(lengths, np.int64)


def cut(row: list[int]) -> list[int]:
    return row[: row.index(END)] if END in row else row


@settings(max_examples=150, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 7), min_size=1, max_size=6),
    words=st.integers(3, 9),
    width=st.integers(1, 6),
    ending=st.floats(-3, 3, width=16),
    penalty=st.sampled_from([0.0, 0.6, 1.0]),
    seed=st.integers(0, 1000),
)
def test_agrees_with_a_plain_search(
    lengths: list[int], words: int, width: int, ending: float, penalty: float, seed: int
) -> None:
    encoder, decoder = ToyEncoder(), ToyDecoder(words, width + 1, ending)
    tokens, sizes = padded(lengths, seed)
    found = BeamSearch(encoder, decoder, BeamOptions(width, penalty))(tokens, sizes)
    limit = 2 * max(lengths)
    assert found.shape[1] <= limit
    _, _, states = encoder.run({"tokens": tokens, "lengths": sizes})
    expected = [plain_search(decoder, state, width, penalty, limit) for state in states]
    assert [cut(row) for row in found.tolist()] == [cut(words) for words, _ in expected]
    assert found.shape[1] == max(steps for _, steps in expected)


def test_a_better_second_word_is_found() -> None:
    tokens, sizes = padded([6, 6, 6, 6], 3)
    narrow, wide = (
        BeamSearch(ToyEncoder(), ToyDecoder(8, 11, 0.5), BeamOptions(width))(tokens, sizes)
        for width in (1, 10)
    )
    assert narrow.tolist() != wide.tolist()


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_endless_sentences_stop_at_the_limit(factor: float) -> None:
    tokens, sizes = padded([3, 5], 0)
    options = BeamOptions(4, length_factor=factor)
    decoder = ToyDecoder(6, 5, -1000.0)
    found = BeamSearch(ToyEncoder(), decoder, options)(tokens, sizes)
    assert found.shape == (2, round(factor * 5))
    assert not (found == END).any()
    assert decoder.rows == [8] * found.shape[1]


def test_all_hypotheses_have_to_be_finished() -> None:
    decoder = ToyDecoder(6, 5, 1000.0)
    tokens, sizes = padded([4], 0)
    found = BeamSearch(ToyEncoder(), decoder, BeamOptions(4))(tokens, sizes)
    assert cut(found[0].tolist()) == []
    # The empty one is best at once; the other three end a word later.
    assert len(decoder.rows) == 2


def test_finished_sentences_take_no_more_steps() -> None:
    lengths = [1, 1, 1, 12]
    tokens, sizes = padded(lengths, 5)
    decoder = ToyDecoder(8, 5, 1.0)
    together = BeamSearch(ToyEncoder(), decoder, BeamOptions(4))(tokens, sizes)
    assert decoder.rows[0] == 16
    assert decoder.rows[-1] < 16
    assert decoder.rows == sorted(decoder.rows, reverse=True)
    for row in range(len(lengths)):
        # The longest sentence of the batch says how long the search may take.
        alone = BeamSearch(
            ToyEncoder(), ToyDecoder(8, 5, 1.0), BeamOptions(4, length_factor=24 / lengths[row])
        )(tokens[row : row + 1, : lengths[row]], sizes[row : row + 1])
        assert cut(alone[0].tolist()) == cut(together[row].tolist())
