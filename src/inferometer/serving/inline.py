"""Inline serving: every query is answered before the issue call returns."""

from __future__ import annotations

from inferometer.loadgen import Query
from inferometer.serving.handler import Handler, as_timed

__all__ = ["InlineServing"]


class InlineServing:
    """Calls the handler on the issue thread, one query at a time.

    This is the natural serving of SingleStream: no hand-over between threads. An error
    of the handler ends the run.
    """

    def __init__(self, handler: Handler, name: str = "inline"):
        self._handler = handler
        self._timed = as_timed(handler)
        self.name = name

    def issue(self, query: Query) -> None:
        """Answer a query at once."""
        if self._timed is None:
            query.complete(self._handler(query.indices))
            return
        began = query.now_ns()
        responses, preprocess_ns, infer_ns = self._timed.timed(query.indices)
        query.note_phases(began, preprocess_ns, infer_ns)
        query.complete(responses)

    def flush(self) -> None:
        """Do nothing: nothing is held back."""

    def close(self) -> None:
        """Do nothing: there are no threads."""
