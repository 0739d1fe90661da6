"""Layout: where the parts of a result lie below a submitter's folder, in each round."""

from __future__ import annotations

from dataclasses import dataclass

from inferometer.loadgen import Scenario
from inferometer.rounds import Round

__all__ = ["Layout"]

Parts = tuple[str, ...]


@dataclass(frozen=True)
class Layout:
    """The folders of one result; each is given in parts below ``<division>/<submitter>``."""

    book: Round
    system: str
    benchmark: str
    scenario: Scenario
    implementation: str

    @property
    def result(self) -> Parts:
        """The folder with the logs."""
        return ("results", self.system, self.benchmark, self.scenario.value)

    @property
    def accuracy(self) -> Parts:
        """The accuracy run."""
        return (*self.result, "accuracy")

    def performance(self, number: int) -> Parts:
        """Give the folder of a performance run, counted from 1."""
        return (*self.result, "performance", f"run_{number}")

    @property
    def measurements(self) -> Parts:
        """Configuration, README and measurements' file; later rounds keep them with the logs."""
        if self.book.era.is_v05:
            return ("measurements", self.system, self.benchmark, self.scenario.value)
        return self.result

    @property
    def description(self) -> Parts:
        """The measurements' JSON file."""
        name = "measurements.json"
        if self.book.era.is_v05:
            name = f"{self.system}_{self.implementation}_{self.scenario.value}.json"
        return (*self.measurements, name)

    @property
    def code(self) -> Parts:
        """The code of this implementation."""
        return (self.book.files.source_folder, self.benchmark, self.implementation)

    @property
    def documents(self) -> Parts:
        """Calibration and checklist."""
        return self.measurements if self.book.era.is_v05 else ("documentation",)

    def document(self, name: str) -> Parts:
        """Give a document: beside the measurements, or named after the result in one folder."""
        if self.book.era.is_v05:
            return (*self.documents, name)
        parts = (self.system, self.benchmark, self.scenario.value, name)
        return (*self.documents, "_".join(parts))

    def audit(self, test: str) -> Parts:
        """Give the folder of one of the audits."""
        if self.book.era.is_v05:
            return ("audit", self.system, self.benchmark, self.scenario.value, test)
        return (*self.result, test)
