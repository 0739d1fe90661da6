"""Options: how a tree is checked."""

from __future__ import annotations

from dataclasses import dataclass, field

from inferometer.submission.checking.truth import Truth

__all__ = ["CheckOptions"]


@dataclass(frozen=True)
class CheckOptions:
    """How a tree is checked.

    submitter:
        Only results of this submitter; ``None`` for all.
    truth:
        What accuracies are computed anew with.
    with_code:
        Whether code is asked for; published data comes without.
    is_demo:
        Whether a smaller data set than the benchmark's is let pass, as the published checker
        of v6.1 does with --skip-dataset-size-check.
    """

    submitter: str | None = None
    truth: Truth = field(default_factory=Truth)
    with_code: bool = True
    is_demo: bool = False
