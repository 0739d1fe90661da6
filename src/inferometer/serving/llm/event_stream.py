"""Event streams: server-sent events, taken from bytes as they come."""

from __future__ import annotations

from inferometer.serving.llm.fault import LlmFault

__all__ = ["EventStream"]

_MOST_BYTES = 16 << 20
_BOM = b"\xef\xbb\xbf"


class EventStream:
    """Cuts bytes into events, wherever they are split; keeps what isn't whole yet.

    Lines end with LF, CR or CR LF; comments, ids and retry times are left out; the data lines
    of an event are joined by LF. What stands behind the last blank line is no event.

    Source: the HTML standard, server-sent events.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._data_bytes = 0
        self._name = b""
        self._is_first = True
        self._ends_with_cr = False

    def feed(self, piece: bytes) -> list[tuple[str, bytes]]:
        """Take bytes; give each event that is whole now: its name, and its data.

        Raises `LlmFault` if an event grows beyond 16 MiB.
        """
        if not piece:
            return []
        content = self._rest + piece
        if self._is_first:
            if len(content) < len(_BOM) and _BOM.startswith(content):
                self._rest = content
                return []
            content, self._is_first = content.removeprefix(_BOM), False
        if self._ends_with_cr and content:
            # The end of that line may have come in two pieces.
            content, self._ends_with_cr = content.removeprefix(b"\n"), False
        self._ends_with_cr = content.endswith(b"\r")
        if b"\r" in content:
            content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, self._rest = content.split(b"\n")
        if len(self._rest) + self._data_bytes > _MOST_BYTES:
            raise LlmFault(f"the server sent an event of more than {_MOST_BYTES >> 20} MiB")
        events = []
        for line in lines:
            if line:
                self._take(line)
            else:
                events += self._dispatch()
        return events

    def _take(self, line: bytes) -> None:
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
            self._data_bytes += len(value)
        elif field == b"event":
            self._name = value

    def _dispatch(self) -> list[tuple[str, bytes]]:
        """End an event; one without data is none."""
        found = []
        if self._data:
            found.append((self._name.decode("utf-8", "replace"), b"\n".join(self._data)))
        self._data, self._data_bytes, self._name = [], 0, b""
        return found
