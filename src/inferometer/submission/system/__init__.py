"""System descriptions: gathered from the machine, filled or overridden by its owner."""

from inferometer.submission.system.description import check_filled, described, known_keys
from inferometer.submission.system.file import SystemDescriptionError, read_description
from inferometer.submission.system.gathering import machine_facts
from inferometer.submission.system.network import generator_facts
from inferometer.submission.system.software import installed_frameworks, software_of_runs
from inferometer.submission.system.sources import Sources

__all__ = [
    "Sources",
    "SystemDescriptionError",
    "check_filled",
    "described",
    "generator_facts",
    "installed_frameworks",
    "known_keys",
    "machine_facts",
    "read_description",
    "software_of_runs",
]
