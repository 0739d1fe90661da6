"""Plain GNMT: one sentence at a time in NumPy, written down from the published description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
State = list[tuple[Array, Array]]


def sigmoid(x: Array) -> Array:
    found: Array = 1 / (1 + np.exp(-x))
    return found


class PlainGnmt:
    """The weights of a PyTorch module, by name, and the arithmetic around them."""

    def __init__(self, weights: Mapping[str, Any]):
        self._weights = {name: np.asarray(value, np.float64) for name, value in weights.items()}

    def cell(self, name: str, x: Array, state: tuple[Array, Array]) -> tuple[Array, Array]:
        """Run one LSTM cell; ``name`` has the layer and, after a colon, the direction."""
        layer, _, suffix = name.partition(":")
        hidden, cell = state
        input_kernel, state_kernel, bias = (
            self._weights[f"{layer}.{what}_l0{suffix}"]
            for what in ("weight_ih", "weight_hh", "bias_ih")
        )
        i, f, g, o = np.split(input_kernel @ x + state_kernel @ hidden + bias, 4)
        cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(cell), cell

    def layer(self, name: str, inputs: Sequence[Array], hidden: int) -> tuple[list[Array], Any]:
        state = np.zeros(hidden), np.zeros(hidden)
        outputs = []
        for x in inputs:
            state = self.cell(name, x, state)
            outputs.append(state[0])
        return outputs, state

    def encode(self, tokens: Sequence[int]) -> tuple[Array, Array, State]:
        embedding = self._weights["encoder.embedding.weight"]
        hidden = embedding.shape[1]
        words = [embedding[token] for token in tokens]
        ahead, _ = self.layer("encoder.bidirectional:", words, hidden)
        back, last = self.layer("encoder.bidirectional:_reverse", words[::-1], hidden)
        below = [np.concatenate(both) for both in zip(ahead, back[::-1], strict=True)]
        states = [last]
        for number in range(3):
            above, last = self.layer(f"encoder.layers.{number}", below, hidden)
            # Residual connections begin at the third layer.
            below = [a + b for a, b in zip(above, below, strict=True)] if number else above
            states.append(last)
        memory = np.array(below)
        return memory, memory @ self._weights["encoder.memory_layer.weight"].T, states

    def context(self, query: Array, memory: Array, keys: Array) -> Array:
        v = self._weights["decoder.attention.direction"]
        g = self._weights["decoder.attention.gain"]
        asked = self._weights["decoder.attention.query_layer.weight"] @ query
        inner = np.tanh(keys + asked + self._weights["decoder.attention.bias"])
        scores = inner @ (g * v / np.sqrt((v**2).sum()))
        weights = np.exp(scores - scores.max())
        found: Array = (weights / weights.sum()) @ memory
        return found

    def decode(self, source: Sequence[int], target: Sequence[int]) -> Array:
        """Give log-probabilities after each token of the target, [target, words]."""
        memory, keys, states = self.encode(source)
        context = np.zeros(memory.shape[1])
        rows = []
        for token in target:
            word = self._weights["decoder.embedding.weight"][token]
            first = np.concatenate([word, context])
            states[0] = self.cell("decoder.layers.0:", first, states[0])
            output = states[0][0]
            context = self.context(output, memory, keys)
            for number in (1, 2, 3):
                joined = np.concatenate([output, context])
                states[number] = self.cell(f"decoder.layers.{number}:", joined, states[number])
                above = states[number][0]
                output = above + output if number >= 2 else above
            logits = self._weights["decoder.output.weight"] @ output
            rows.append(logits - np.log(np.exp(logits).sum()))
        return np.array(rows)
