"""The seam to a framework: load a model file, run a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from inferometer.loadgen import InferometerError

__all__ = [
    "Backend",
    "BackendError",
    "BackendOptions",
    "Exporter",
    "MissingBackendError",
    "ModelFile",
    "OptionsChecker",
    "Session",
    "SourceModel",
    "UnsupportedModelError",
]


class BackendError(InferometerError):
    """A backend can't load a model, or doesn't know an option or a device."""


class MissingBackendError(BackendError):
    """The framework of a backend isn't installed; the message says how to install it."""


class UnsupportedModelError(BackendError):
    """A framework can't express a model; ``operators`` are those that it lacks."""

    def __init__(self, message: str, operators: tuple[str, ...] = ()):
        super().__init__(message)
        self.operators = operators


@dataclass(frozen=True)
class ModelFile:
    """A model on disk: a file, or a folder where the format is one.

    format:
        What kind of file it is, such as ``onnx``.
    sha256:
        What its hash has to be, as `content_sha256` gives it; checked when the model is
        loaded. ``None`` for what comes from the user.
    member:
        What to take from a file that holds several things, such as a function's name.
    """

    path: Path
    format: str
    sha256: str | None = None
    member: str = ""

    @property
    def size_bytes(self) -> int:
        """Size of the file, or of all files in the folder; 0 if there is no such thing."""
        found = [self.path, *self.path.rglob("*")]
        return sum(path.stat().st_size for path in found if path.is_file())

    @classmethod
    def of_user(cls, path: Path) -> ModelFile:
        """Make one of what a user names: a file, a folder, or ``FILE.py:FUNCTION``.

        The format is the suffix; a folder with a ``saved_model.pb`` is a ``savedmodel``.
        `BackendError` if there is no such file.
        """
        text, member = str(path), ""
        if ".py:" in text:
            text, _, member = text.rpartition(":")
        found = Path(text)
        if (found / "saved_model.pb").is_file():
            return cls(found, "savedmodel", None, member)
        if not found.exists():
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
    precision:
        What a model of float32 is computed in: one of the backend's ``precisions``.
    extra:
        Options that only this backend knows, by name.
    """

    threads: int | None = None
    device: str = "cpu"
    precision: str = "fp32"
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
        """What really runs: framework, version, device, precision, threads.

        ``precision`` is what the framework was found to compute in, not what was asked for.
        """
        ...

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Run a batch: named arrays in, one array for each output name out.

        May be called from several threads at once, with a batch of any size; later calls
        leave the arrays that it gave alone.
        """
        ...

    def close(self) -> None:
        """Let the model go, and whatever process runs it; no call may follow."""
        ...


class Backend(Protocol):
    """A framework that runs models.

    formats:
        Formats of the files that it reads, the best first.
    precisions:
        What it can compute a float32 model in: ``fp32`` and perhaps ``bf16`` and ``fp16``.
    layout:
        How it likes photos: ``NCHW`` or ``NHWC``.

    It may also have ``tunable``, values of extra options that are worth trying, by name, and
    ``threads_are_global``, true where the threads of all models of a process are set at once,
    and ``is_isolated``, true where it runs models in processes of their own anyway, and
    ``is_remote``, true where models are on a server: then a model file's ``member`` is its name
    there, and there is no file.
    """

    name: str
    formats: tuple[str, ...]
    precisions: tuple[str, ...]
    layout: str

    def version(self) -> str:
        """Give the framework's version; raise `MissingBackendError` if it isn't there.

        Doesn't import the framework, and nor does `devices`.
        """
        ...

    def devices(self) -> tuple[str, ...]:
        """Give the devices that can be asked for on this machine."""
        ...

    def load(self, model: ModelFile, options: BackendOptions) -> Session:
        """Load a model; raise `BackendError` saying what is wrong and what would work."""
        ...


@dataclass(frozen=True)
class SourceModel:
    """A model as its definition with weights, to be turned into a framework's own format.

    module:
        The ``torch.nn.Module`` in evaluation mode; its forward takes the inputs in their
        order and gives the outputs in theirs.
    onnx:
        The same model as an ONNX file; a framework starts from whichever suits it.
    examples:
        Inputs by name, a batch of two or more samples.
    dynamic:
        The open axes of inputs and outputs by name, such as ``{"input": {0: "N"}}``.
    """

    name: str
    module: Any
    onnx: Path
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    examples: Mapping[str, NDArray[Any]]
    dynamic: Mapping[str, Mapping[int, str]]


@runtime_checkable
class OptionsChecker(Protocol):
    """A backend that tells before a model is made or loaded which options it refuses."""

    def check(self, options: BackendOptions) -> None:
        """Raise `BackendError` for options that `load` refuses, without importing the framework.

        What only the framework itself knows is left to `load`.
        """
        ...


@runtime_checkable
class Exporter(Protocol):
    """A backend that writes models in its framework's own format, ``own_format``."""

    own_format: str

    def export_versions(self) -> Mapping[str, str]:
        """Give the packages that write the format, with versions; they decide what is written.

        Raises `MissingBackendError` with the command that installs what is missing.
        """
        ...

    def export(self, source: SourceModel, path: Path) -> None:
        """Write a model to a path that isn't there yet, as a file or a folder.

        Raises `UnsupportedModelError` naming the operators that the framework lacks.
        """
        ...
