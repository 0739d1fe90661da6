"""Data hash: whether two runs measured the same samples, told by a few of them."""

from __future__ import annotations

import hashlib

import numpy as np

from inferometer.workloads import InputLibrary

__all__ = ["data_sha256"]

_LOOKED_AT = 8


def data_sha256(library: InputLibrary) -> str:
    """Give a hash of eight samples, spread over the whole library, as the model gets them.

    The numbers of a sample are sorted first, because how a photo lies (NCHW or NHWC) is up to
    the backend; what is in it isn't. Empty for a library without samples.
    """
    total = library.total_sample_count
    if not total:
        return ""
    indices = np.unique(np.linspace(0, total - 1, _LOOKED_AT).astype(np.int64))
    digest = hashlib.sha256(f"{total}".encode())
    for index in indices:
        one = np.array([index], np.int64)
        library.load(one)
        try:
            for name, values in sorted(library.inputs(one).items()):
                ordered = np.sort(np.asarray(values), axis=None)
                digest.update(f"{name} {ordered.dtype} {ordered.size}\n".encode())
                digest.update(ordered.tobytes())
        finally:
            library.unload(one)
    return digest.hexdigest()
