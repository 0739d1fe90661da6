"""GNMT: the encoder and the decoder step of the four-layer translation model, in PyTorch.

Source: section "GNMT" of MLPerf Inference v0.5's reference, which is the ``gnmt_v2`` wiring
of the TensorFlow sequence-to-sequence tutorial, after Wu et al. (arXiv:1609.08144), with the
normalised attention of Bahdanau et al. (arXiv:1409.0473). Beam search is not part of it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from inferometer.workloads.translation.vocabulary import PUBLISHED_SIZE

__all__ = ["BEAM_CHOICES", "Attention", "Decoder", "Encoder", "Gnmt"]

BEAM_CHOICES = 11
"""Continuations that a decoder step gives for each hypothesis: one more than the beam is
wide, since ``</s>`` is weighted differently from the others and may then fall behind."""

_LAYERS = 4
_FIRST_RESIDUAL = 2
_INITIAL_RANGE = 0.1


class Gnmt(nn.Module):
    """The whole model: `Encoder` and `Decoder` over one vocabulary used twice.

    The published model has the defaults, and 3 · vocabulary · 1024 + 98.6 million
    parameters. Weights start at random, from PyTorch's global generator.
    """

    def __init__(self, vocabulary: int = PUBLISHED_SIZE, hidden: int = 1024) -> None:
        super().__init__()
        self.encoder = Encoder(vocabulary, hidden)
        self.decoder = Decoder(vocabulary, hidden)
        for parameter in self.parameters():
            if parameter.requires_grad and parameter.ndim > 1:
                nn.init.uniform_(parameter, -_INITIAL_RANGE, _INITIAL_RANGE)

    def forward(self, source: Tensor, lengths: Tensor, target: Tensor) -> Tensor:
        """Give the logits after each target token, float32 [N, U, vocabulary].

        ``source`` int64 [N, T] with ``lengths`` int64 [N]; ``target`` int64 [N, U] begins
        with ``<s>``. This is what training needs: the true token goes into each step.
        """
        memory, keys, state = self.encoder(source, lengths)
        logits: Tensor = self.decoder.logits_of(target, state, memory, keys, lengths)
        return logits

    def parameter_count(self) -> int:
        """Count the numbers that are learned."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad)


