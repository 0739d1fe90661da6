"""Entry: what the catalogue knows of a published model or data set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inferometer.workloads.places import data_folder, model_folder
from inferometer.workloads.protocol import WorkloadError

__all__ = ["Entry", "Member", "Profile", "PublishedFile", "Reference"]


@dataclass(frozen=True)
class Member:
    """What is taken out of an archive.

    Either ``name``, one file, found in the archive as ``member`` (the same if empty) at any
    depth; or ``glob``, all files of that pattern, ``count`` of them.
    """

    name: str = ""
    member: str = ""
    glob: str = ""
    count: int = 1
    md5: str = ""

    @property
    def source(self) -> str:
        """The name, or end of the path, that it has in the archive."""
        return self.member or self.name


@dataclass(frozen=True)
class PublishedFile:
    """A file as it is published: a model, or an archive with ``members`` to unpack.

    ``md5`` and ``sha256`` are empty where none are published. A file without ``url`` has
    to be got by hand, as ``manual`` says.
    """

    name: str
    url: str = ""
    md5: str = ""
    sha256: str = ""
    manual: str = ""
    members: tuple[Member, ...] = ()

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of the single files that lie on disk in the end."""
        if not self.members:
            return (self.name,)
        return tuple(member.name for member in self.members if member.name)


@dataclass(frozen=True)
class Profile:
    """How a published file is used: a framework, names of inputs and outputs, conventions.

    preprocessing, postprocessing:
        Keys of what is done before and after the model.
    label_offset:
        How many classes, such as "background", are in front of class 0.
    inverse_map:
        Whether classes of detections count from 1 instead of being category ids.
    threshold:
        Score that a detection needs, if the model keeps lower ones.
    largest_batch:
        Most samples that the model takes at once; ``None`` for any number.
    """

    name: str
    framework: str
    format: str
    file: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    layout: str
    dtype: str
    preprocessing: str
    postprocessing: str
    stated_accuracy: float
    label_offset: int = 0
    inverse_map: bool = False
    precision: str = "fp32"
    threshold: float | None = None
    largest_batch: int | None = None
    opset: int | None = None


@dataclass(frozen=True)
class Reference:
    """What the v0.5 rules ask of a workload.

    ``official_name`` is its name in published results, ``round_benchmark`` in config files.
    Accuracies are fractions, but for BLEU.
    """

    task: str
    metric: str
    data_set: str
    official_name: str
    round_benchmark: str
    reference_accuracy: float
    quality_ratio: float
    server_latency_bound_ms: int
    server_percentile: float
    performance_sample_count: int


@dataclass(frozen=True)
class Entry:
    """A published model (``kind`` model) or data set (``kind`` data) and its files."""

    name: str
    title: str
    kind: str
    files: tuple[PublishedFile, ...]
    profiles: tuple[Profile, ...] = ()
    default_profile: str = ""
    reference: Reference | None = None
    sample_count: int = 0

    @property
    def folder(self) -> Path:
        """Where the files lie on disk."""
        return model_folder(self.name) if self.kind == "model" else data_folder(self.name)

    def profile(self, name: str = "") -> Profile:
        """Give a profile, the default one if unnamed; `WorkloadError` if there is none."""
        wanted = name or self.default_profile
        for profile in self.profiles:
            if profile.name == wanted:
                return profile
        known = ", ".join(profile.name for profile in self.profiles) or "none"
        raise WorkloadError(f"{self.name} has no profile {wanted!r}; known: {known}")

    def files_for(self, profile: str = "", *, everything: bool = False) -> list[PublishedFile]:
        """Give the files that a profile needs; all of a data set, or if ``everything``."""
        if everything or not self.profiles:
            return list(self.files)
        wanted = self.profile(profile).file
        return [file for file in self.files if wanted in (file.name, *file.targets)]
