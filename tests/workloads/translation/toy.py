"""Toy model: two sessions in NumPy whose next words depend on everything before them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.workloads.translation.vocabulary import END, START

Floats = NDArray[np.float32]


class ToyEncoder:
    """Gives each sentence a number between 0 and 1, as memory and as state."""

    input_names = ("tokens", "lengths")
    output_names = ("memory", "keys", "state")
    description: Mapping[str, Any] = {}

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        tokens, lengths = inputs["tokens"], inputs["lengths"]
        inside = np.arange(tokens.shape[1]) < lengths[:, None]
        mark = np.float32(0.01) * (tokens * inside).sum(axis=1).astype(np.float32) % 1
        memory = np.broadcast_to(mark[:, None, None], (*tokens.shape, 1)).copy()
        return [memory, memory, np.stack([mark, mark], axis=1)]

    def close(self) -> None:
        pass


class ToyDecoder:
    """Mixes each token into the state, from which the next words' scores follow."""

    input_names = ("tokens", "state", "memory", "keys", "lengths")
    output_names = ("scores", "next_tokens", "next_state")
    description: Mapping[str, Any] = {}

    def __init__(self, words: int, choices: int, ending: float):
        self.words = words
        self._choices = min(choices, words)
        self._ending = ending
        self.rows: list[int] = []

    def next(self, tokens: NDArray[Any], state: Floats) -> tuple[Floats, Floats]:
        """Give log-probabilities of all words, float32 [rows, words], and the new states."""
        mixed = np.stack(
            [
                (state[:, 0] * np.float32(1.7) + np.float32(0.37) * tokens) % 1,
                (state[:, 1] + np.float32(0.11) * state[:, 0]) % 1,
            ],
            axis=1,
        ).astype(np.float32)
        phases = mixed[:, :1] * np.arange(7, 7 + self.words) + mixed[:, 1:] * 3
        logits = 2 * np.sin(9 * phases)
        logits[:, END] += self._ending
        shifted = logits - logits.max(axis=1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return logs.astype(np.float32), mixed

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        assert len(inputs["tokens"]) == len(inputs["state"])
        assert len(inputs["tokens"]) % len(inputs["memory"]) == 0
        assert len(inputs["memory"]) == len(inputs["keys"]) == len(inputs["lengths"])
        self.rows.append(len(inputs["tokens"]))
        logs, mixed = self.next(inputs["tokens"], inputs["state"])
        order = np.argsort(-logs, axis=1, kind="stable")[:, : self._choices]
        return [np.take_along_axis(logs, order, axis=1), order, mixed]

    def close(self) -> None:
        pass


def plain_search(
    decoder: ToyDecoder, state: Floats, width: int, penalty: float, limit: int
) -> tuple[list[int], int]:
    """Search one sentence, written plainly: all continuations of all hypotheses, sorted.

    Gives the best hypothesis and the number of steps.
    """
    steps = 0
    beams: list[tuple[np.float32, list[int], bool, Floats]] = [
        (np.float32(0), [], False, state[None])
    ]
    for _ in range(limit):
        steps += 1
        found = []
        for total, words, finished, old in beams:
            if finished:
                found.append((total, [*words, END], True, old))
                continue
            logs, new = decoder.next(np.array([words[-1] if words else START]), old)
            found.extend(
                (total + logs[0, word], [*words, word], word == END, new)
                for word in np.argsort(-logs[0], kind="stable").tolist()
            )
        weighted = [
            total / np.float32((5 + sum(w != END for w in words)) / 6) ** penalty
            for total, words, _, _ in found
        ]
        best = np.argsort(-np.array(weighted, np.float32), kind="stable")[:width]
        beams = [found[place] for place in best]
        if all(finished for _, _, finished, _ in beams):
            break
    return beams[0][1], steps
