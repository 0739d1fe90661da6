"""ncnn on the CPU: a backend in one file, for models whose inputs and outputs are fixed."""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends.installed import imported, installed_version
from inferometer.backends.model_file import checked_path
from inferometer.backends.native_output import native_output_dropped
from inferometer.backends.options import check_device, check_options
from inferometer.backends.protocol import (
    BackendError,
    BackendOptions,
    ModelFile,
    SourceModel,
    UnsupportedModelError,
)

__all__ = ["NcnnBackend"]

_EXTRA = "ncnn"
_DEVICES = ("cpu",)
_PARAMETERS, _WEIGHTS, _NAMES = "model.ncnn.param", "model.ncnn.bin", "names.json"
_CUSTOM = ("pnnx.", "aten::", "torch.", "F.", "Tensor.")
_BATCH = {0: "N"}


class NcnnBackend:
    """Runs models of ncnn: a folder with ``model.ncnn.param`` and ``model.ncnn.bin``.

    ncnn knows no batch: a call runs its samples one after the other.
    """

    name = "ncnn"
    formats: tuple[str, ...] = ("ncnn",)
    precisions: tuple[str, ...] = ("fp32",)
    layout = "NCHW"
    own_format = "ncnn"

    def version(self) -> str:
        """Give the version of ncnn."""
        return installed_version("ncnn", ("ncnn",), _EXTRA)

    def devices(self) -> tuple[str, ...]:
        """Give the one device."""
        self.version()
        return _DEVICES

    def check(self, options: BackendOptions) -> None:
        """Look at the precision and the device; there are no options besides."""
        check_options(self, options, ())
        check_device(self, options.device, _DEVICES)

    def load(self, model: ModelFile, options: BackendOptions) -> NcnnSession:
        """Load a folder."""
        ncnn = imported("ncnn", "ncnn", _EXTRA)
        self.check(options)
        path = checked_path(model, self.formats, self.name)
        net = ncnn.Net()
        # Each of these would round what an fp32 model computes.
        for name in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage"):
            setattr(net.opt, f"use_{name}", False)
        if options.threads is not None:
            net.opt.num_threads = options.threads
        with native_output_dropped():
            failed = net.load_param(str(path / _PARAMETERS)) or net.load_model(str(path / _WEIGHTS))
        if failed:
            raise BackendError(
                f"{path}: ncnn can't load it; it has to hold {_PARAMETERS} and {_WEIGHTS}"
            )
        return NcnnSession(ncnn, net, path)

    def export_versions(self) -> Mapping[str, str]:
        """Give the version of pnnx, which converts PyTorch modules."""
        return {"pnnx": installed_version("pnnx", ("pnnx",), _EXTRA)}

    def export(self, source: SourceModel, path: Path) -> None:
        """Convert the module for one sample; the script that pnnx also writes isn't kept."""
        torch, pnnx = imported("torch", "ncnn", _EXTRA), imported("pnnx", "ncnn", _EXTRA)
        _check_axes(source)
        (example,) = (torch.from_numpy(array[:1]) for array in source.examples.values())
        module = torch.nn.Sequential()
        # pnnx makes a Python name of each module's, which can't begin with a digit.
        module.add_module("net", source.module)
        with tempfile.TemporaryDirectory() as text:
            made = Path(text)
            with native_output_dropped(), warnings.catch_warnings():
                # It traces the module, which PyTorch calls deprecated and warns about.
                warnings.simplefilter("ignore")
                pnnx.export(module.eval(), str(made / "model.pt"), example, fp16=False)
            _check_layers(source, made / _PARAMETERS)
            path.mkdir()
            for name in (_PARAMETERS, _WEIGHTS):
                (path / name).write_bytes((made / name).read_bytes())
        names = {"inputs": source.input_names, "outputs": source.output_names}
        (path / _NAMES).write_text(json.dumps(names), "utf-8")


class NcnnSession:
    """A net, from which each sample takes an extractor of its own."""

    def __init__(self, ncnn: Any, net: Any, path: Path):
        self._ncnn, self._net = ncnn, net
        self._blobs = tuple(net.input_names()), tuple(net.output_names())
        self.input_names, self.output_names = self._blobs
        if (path / _NAMES).is_file():
            names = json.loads((path / _NAMES).read_text("utf-8"))
            self.input_names, self.output_names = tuple(names["inputs"]), tuple(names["outputs"])
        self.description: Mapping[str, Any] = {
            "framework": "ncnn",
            "version": ncnn.__version__,
            "device": "cpu",
            "precision": "fp32",
            "threads": net.opt.num_threads,
        }

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Run the samples of a batch one after the other."""
        arrays = [np.ascontiguousarray(inputs[name], np.float32) for name in self.input_names]
        rows = [self._one([array[row] for array in arrays]) for row in range(len(arrays[0]))]
        return [np.stack(column) for column in zip(*rows, strict=True)]

    def close(self) -> None:
        """Let the net go."""
        self._net = None

    def _one(self, sample: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        extractor = self._net.create_extractor()
        for blob, array in zip(self._blobs[0], sample, strict=True):
            extractor.input(blob, self._ncnn.Mat(array).clone())
        found = []
        for blob in self._blobs[1]:
            code, value = extractor.extract(blob)
            if code:
                raise BackendError(f"ncnn failed at its output {blob} with code {code}")
            found.append(np.array(value))
        return found


def _check_axes(source: SourceModel) -> None:
    """Refuse a model with more open axes than its batch, or more inputs than one."""
    open_axes = {name: axes for name, axes in source.dynamic.items() if dict(axes) != _BATCH}
    if open_axes or len(source.input_names) != 1:
        raise UnsupportedModelError(
            f"{source.name}: ncnn runs layers of fixed shapes, one sample at a time; it has no "
            f"LSTM over sentences of different lengths in a batch ({', '.join(open_axes)} are "
            "open)",
            ("LSTM",),
        )


def _check_layers(source: SourceModel, parameters: Path) -> None:
    """Refuse what pnnx left as operators of PyTorch's, naming them."""
    kinds = [line.split()[0] for line in parameters.read_text("utf-8").splitlines()[2:] if line]
    lacking = tuple(dict.fromkeys(kind for kind in kinds if kind.startswith(_CUSTOM)))
    if lacking:
        raise UnsupportedModelError(f"{source.name}: ncnn has no {', '.join(lacking)}", lacking)
