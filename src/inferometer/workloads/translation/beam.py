"""Beam search: the most probable translations that two parts of a model give.

Source: MLPerf Inference v0.5, GNMT, which searches with TensorFlow's BeamSearchDecoder; the
length penalty is that of Wu et al., arXiv:1609.08144, without a coverage penalty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends import Session
from inferometer.workloads.translation.vocabulary import END, START

__all__ = ["BeamOptions", "BeamSearch"]

_WORTH_DROPPING = 7 / 8

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class BeamOptions:
    """How far to search.

    width:
        Hypotheses kept for each sentence.
    length_penalty:
        Exponent of (5 + length) / 6, which log-probabilities are divided by.
    length_factor:
        Most steps, as a multiple of the longest source sentence of the batch.
    """

    width: int = 10
    length_penalty: float = 1.0
    length_factor: float = 2.0


_PUBLISHED = BeamOptions()


class BeamSearch:
    """Translates batches with an encoder and a decoder step.

    The encoder takes ``tokens`` int64 [N, T] and ``lengths`` int64 [N], and gives memory
    [N, T, H], attention keys of the same shape, and a state [N, S]. The decoder takes
    ``tokens`` int64 [N · K], ``state`` [N · K, S], ``memory``, ``keys`` and ``lengths``,
    and gives the log-probabilities [N · K, C] of each hypothesis's C best next tokens, the
    tokens, and the new states. C has to be above the width, or the whole vocabulary.
    """

    def __init__(self, encoder: Session, decoder: Session, options: BeamOptions = _PUBLISHED):
        self._encoder = encoder
        self._decoder = decoder
        self._options = options

    def __call__(self, tokens: Integers, lengths: Integers) -> NDArray[np.int64]:
        """Translate padded sentences; int64 [N, T] with lengths int64 [N] of at least 1.

        Gives each one's best hypothesis, int64 [N, steps], filled up with ``</s>``.
        """
        memory, keys, state = self._encoder.run({"tokens": tokens, "lengths": lengths})
        options = self._options
        beams = _Beams.start(len(lengths), options)
        history = _History(round(options.length_factor * int(lengths.max())), beams.totals.shape)
        fixed = {"memory": memory, "keys": keys, "lengths": lengths}
        state = np.repeat(state, options.width, axis=0)
        alive = np.arange(len(lengths))
        for _ in range(history.limit):
            scores, choices, state = self._decoder.run(
                {"tokens": beams.tokens.reshape(-1), "state": state, **fixed}
            )
            parents = beams.advance(scores, choices)
            history.add(alive, beams.tokens, parents)
            going: NDArray[np.bool_] = np.logical_not(beams.finished.all(axis=1))
            count = int(np.count_nonzero(going))
            if not count:
                break
            rows = parents + np.arange(0, parents.size, options.width)[:, None]
            if count <= _WORTH_DROPPING * len(alive):
                # A finished sentence changes no more, so that it needs no further steps.
                alive, rows = alive[going], rows[going]
                beams.keep(going)
                fixed = {name: array[going] for name, array in fixed.items()}
            state = state.take(rows.reshape(-1), axis=0)
        return history.best()


class _Beams:
    """The hypotheses of a batch, best first; all arrays are [sentences, width].

    totals:
        Log-probability, float32; minus infinity for places that nothing fills yet.
    lengths:
        Tokens without ``</s>``.
    """

    def __init__(self, totals: Floats, options: BeamOptions):
        self.totals = totals
        self.tokens = np.full(totals.shape, START, np.int64)
        self.lengths = np.zeros(totals.shape, np.int64)
        self.finished = np.isneginf(totals)
        self._exponent = options.length_penalty

    @classmethod
    def start(cls, sentences: int, options: BeamOptions) -> _Beams:
        """Begin with one empty hypothesis a sentence."""
        totals = np.full((sentences, options.width), -np.inf, np.float32)
        totals[:, 0] = 0.0
        return cls(totals, options)

    def keep(self, sentences: NDArray[np.bool_]) -> None:
        """Forget the other sentences."""
        self.totals = self.totals[sentences]
        self.tokens = self.tokens[sentences]
        self.lengths = self.lengths[sentences]
        self.finished = self.finished[sentences]

    def advance(self, scores: Floats, choices: Integers) -> Integers:
        """Go on with the best continuations; give which hypothesis each one continues.

        A finished hypothesis goes on only with ``</s>``, which costs nothing.
        """
        count, width = self.totals.shape
        totals = scores.reshape(count, width, -1) + self.totals[:, :, None]
        tokens = choices.reshape(count, width, -1).astype(np.int64)
        if self.finished.any():
            totals[self.finished] = -np.inf
            tokens[self.finished] = END
            totals[self.finished, 0] = self.totals[self.finished]
        ends = tokens == END
        lengths = self.lengths[:, :, None] + ~ends
        weighted = totals / ((5.0 + lengths) / 6.0).astype(np.float32) ** self._exponent
        # Stable, so that of equals the first hypothesis stays in front.
        order = np.argsort(-weighted.reshape(count, -1), axis=1, kind="stable")[:, :width]
        parents: Integers = order // weighted.shape[2]
        self.totals = np.take_along_axis(totals.reshape(count, -1), order, axis=1)
        self.tokens = np.take_along_axis(tokens.reshape(count, -1), order, axis=1)
        self.lengths = np.take_along_axis(lengths.reshape(count, -1), order, axis=1)
        self.finished = np.take_along_axis(ends.reshape(count, -1), order, axis=1)
        return parents


class _History:
    """Tokens and parents of every step, from which hypotheses are read backwards.

    Sentences that a step leaves out stay as they are: ``</s>``, each place its own parent.
    """

    def __init__(self, limit: int, shape: tuple[int, ...]):
        self.limit = limit
        self._steps = 0
        self._tokens = np.full((limit, *shape), END, np.int64)
        self._parents = np.empty((limit, *shape), np.int64)
        self._parents[:] = np.arange(shape[1])

    def add(self, sentences: Integers, tokens: Integers, parents: Integers) -> None:
        """Add a step for some of the sentences."""
        self._tokens[self._steps, sentences] = tokens
        self._parents[self._steps, sentences] = parents
        self._steps += 1

    def best(self) -> NDArray[np.int64]:
        """Give the best hypothesis of each sentence, int64 [sentences, steps]."""
        sentences = np.arange(self._tokens.shape[1])
        places = np.zeros(len(sentences), np.int64)
        found = np.empty((len(sentences), self._steps), np.int64)
        for step in range(self._steps - 1, -1, -1):
            found[:, step] = self._tokens[step, sentences, places]
            places = self._parents[step, sentences, places]
        return found
