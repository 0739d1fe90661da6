"""TensorFlow, on the CPU or an NVIDIA GPU, in the precision that is asked for."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends.installed import (
    has_nvidia_gpu,
    installed_version,
    may_have_gpu,
    missing,
    package_folder,
)
from inferometer.backends.model_file import checked_path
from inferometer.backends.options import check_device, check_options, number
from inferometer.backends.protocol import BackendError, BackendOptions, ModelFile, SourceModel
from inferometer.backends.tensorflow.graph import WALKER_VERSION, saved_model_of_onnx
from inferometer.backends.tensorflow.loading import FrozenGraph, read_model
from inferometer.backends.tensorflow.precision import device_of, precision_of, run_graphs
from inferometer.backends.tensorflow.runtime import EXTRA, has_own_threads, imported_tensorflow

__all__ = ["TensorFlowBackend"]

_DISTRIBUTIONS = ("tensorflow", "tensorflow-cpu", "tensorflow-intel", "tensorflow-rocm")
_OPTIONS = ("inter_op_threads",)
_DEVICES = {"cpu": "CPU", "cuda": "GPU"}
_FASTER_MATH = "TF_SET_ONEDNN_FPMATH_MODE"


class TensorFlowBackend:
    """Runs SavedModels, and frozen graphs of TensorFlow 1 in .pb files.

    Weights become constants as a model is loaded. Each session has its own threads: without
    the option ``inter_op_threads``, operators run one after the other in the thread that
    makes the call, each on ``threads`` threads.
    """

    name = "tensorflow"
    formats: tuple[str, ...] = ("savedmodel", "pb")
    precisions: tuple[str, ...] = ("fp32", "bf16")
    layout = "NHWC"
    own_format = "savedmodel"

    def version(self) -> str:
        """Give the version of TensorFlow."""
        return installed_version("TensorFlow", _DISTRIBUTIONS, EXTRA)

    def devices(self) -> tuple[str, ...]:
        """Give ``cpu``, and ``cuda`` if this build has it and there is a GPU."""
        self.version()
        return tuple(_DEVICES) if _is_built_for("cuda") and has_nvidia_gpu() else ("cpu",)

    def check(self, options: BackendOptions) -> None:
        """Look at the precision, the options, and whether the device may be here at all."""
        check_options(self, options, _OPTIONS)
        number(options, "inter_op_threads")
        is_built = sys.platform != "linux" or _is_built_for("cuda") or _is_built_for("rocm")
        check_device(self, options.device, _DEVICES if is_built and may_have_gpu() else ("cpu",))
        _check_math(options)

    def export_versions(self) -> Mapping[str, str]:
        """Give the versions of TensorFlow, onnx, and what walks the graph."""
        return {
            "tensorflow": self.version(),
            "onnx": installed_version("onnx", ("onnx",), EXTRA),
            "walker": WALKER_VERSION,
        }

    def export(self, source: SourceModel, path: Path) -> None:
        """Write the ONNX file's graph as a SavedModel, a folder."""
        saved_model_of_onnx(imported_tensorflow(), source.onnx, path)

    def load(self, model: ModelFile, options: BackendOptions) -> TensorFlowSession:
        """Load a SavedModel or a frozen graph; run it once, to find out the precision.

        That run is on one sample of ones. A float32 model that can't take it is told by its file.
        """
        self.version()
        self.check(options)
        path = checked_path(model, self.formats, self.name)
        tensorflow = imported_tensorflow()
        _check_device(self, tensorflow, options.device)
        _check_threads(tensorflow, options)
        frozen = read_model(tensorflow, path, model)
        config = _config(tensorflow, options)
        try:
            graphs = run_graphs(tensorflow, frozen, config)
        except BackendError as error:
            if (options.precision, options.device) != ("fp32", "cpu"):
                raise BackendError(f"{path}: {error}") from error
            # Nothing was asked for that changes types, so that the file's own are what runs.
            graphs = [frozen.graph.as_graph_def()]
        precision, device = precision_of(graphs), device_of(graphs)
        if options.precision not in precision.split("+") and precision != "unknown":
            raise BackendError(
                f"TensorFlow was asked for {options.precision} but computes {path.name} in "
                f"{precision} on this processor; ask for that with --number-format"
            )
        if _DEVICES[options.device] not in device:
            raise BackendError(
                f"TensorFlow was asked for {options.device} but runs {path.name} on {device}"
            )
        return TensorFlowSession(tensorflow, frozen, config, options, (precision, device))


