"""Altered data: the same samples, changed as TEST03 changes them, where samples allow it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.submission.audit.alterations import WrappedLibrary
from inferometer.workloads import InputLibrary
from inferometer.workloads.classification.fashion_mnist import FashionMnistLibrary
from inferometer.workloads.detection.scene_library import SceneLibrary
from inferometer.workloads.images.library import PhotoLibrary
from inferometer.workloads.images.preprocess import preprocess
from inferometer.workloads.rows import take_rows
from inferometer.workloads.translation.corpus import SentenceLibrary

__all__ = ["AlteredLibrary", "alteration_of"]

_SUBSTITUTIONS = 65
"""Words that the published test replaces."""

_SPECIAL_IDS = 3
_SENTENCES_COUNTED = 3003
_LIGHT_LEFT = 0.4
_BLACK = -1.0
_CHANNELS = 3

Change = Callable[[Mapping[str, NDArray[Any]]], Mapping[str, NDArray[Any]]]


class AlteredLibrary(WrappedLibrary):
    """Samples that are changed while they are loaded, so that it takes no time of the test.

    Sentences, which come with their ``lengths``, are cut to the longest of a batch as theirs are.
    """

    def __init__(self, base: InputLibrary, change: Change):
        super().__init__(base)
        self._change = change
        self._rows = np.full(base.total_sample_count, -1, np.int64)
        self._changed: Mapping[str, NDArray[Any]] = {}

    def load(self, indices: NDArray[np.int64]) -> None:
        """Bring samples into memory, and change them."""
        super().load(indices)
        distinct = np.unique(indices)
        self._changed = self._change(self._base.inputs(distinct))
        self._rows[:] = -1
        self._rows[distinct] = np.arange(len(distinct))

    def unload(self, indices: NDArray[np.int64]) -> None:
        """Let samples go."""
        super().unload(indices)
        self._changed = {}

    def inputs(self, indices: NDArray[np.integer[Any]]) -> Mapping[str, NDArray[Any]]:
        """Give the changed inputs of loaded samples."""
        found = {
            name: take_rows(array, self._rows, indices) for name, array in self._changed.items()
        }
        if "lengths" in found:
            longest = int(found["lengths"].max(initial=0))
            found = {
                name: array[:, :longest] if array.ndim > 1 else array
                for name, array in found.items()
            }
        return found


def alteration_of(library: InputLibrary) -> tuple[str, Change] | None:
    """Give how the samples of a library can be altered, in words and as a function.

    Photos lose their blue, as if it had been zero in every file: resizing and normalising treat
    channels apart, so that the inputs are those of altered files. Photos of one channel are
    darkened instead, which costs accuracy and, unlike new edges, no time. In sentences, the most
    frequent sub-words change places in pairs, so that lengths stay. ``None`` where samples can't
    be altered so.
    """
    if isinstance(library, PhotoLibrary):
        return "the blue of every pixel is zero", _without_blue(library)
    if isinstance(library, FashionMnistLibrary | SceneLibrary):
        return "two fifths of the light are left, for want of colours", _darkened
    if isinstance(library, SentenceLibrary):
        words = f"{_SUBSTITUTIONS - 1} frequent sub-words changed places in pairs"
        return words, _with_other_words(library)
    return None


def _without_blue(library: PhotoLibrary) -> Change:
    recipe = library.preprocessing
    side_px = max(recipe.height_px, recipe.width_px) + 1
    black = np.empty(recipe.sample_shape, recipe.dtype)
    preprocess(np.zeros((side_px, side_px, _CHANNELS), np.uint8), recipe, black)
    axis = 0 if recipe.layout == "NCHW" else 2
    blue = 2 if recipe.channels == "RGB" else 0
    value = np.take(black, blue, axis).reshape(-1)[0]

    def change(inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        changed = {name: array.copy() for name, array in inputs.items()}
        for array in changed.values():
            # The batch axis comes first.
            np.moveaxis(array, axis + 1, 0)[blue] = value
        return changed

    return change


def _darkened(inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
    """Darken pixels that lie between -1, black, and 1."""
    return {
        name: ((array - _BLACK) * array.dtype.type(_LIGHT_LEFT) + _BLACK).astype(array.dtype)
        for name, array in inputs.items()
    }


def _with_other_words(library: SentenceLibrary) -> Change:
    some = np.arange(min(library.total_sample_count, _SENTENCES_COUNTED))
    library.load(some)
    words, counts = np.unique(library.inputs(some)["tokens"], return_counts=True)
    library.unload(some)
    order = np.argsort(-counts, kind="stable")
    common = [word for word in words[order].tolist() if word >= _SPECIAL_IDS]
    common = common[: _SUBSTITUTIONS - 1]
    other = np.arange(int(words.max(initial=0)) + 1)
    for one, two in zip(common[::2], common[1::2], strict=False):
        other[one], other[two] = two, one

    def change(inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        tokens = inputs["tokens"]
        known = tokens < len(other)
        return {**inputs, "tokens": np.where(known, other[np.where(known, tokens, 0)], tokens)}

    return change
