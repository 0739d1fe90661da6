"""Inline serving: every query is answered before the issue call returns."""

from __future__ import annotations

from inferometer.loadgen import Query
from inferometer.serving.handler import Handler

__all__ = ["InlineServing"]


class InlineServing:
    """Calls the handler on the issue thread, one query at a time.

    This is the natural serving of SingleStream: no hand-over between threads. An error
    of the handler ends the run.
    """

    def __init__(self, handler: Handler, name: str = "inline"):
        self._handler = handler
        self.name = name

    def issue(self, query: Query) -> None:
        """Answer a query at once."""
        query.complete(self._handler(query.indices))

    def flush(self) -> None:
        """Do nothing: nothing is held back."""

    def close(self) -> None:
        """Do nothing: there are no threads."""
