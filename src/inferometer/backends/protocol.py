"""The seam to a framework: load a model file, run a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from inferometer.loadgen import InferometerError

__all__ = [
    "Backend",
    "BackendError",
    "BackendOptions",
    "MissingBackendError",
    "ModelFile",
    "Session",
]


class BackendError(InferometerError):
    """A backend can't load a model, or doesn't know an option or a device."""


class MissingBackendError(BackendError):
    """The framework of a backend isn't installed; the message says how to install it."""


@dataclass(frozen=True)
class ModelFile:
    """A model on disk.

    format:
        What kind of file it is, such as ``onnx``.
    sha256:
        What the file's hash has to be; checked when the model is loaded. ``None`` for a
        file that comes from the user.
    member:
        What to take from a file that holds several things, such as a function's name.
    """

    path: Path
    format: str
    sha256: str | None = None
    member: str = ""

    @classmethod
    def of_user(cls, path: Path) -> ModelFile:
        """Make one of what a user names: a file, or ``FILE.py:FUNCTION``.

        The format is the file's suffix; `BackendError` if there is no such file.
        """
        text, member = str(path), ""
        if ".py:" in text:
            text, _, member = text.rpartition(":")
        found = Path(text)
        if not found.is_file():
            raise BackendError(f"{found}: there is no such model file")
        suffix = found.suffix.lstrip(".").lower()
        return cls(found, "python" if suffix == "py" else suffix, None, member)


@dataclass(frozen=True)
class BackendOptions:
    """How a backend runs a model.

    threads:
        Threads within one call; ``None`` leaves it to the framework.
    device:
        ``cpu``, ``cuda``, or a name that the framework knows, such as an execution
        provider.
    extra:
        Options that only this backend knows, by name.
    """

    threads: int | None = None
    device: str = "cpu"
    extra: Mapping[str, str] = field(default_factory=dict)


class Session(Protocol):
    """A loaded model."""

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the inputs."""
        ...

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs."""
        ...

    @property
    def description(self) -> Mapping[str, Any]:
        """What really runs: framework, version, device, precision, threads."""
        ...

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Run a batch: named arrays in, one array for each output name out.

        May be called from several threads at once.
        """
        ...


class Backend(Protocol):
    """A framework that runs models."""

    name: str
    formats: tuple[str, ...]

    def version(self) -> str:
        """Give the framework's version; raise `MissingBackendError` if it isn't there."""
        ...

    def devices(self) -> tuple[str, ...]:
        """Give the devices that can be asked for on this machine."""
        ...

    def load(self, model: ModelFile, options: BackendOptions) -> Session:
        """Load a model; raise `BackendError` saying what is wrong and what would work."""
        ...