class Encoder(nn.Module):
    """Four LSTM layers over the source; the first reads it in both directions."""

    def __init__(self, vocabulary: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, hidden)
        self.bidirectional = _lstm(hidden, hidden, bidirectional=True)
        self.layers = nn.ModuleList(
            [_lstm(2 * hidden if n == 0 else hidden, hidden) for n in range(_LAYERS - 1)]
        )
        self.memory_layer = nn.Linear(hidden, hidden, bias=False)

    def forward(self, tokens: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Read padded sentences, int64 [N, T] with lengths int64 [N] of at least 1.

        Gives the memory, float32 [N, T, hidden], 0 after each end; the attention keys of
        the same shape; and the decoder's first state, float32 [N, 9 · hidden].
        """
        # Sorted once, longest first, which is how PyTorch packs sentences of several lengths.
        order = torch.argsort(lengths, descending=True)
        lengths, longest = lengths[order], tokens.shape[1]
        embedded = self.embedding(tokens[order])
        output, hidden, cell = _run(self.bidirectional, embedded, lengths, longest)
        # The decoder starts from the backward cell of the first layer, not the forward one.
        states = [hidden[1], cell[1]]
        for number, layer in enumerate(self.layers, start=1):
            above, hidden, cell = _run(layer, output, lengths, longest)
            output = above + output if number >= _FIRST_RESIDUAL else above
            states += [hidden[0], cell[0]]
        states.append(torch.zeros_like(states[0]))
        back = torch.argsort(order)
        memory = output[back]
        return memory, self.memory_layer(memory), torch.cat(states, dim=1)[back]


class Decoder(nn.Module):
    """Four LSTM layers over the target; the first one's output asks the attention.

    A state is one row of 9 · hidden numbers: output and cell of each layer in turn, then
    the context that the attention gave last.
    """

    def __init__(self, vocabulary: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.embedding = nn.Embedding(vocabulary, hidden)
        self.attention = Attention(hidden)
        self.layers = nn.ModuleList([_lstm(2 * hidden, hidden) for _ in range(_LAYERS)])
        self.output = nn.Linear(hidden, vocabulary, bias=False)

    def forward(
        self, tokens: Tensor, state: Tensor, memory: Tensor, keys: Tensor, lengths: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Extend hypotheses by one token each.

        ``tokens`` int64 [N · K] and ``state`` float32 [N · K, 9 · hidden] are those of K
        hypotheses for each of the N sentences, a sentence's together; the others are the
        encoder's. Gives the log-probabilities of the `BEAM_CHOICES` best next tokens,
        float32 [N · K, choices], best first; the tokens, int64; and the new state.
        """
        logits, state = self.step(tokens, state, memory, keys, lengths)
        choices = min(BEAM_CHOICES, logits.shape[1])
        scores, next_tokens = torch.topk(functional.log_softmax(logits, dim=1), choices, dim=1)
        return scores, next_tokens, state

    def step(
        self, tokens: Tensor, state: Tensor, memory: Tensor, keys: Tensor, lengths: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Give the logits after one more token, float32 [N · K, vocabulary], and the state."""
        *cells, context = torch.split(state, self.hidden, dim=1)
        below = torch.cat([self.embedding(tokens), context], dim=1)
        output, *states = self._cell(0, below, cells)
        context = self.attention(output, memory, keys, lengths)
        for number in range(1, _LAYERS):
            above, *more = self._cell(number, torch.cat([output, context], dim=1), cells)
            output = above + output if number >= _FIRST_RESIDUAL else above
            states += more
        return self.output(output), torch.cat([*states, context], dim=1)

    def logits_of(
        self, target: Tensor, state: Tensor, memory: Tensor, keys: Tensor, lengths: Tensor
    ) -> Tensor:
        """Give the logits after each token of known targets, float32 [N, U, vocabulary].

        The same as `step` after `step`. Only the first layer and the attention depend on
        each other in turn, so that the layers above run over all steps at once.
        """
        *cells, context = torch.split(state, self.hidden, dim=1)
        first, outputs, contexts = list(cells[:2]), [], []
        for embedded in self.embedding(target).unbind(1):
            output, *first = self._cell(0, torch.cat([embedded, context], dim=1), first)
            context = self.attention(output, memory, keys, lengths)
            outputs.append(output)
            contexts.append(context)
        below, context = torch.stack(outputs, dim=1), torch.stack(contexts, dim=1)
        for number in range(1, _LAYERS):
            start = tuple(part[None] for part in cells[2 * number : 2 * number + 2])
            above, _ = self.layers[number](torch.cat([below, context], dim=2), start)
            below = above + below if number >= _FIRST_RESIDUAL else above
        logits: Tensor = self.output(below)
        return logits

    def _cell(
        self, number: int, below: Tensor, cells: list[Tensor]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Run one layer for one step; give its output, which is its hidden state, and both."""
        start = cells[2 * number][None], cells[2 * number + 1][None]
        output, (hidden, cell) = self.layers[number](below[:, None], start)
        return output[:, 0], hidden[0], cell[0]


class Attention(nn.Module):
    """Normalised Bahdanau attention: which words of the source a step looks at."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.query_layer = nn.Linear(hidden, hidden, bias=False)
        self.direction = nn.Parameter(torch.empty(hidden).uniform_(-_INITIAL_RANGE, _INITIAL_RANGE))
        self.gain = nn.Parameter(torch.tensor(hidden**-0.5))
        self.bias = nn.Parameter(torch.zeros(hidden))

    def forward(self, query: Tensor, memory: Tensor, keys: Tensor, lengths: Tensor) -> Tensor:
        """Give the context of each query, float32 [N · K, hidden], for queries of that shape.

        The score of a place is g · v/‖v‖ · tanh(key + W query + b); places after the end of
        a sentence take no part.
        """
        sentences, longest, hidden = keys.shape
        asked = (self.query_layer(query) + self.bias).view(sentences, -1, 1, hidden)
        direction = self.gain * self.direction / torch.linalg.vector_norm(self.direction)
        scores = torch.matmul(torch.tanh(keys[:, None] + asked), direction[:, None])[..., 0]
        outside = torch.arange(longest, device=lengths.device) >= lengths[:, None, None]
        weights = functional.softmax(scores.masked_fill(outside, float("-inf")), dim=2)
        return torch.matmul(weights, memory).view(-1, hidden)


def _lstm(inputs: int, hidden: int, *, bidirectional: bool = False) -> nn.LSTM:
    """Make one LSTM layer with gates in PyTorch's order: input, forget, candidate, output.

    The 1.0 that the reference adds to the forget gate as it runs is part of the bias.
    PyTorch's second bias would say the same as the first, and stays 0.
    """
    layer = nn.LSTM(inputs, hidden, batch_first=True, bidirectional=bidirectional)
    for name, parameter in layer.named_parameters():
        if name.startswith("bias"):
            nn.init.zeros_(parameter)
        if name.startswith("bias_ih"):
            nn.init.ones_(parameter.data[hidden : 2 * hidden])
        if name.startswith("bias_hh"):
            parameter.requires_grad_(False)
    return layer


def _run(
    layer: nn.Module, inputs: Tensor, lengths: Tensor, longest: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Run a layer over padded sentences, longest first, as if each ended at its length.

    Gives the outputs, 0 after each end, and each direction's last output and cell.
    """
    packed = pack_padded_sequence(inputs, lengths.cpu(), batch_first=True)
    outputs, (hidden, cell) = layer(packed)
    padded, _ = pad_packed_sequence(outputs, batch_first=True, total_length=longest)
    return padded, hidden, cell
