"""Markup: text made harmless for Markdown, for HTML in it, and for XML."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["markdown_row", "markdown_text", "pull_request_text", "xml_text"]

_SPECIAL = "\\`*_[]|#!"
_BREAK = "\u200b"
"""A space without width: what stands around it isn't taken for one word."""

_LINKS = re.compile(r"(@|#|GH-|www\.|:(?=//))(?=\S)", re.IGNORECASE)
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SPACES = re.compile(r"\s+")


def markdown_text(text: str) -> str:
    """Escape what Markdown, or HTML in it, would take for its own."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{one}" if one in _SPECIAL else one for one in escaped)


def pull_request_text(text: str) -> str:
    """Escape text for a comment on one line, where names also call people and link to issues."""
    one_line = _SPACES.sub(" ", _NOT_XML.sub("\ufffd", text)).strip()
    broken = _LINKS.sub(lambda found: f"{found[0]}{_BREAK}", one_line)
    return re.sub(r"([~$])", r"\\\1", markdown_text(broken))


def markdown_row(cells: Sequence[str]) -> str:
    """Write a row of a table from cells that are Markdown."""
    return f"| {' | '.join(cells)} |"


def xml_text(text: str) -> str:
    """Replace the characters that no XML may hold."""
    return _NOT_XML.sub("\ufffd", text)
