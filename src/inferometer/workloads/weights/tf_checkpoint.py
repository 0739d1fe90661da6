"""TensorFlow checkpoints (V2): their variables, by name, without TensorFlow.

A checkpoint ``NAME`` is the file ``NAME.index``, a sorted table of where each variable
lies, and the files ``NAME.data-00000-of-00001`` and so on with the numbers.

Source: tensor_bundle.cc and lib/io/table of TensorFlow; the table is LevelDB's.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.workloads.protocol import WorkloadError
from inferometer.workloads.weights.tf_messages import NUMERIC_TYPES, parse_message, shape_of

__all__ = ["read_checkpoint", "table_entries"]

_FOOTER = struct.Struct("<40sQ")
_TABLE_MAGIC = 0xDB4775248B80FB57
_TRAILER = struct.Struct("<BI")
_CASTAGNOLI = 0x82F63B78
_MASK_DELTA = 0xA282EAD8
_WORD = 0xFFFFFFFF


def read_checkpoint(path: Path) -> dict[str, NDArray[Any]]:
    """Read the numeric variables of a checkpoint by name.

    ``path`` is the checkpoint's name without ending, or its index file. The index is
    checked by its own checksums, the numbers only by their count. Raises `WorkloadError`
    for files that are missing or damaged.
    """
    index = path if path.suffix == ".index" else path.with_name(f"{path.name}.index")
    entries = table_entries(_read(index), index)
    header = parse_message("BundleHeader", entries.pop(b"", b""), index)
    if header.endianness or header.num_shards < 1:
        raise WorkloadError(f"{index} isn't the index of a little-endian checkpoint")
    shards = [
        _read(index.with_name(f"{index.stem}.data-{n:05d}-of-{header.num_shards:05d}"))
        for n in range(header.num_shards)
    ]
    tensors = {}
    for key, content in entries.items():
        name = key.decode("utf-8", "replace")
        value = _variable(parse_message("BundleEntry", content, index), shards, name, index)
        if value is not None:
            tensors[name] = value
    return tensors


def _read(path: Path) -> memoryview:
    try:
        return memoryview(path.read_bytes())
    except OSError as error:
        raise WorkloadError(
            f"{path}: can't be read: {error.strerror or error}; a checkpoint is its index and "
            "all its data files, side by side"
        ) from error


def _variable(entry: Any, shards: list[memoryview], name: str, index: Path) -> NDArray[Any] | None:
    dtype = NUMERIC_TYPES.get(entry.dtype)
    if dtype is None:
        return None
    if entry.slices:
        raise WorkloadError(f"{index}: {name} was saved in slices, which aren't supported")
    shape = shape_of(entry.shape)
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    in_shards = 0 <= entry.shard_id < len(shards)
    data = shards[entry.shard_id] if in_shards else memoryview(b"")
    if size != entry.size or not 0 <= entry.offset <= len(data) - size:
        raise WorkloadError(
            f"{index}: {name} has {entry.size} bytes at {entry.offset} for its shape {shape}, in "
            f"a data file of {len(data)}; a file of the checkpoint is damaged or cut short"
        )
    return np.frombuffer(data[entry.offset : entry.offset + size], dtype).reshape(shape)


@dataclass(frozen=True)
class _Cursor:
    """A place in bytes."""

    content: memoryview
    at: int = 0

    def number(self) -> tuple[int, _Cursor]:
        """Read a varint: seven bits a byte, lowest first, the top bit tells of more."""
        value = 0
        for place in range(10):
            byte = self.content[self.at + place]
            value |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                return value, _Cursor(self.content, self.at + place + 1)
        raise ValueError("a number is longer than 64 bits")

    def piece(self, size: int) -> tuple[bytes, _Cursor]:
        """Read so many bytes."""
        end = self.at + size
        if end > len(self.content):
            raise ValueError("it is cut short")
        return bytes(self.content[self.at : end]), _Cursor(self.content, end)


def table_entries(content: memoryview, path: Path) -> dict[bytes, bytes]:
    """Read all entries of a sorted table; raise `WorkloadError` naming it if it is damaged."""
    try:
        handles, magic = _FOOTER.unpack(content[-_FOOTER.size :])
        entries: dict[bytes, bytes] = {}
        for _, handle in _block_entries(_block(content, *_index_handle(handles, magic))):
            at, rest = _Cursor(memoryview(handle)).number()
            entries.update(_block_entries(_block(content, at, rest.number()[0])))
    except (ValueError, IndexError, struct.error) as error:
        raise WorkloadError(f"{path} is damaged, or no checkpoint's index: {error}") from error
    return entries


def _index_handle(handles: bytes, magic: int) -> tuple[int, int]:
    """Give offset and size of the block of blocks, from the end of a table."""
    if magic != _TABLE_MAGIC:
        raise ValueError("its last bytes aren't those of a table")
    cursor = _Cursor(memoryview(handles))
    for _ in range(2):  # the first handle is that of the meta index, which isn't used
        offset, cursor = cursor.number()
        size, cursor = cursor.number()
    return offset, size


def _block(content: memoryview, offset: int, size: int) -> memoryview:
    """Give a block's bytes after checking that they are what was written."""
    block = content[offset : offset + size]
    compression, checksum = _TRAILER.unpack(content[offset + size :][: _TRAILER.size])
    if _masked_crc(bytes(content[offset : offset + size + 1])) != checksum:
        raise ValueError(f"the checksum of the block at {offset} is wrong")
    if compression:
        raise ValueError("its blocks are compressed, which isn't supported")
    return block


def _block_entries(block: memoryview) -> Iterator[tuple[bytes, bytes]]:
    """Give keys and values; a key repeats the first bytes of the one before it."""
    (restarts,) = struct.unpack("<I", block[-4:])
    cursor = _Cursor(block[: len(block) - 4 * (restarts + 1)])
    key = b""
    while cursor.at < len(cursor.content):
        shared, cursor = cursor.number()
        unshared, cursor = cursor.number()
        size, cursor = cursor.number()
        tail, cursor = cursor.piece(unshared)
        value, cursor = cursor.piece(size)
        key = key[:shared] + tail
        yield key, value


def _masked_crc(content: bytes) -> int:
    """Compute CRC-32C as tables store it: turned by 15 bits, plus a constant."""
    crc = _WORD
    table = _crc_table()
    for byte in content:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= _WORD
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & _WORD


@functools.cache
def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (_CASTAGNOLI if crc & 1 else 0)
        table.append(crc)
    return tuple(table)
