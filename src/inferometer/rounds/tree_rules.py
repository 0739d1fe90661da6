"""What a submission of a round holds: files, and keys of its descriptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from inferometer.rounds.table import RoundError, Table

__all__ = ["RequiredFiles", "SystemKeys", "read_files", "read_system_keys"]


@dataclass(frozen=True)
class RequiredFiles:
    """Files of a submission.

    accuracy, performance, measurements:
        Names in the accuracy folder, in each performance run, and beside the measurements.
    description:
        Pattern of the measurements' JSON file; ``{system}`` stands for the system's name.
    source_folder:
        The folder of the submitter that holds the code.
    filled:
        Those that mustn't be empty.
    ignored:
        Those that may be there besides.
    most_bytes:
        Sizes that a file mustn't exceed.
    kept_bytes:
        How much of the beginning and of the end a truncated accuracy log keeps; ``None`` where
        it is submitted whole.
    """

    accuracy: tuple[str, ...]
    performance: tuple[str, ...]
    measurements: tuple[str, ...]
    description: str
    source_folder: str
    filled: tuple[str, ...]
    ignored: tuple[str, ...]
    most_bytes: Mapping[str, int]
    kept_bytes: int | None


@dataclass(frozen=True)
class SystemKeys:
    """Keys of ``systems/<system>.json``.

    required, optional:
        Keys that have to be there, and those that may be.
    filled:
        Those that mustn't be empty.
    integers:
        Those that have to be a whole number.
    values:
        What some keys are limited to, in any case of letters.
    network:
        Those required besides where ``is_network`` is true.
    allows_others:
        Whether other keys may be there.
    """

    required: tuple[str, ...]
    optional: tuple[str, ...]
    filled: tuple[str, ...]
    integers: tuple[str, ...]
    values: Mapping[str, tuple[str, ...]]
    network: tuple[str, ...]
    allows_others: bool


def read_files(table: Table) -> RequiredFiles:
    """Read the table of files."""
    sizes = table.table("most_bytes", may_miss=True)
    found = RequiredFiles(
        accuracy=table.texts("accuracy"),
        performance=table.texts("performance"),
        measurements=table.texts("measurements"),
        description=table.text("description"),
        source_folder=table.text("source_folder"),
        filled=table.texts("filled", ()),
        ignored=table.texts("ignored", ()),
        most_bytes={name: sizes.count(name) for name in sizes.names()},
        kept_bytes=table.optional("kept_bytes", table.count),
    )
    table.finish()
    return found


def read_system_keys(table: Table) -> SystemKeys:
    """Read the keys of a system description; raise `RoundError` for a key that isn't listed."""
    values = table.table("values", may_miss=True)
    found = SystemKeys(
        required=table.texts("required"),
        optional=table.texts("optional", ()),
        filled=table.texts("filled", ()),
        integers=table.texts("integers", ()),
        values={name: values.texts(name) for name in values.names()},
        network=table.texts("network", ()),
        allows_others=table.flag("allows_others", False),
    )
    table.finish()
    known = {*found.required, *found.optional, *found.network}
    for group in ("filled", "integers"):
        for key in getattr(found, group):
            if key not in known:
                raise RoundError(f"{table.where(group)} names {key!r}, which is no key")
    for key in found.values:
        if key not in known:
            raise RoundError(f"{table.where('values')} names {key!r}, which is no key")
    return found