class TensorFlowSession:
    """A model loaded by TensorFlow."""

    def __init__(
        self,
        tensorflow: Any,
        frozen: FrozenGraph,
        config: Any,
        options: BackendOptions,
        found: tuple[str, str],
    ):
        from tensorflow.core.protobuf import config_pb2  # noqa: PLC0415

        self._session = tensorflow.compat.v1.Session(graph=frozen.graph, config=config)
        feeds, fetches = list(frozen.inputs.values()), list(frozen.outputs.values())
        # One level below the public call, which adds a third to the time of a small model.
        self._call = self._session._make_callable_from_options(
            config_pb2.CallableOptions(feed=feeds, fetch=fetches)
        )
        self.input_names = tuple(frozen.inputs)
        self.output_names = tuple(frozen.outputs)
        tensors = [frozen.graph.get_tensor_by_name(name) for name in feeds]
        self._shapes = [_axes(tensor) for tensor in tensors]
        precision, device = found
        self.description: Mapping[str, Any] = {
            "framework": "TensorFlow",
            "version": tensorflow.__version__,
            "device": device,
            "precision": precision,
            "threads": options.threads or "default",
            "inter_op_threads": options.extra.get("inter_op_threads", "those that call"),
            "inputs": [
                f"{name} {tensor.dtype.name} {tensor.shape}"
                for name, tensor in zip(self.input_names, tensors, strict=True)
            ],
        }

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Run a batch; raise `BackendError` if an input is missing or of another shape."""
        try:
            arrays = [inputs[name] for name in self.input_names]
        except KeyError as error:
            raise BackendError(f"the model needs the input {error}") from error
        for name, array, axes in zip(self.input_names, arrays, self._shapes, strict=True):
            _check_shape(name, array, axes)
        return [np.asarray(output) for output in self._call(*arrays)]

    def close(self) -> None:
        """Let the model go."""
        self._call = None
        self._session.close()


def _axes(tensor: Any) -> tuple[int | None, ...] | None:
    return None if tensor.shape.rank is None else tuple(tensor.shape.as_list())


def _check_shape(name: str, array: NDArray[Any], axes: tuple[int | None, ...] | None) -> None:
    """Compare a shape with the model's, which TensorFlow takes on trust."""
    if axes is None:
        return
    fits = len(axes) == array.ndim and all(
        size is None or size == given for size, given in zip(axes, array.shape, strict=True)
    )
    if not fits:
        raise BackendError(f"the input {name!r} is of shape {axes}; {array.shape} was given")


def _config(tensorflow: Any, options: BackendOptions) -> Any:
    """Make the settings of a session."""
    config = tensorflow.compat.v1.ConfigProto(
        device_count={"GPU": 0} if options.device == "cpu" else {},
        intra_op_parallelism_threads=options.threads or 0,
        # A negative number has the thread that makes the call run the operators.
        inter_op_parallelism_threads=number(options, "inter_op_threads") or -1,
        use_per_session_threads=True,
        allow_soft_placement=True,
    )
    config.gpu_options.allow_growth = True
    if options.precision == "bf16":
        config.graph_options.rewrite_options.auto_mixed_precision_onednn_bfloat16 = 1
    return config


def _is_built_for(library: str) -> bool:
    """Tell whether this build knows GPUs by a library; raise `MissingBackendError` without one."""
    folder = package_folder("tensorflow")
    if folder is None:
        raise missing("TensorFlow", EXTRA)
    notes = folder / "python" / "platform" / "build_info.py"
    if not notes.is_file():
        return False
    return re.search(rf"'is_{library}_build',\s*True", notes.read_text("utf-8")) is not None


def _check_device(backend: TensorFlowBackend, tensorflow: Any, device: str) -> None:
    gpus = tensorflow.config.list_physical_devices("GPU")
    check_device(backend, device, _DEVICES if gpus else ("cpu",))
    if device != "cpu":
        # Else the GPU rounds what is multiplied to ten bits, and calls that float32.
        tensorflow.config.experimental.enable_tensor_float_32_execution(False)


def _check_threads(tensorflow: Any, options: BackendOptions) -> None:
    if options.threads is not None and not has_own_threads(tensorflow):
        raise BackendError(
            "TensorFlow was used in this process before, so that its sessions share the threads "
            "that it started then; leave the number of threads out, or run in a process of its own"
        )


def _check_math(options: BackendOptions) -> None:
    mode = os.environ.get(_FASTER_MATH, "")
    if options.precision == "fp32" and mode:
        raise BackendError(
            f"the environment variable {_FASTER_MATH}={mode} has TensorFlow round float32 as it "
            "multiplies; unset it"
        )
