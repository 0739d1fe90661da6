"""Logged answers: two accuracy logs compared, as TEST01 does and byte for byte."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inferometer.logs import read_accuracy_log

__all__ = ["ELEMENT_BYTES", "AnswerCheck", "compare_logs"]

ELEMENT_BYTES = {"byte": 1, "float32": 4, "int32": 4, "int64": 8}
"""Bytes of the first element of an answer, by the type that TEST01 is told."""


@dataclass(frozen=True)
class AnswerCheck:
    """How the answers of a test's log compare with those of the accuracy run.

    reference_count, test_count:
        Entries of the two logs.
    repeated, repeated_differing:
        Entries of the reference for a sample that it had already, and those that say
        something else.
    matched:
        Entries of the test for samples that the reference has.
    first_differing, differing:
        Those whose first element, and whose whole answer, is another.
    missing:
        Entries of the test for samples that the reference lacks.
    """

    reference_count: int
    test_count: int
    repeated: int
    repeated_differing: int
    matched: int
    first_differing: int
    differing: int
    missing: int

    @property
    def passes_v05(self) -> bool:
        """The verdict of the v0.5 tool: no first element differs, even if there was none."""
        return not self.first_differing

    @property
    def passes(self) -> bool:
        """The verdict of later tools: beside that, some sample has to be in both logs."""
        return not self.first_differing and self.matched > 0

    @property
    def passes_whole(self) -> bool:
        """Whether there were answers to compare, and all are the same byte for byte."""
        return not self.differing and self.matched > 0

    def text(self, *, passes: bool) -> str:
        """Write what ``verify_accuracy.txt`` holds, with the published names of the counts."""
        counts = {
            "num_acc_log_entries": self.reference_count,
            "num_acc_log_duplicate_keys": self.repeated,
            "num_acc_log_data_mismatch": self.repeated_differing,
            "num_perf_log_entries": self.test_count,
            "num_perf_log_qsl_idx_match": self.matched,
            "num_perf_log_data_mismatch": self.first_differing,
            "num_missing_qsl_idxs": self.missing,
        }
        lines = [f"{name} = {count}" for name, count in counts.items()]
        lines.append(f"whole answers that differ = {self.differing}")
        lines.append("TEST PASS" if passes else "TEST FAIL")
        return "\n".join(lines) + "\n"


def compare_logs(reference: Path, test: Path, dtype: str = "byte") -> AnswerCheck:
    """Compare the answers of ``test`` with those of ``reference``, sample by sample.

    ``dtype`` is one of `ELEMENT_BYTES`; an answer without a byte has no first element, and
    equals only another such. The last entry for a sample in the reference counts. Raises
    `AccuracyLogError` naming the file and the entry that is damaged.
    """
    size = ELEMENT_BYTES[dtype]
    known: dict[int, bytes] = {}
    count = repeated = repeated_differing = 0
    for entry in read_accuracy_log(reference):
        count += 1
        if entry.qsl_idx in known:
            repeated += 1
            repeated_differing += known[entry.qsl_idx] != entry.data
        known[entry.qsl_idx] = entry.data
    test_count = matched = first_differing = differing = 0
    for entry in read_accuracy_log(test):
        test_count += 1
        expected = known.get(entry.qsl_idx)
        if expected is not None:
            matched += 1
            first_differing += expected[:size] != entry.data[:size]
            differing += expected != entry.data
    return AnswerCheck(
        reference_count=count,
        test_count=test_count,
        repeated=repeated,
        repeated_differing=repeated_differing,
        matched=matched,
        first_differing=first_differing,
        differing=differing,
        missing=test_count - matched,
    )
