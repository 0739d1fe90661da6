"""Arm NN in a process of its own, as Debian packages it."""

from __future__ import annotations

import dataclasses
import importlib
import re
from collections.abc import Mapping
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from inferometer.backends.armnn.graph import check_operators, read_graph
from inferometer.backends.armnn.runtime import PACKAGES, ArmNnRuntime, release_of
from inferometer.backends.installed import package_folder
from inferometer.backends.isolation.isolated import BackendFault, load_isolated
from inferometer.backends.model_file import checked_path
from inferometer.backends.options import check_options, number
from inferometer.backends.protocol import (
    BackendError,
    BackendOptions,
    MissingBackendError,
    ModelFile,
    Session,
    SourceModel,
)

__all__ = ["ArmNnBackend"]

_INSTALL = (
    "apt-get install --no-install-recommends "
    "python3-pyarmnn libarmnn-cpuref-backend22 libarmnntfliteparser22"
)
_RUNTIME = f"{ArmNnRuntime.__module__}:{ArmNnRuntime.__name__}"
_EXPORT = "inferometer.backends.armnn.export"
_LIBRARIES = Path("/usr/lib")
_PARSER = "*/libarmnnTfLiteParser.so.*"
_BACKENDS = {"CpuAcc": "NEON kernels of Arm processors", "CpuRef": "plain reference kernels"}
_CPU = "cpu"
_CHECKED_RELEASE = "20.08"
_OPTIONS = ("processes",)


class ArmNnBackend:
    """Runs .tflite files with Arm NN.

    Devices are ``cpu``, the best that is installed, or one of Arm NN's own names: ``CpuAcc``
    (NEON kernels, on Arm) and ``CpuRef`` (reference kernels, slow on purpose: they show that a
    model works, not how fast). One extra option: ``processes``, as many calls run at once.
    """

    name = "armnn"
    formats: tuple[str, ...] = ("tflite",)
    precisions: tuple[str, ...] = ("fp32",)
    tunable: Mapping[str, tuple[str, ...]] = {"processes": ("2",)}
    layout = "NHWC"
    own_format = "tflite"
    is_isolated = True

    def version(self) -> str:
        """Give the release of Arm NN that pyarmnn belongs to, such as 20.08."""
        text = (_folder() / "_version.py").read_text("utf-8")
        found = re.search(r"version_info\s*=\s*\((\d+),\s*(\d+),\s*(\d+)\)", text)
        if found is None:
            raise BackendError(f"{_folder()} doesn't say which version of pyarmnn it is")
        return release_of(".".join(found.groups()))

    def devices(self) -> tuple[str, ...]:
        """Give ``cpu``, and the backends of Arm NN that are installed."""
        _folder()
        return (_CPU, *_installed())

    def check(self, options: BackendOptions) -> None:
        """Look at the precision, the device, and how many processes there are to be."""
        check_options(self, options, _OPTIONS)
        number(options, "processes")
        _device(options.device)

    def load(self, model: ModelFile, options: BackendOptions) -> Session:
        """Load a .tflite file of fixed shapes, in as many processes as are asked for."""
        _check_python(_folder())
        self.check(options)
        path = checked_path(model, self.formats, self.name)
        device = _device(options.device)
        graph = read_graph(path)
        # Later releases know more operators; their parser itself says what it lacks.
        if self.version() == _CHECKED_RELEASE:
            check_operators(graph, path)
        try:
            return load_isolated(
                _RUNTIME,
                dataclasses.replace(model, sha256=None),
                dataclasses.replace(options, device=device, extra={}),
                processes=number(options, "processes") or 1,
                call_timeout_s=None,  # a batch of a large model takes hours on CpuRef
            )
        except BackendFault as fault:
            raise BackendFault(
                f"{path}: Arm NN can't load it: {fault}", fault.kind, fault.ending, fault.printed
            ) from fault

    def export_versions(self) -> Mapping[str, str]:
        """Give the packages that convert PyTorch modules to TensorFlow Lite, and Arm NN's."""
        versions: Mapping[str, str] = importlib.import_module(_EXPORT).export_versions()
        return {**versions, "armnn": self.version()}

    def export(self, source: SourceModel, path: Path) -> None:
        """Write a .tflite file for one sample, in operators that Arm NN's parser has."""
        importlib.import_module(_EXPORT).write_for_armnn(source, path)


def _folder() -> Path:
    """Give the folder of pyarmnn, with everything installed that it needs."""
    folder = package_folder("pyarmnn") or Path(PACKAGES) / "pyarmnn"
    lacking = [
        what
        for what, is_there in (
            ("pyarmnn", folder.is_dir()),
            ("its TensorFlow Lite parser", any(_LIBRARIES.glob(_PARSER))),
            (f"a backend ({' or '.join(_BACKENDS)})", bool(_installed())),
        )
        if not is_there
    ]
    if lacking:
        raise MissingBackendError(
            f"Arm NN isn't installed ({', '.join(lacking)} missing); install it with: {_INSTALL}"
        )
    return folder


def _installed() -> tuple[str, ...]:
    """Give the backends whose libraries are there, the fastest first."""
    return tuple(
        name for name in _BACKENDS if any(_LIBRARIES.glob(f"*/armnn*/Arm_{name}_backend.so*"))
    )


def _check_python(folder: Path) -> None:
    """Raise `BackendError` if pyarmnn was built for another Python."""
    built = sorted(path.name for path in (folder / "_generated").glob("_pyarmnn.*"))
    if not any(f"_pyarmnn{suffix}" in built for suffix in EXTENSION_SUFFIXES):
        raise BackendError(
            f"pyarmnn in {folder} was built for {', '.join(built) or 'no Python'}, and this "
            f"Python loads _pyarmnn{EXTENSION_SUFFIXES[0]}; run inferometer with the Python that "
            "it was built for, such as Debian's own python3"
        )


def _device(name: str) -> str:
    """Give Arm NN's name of a device."""
    installed = _installed()
    if name == _CPU:
        return installed[0]
    for device in installed:
        if device.lower() == name.lower():
            return device
    raise BackendError(
        f"armnn has no device {name!r} here; it offers {_CPU}, {', '.join(installed)}"
    )
