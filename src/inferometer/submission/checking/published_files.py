"""Files as the published v0.5 checker reads them: by Python's defaults, and no more kindly."""

from __future__ import annotations

import codecs

from inferometer.submission.tree import SMALL_FILE_BYTES, Tree, TreeError, shown

__all__ = ["lines_of", "need_text", "plain_text"]

_CHUNK_BYTES = 1 << 20
_LARGEST_LOG_BYTES = 64 << 20


def plain_text(tree: Tree, *parts: str) -> str:
    """Read a small file as UTF-8, a byte order mark included.

    Raises `TreeError` if it isn't there, is too large, or is other text, at which the
    published checker stops.
    """
    with tree.open(*parts) as file:
        content = file.read(SMALL_FILE_BYTES + 1)
    if len(content) > SMALL_FILE_BYTES:
        raise TreeError(f"{shown('/'.join(parts))}: too large to be read")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise _not_text(parts) from error


def lines_of(tree: Tree, *parts: str) -> list[str]:
    """Read the lines of a small file; only line feeds and carriage returns end one.

    Raises `TreeError` as `plain_text` does.
    """
    text = plain_text(tree, *parts)
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def need_text(tree: Tree, *parts: str) -> None:
    """Raise `TreeError` if a log isn't there, is larger than any that is read, or isn't UTF-8."""
    if tree.size_bytes(*parts) > _LARGEST_LOG_BYTES:
        raise TreeError(f"{shown('/'.join(parts))}: too large to be read")
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with tree.open(*parts) as file:
            while chunk := file.read(_CHUNK_BYTES):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _not_text(parts) from error


def _not_text(parts: tuple[str, ...]) -> TreeError:
    return TreeError(f"{shown('/'.join(parts))}: not UTF-8 text")
