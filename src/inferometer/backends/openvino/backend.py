"""OpenVINO on the CPU, in the precision that is asked for."""

from __future__ import annotations

import importlib
from collections import Counter, deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from inferometer.backends.alternate_stack import kept_signal_stack
from inferometer.backends.installed import imported, installed_version, package_folder
from inferometer.backends.model_file import checked_path, content_sha256
from inferometer.backends.openvino.sequences import stop_at_lengths
from inferometer.backends.options import check_options, choice, number
from inferometer.backends.protocol import (
    BackendError,
    BackendOptions,
    ModelFile,
    SourceModel,
    UnsupportedModelError,
)
from inferometer.loadgen.cores import usable_cores

__all__ = ["WEIGHTS_DIGEST", "OpenVinoBackend"]

WEIGHTS_DIGEST = ["inferometer", "weights_sha256"]
"""Where an .xml file keeps the sha256 of the .bin file beside it, among its runtime notes."""

_EXTRA = "openvino"
_CPU = "CPU"
_PLUGINS = {"gpu": ("intel_gpu_plugin", "dri/renderD*"), "npu": ("intel_npu_plugin", "accel/*")}
_DEVICES = Path("/dev")
_SEVERAL = ("AUTO", "MULTI", "HETERO")
_OPERATORS = "openvino.opset13"
_PRECISIONS = {"fp32": "f32", "bf16": "bf16", "fp16": "f16"}
_HINTS = ("latency", "throughput")
_OUR_WORDS = {**{theirs: ours for ours, theirs in _PRECISIONS.items()}, "i8": "int8", "u8": "int8"}
_WORKING = ("Convolution", "Deconvolution", "FullyConnected", "MatMul", "RNNSeq", "RNNCell")
_OPTIONS = ("performance_hint", "num_streams")


class OpenVinoBackend:
    """Runs ONNX files and OpenVINO's own .xml files, whose weights lie in a .bin file beside.

    The precision is what was asked for, whatever the processor prefers. Extra options:
    ``num_streams``, the number of calls that run at once, and ``performance_hint`` (latency,
    throughput). Without ``num_streams``, ``latency`` makes as many streams of ``threads``
    threads as fit on the usable cores, and ``throughput`` leaves their number to OpenVINO.
    """

    name = "openvino"
    formats: tuple[str, ...] = ("onnx", "xml")
    precisions: tuple[str, ...] = tuple(_PRECISIONS)
    tunable: Mapping[str, tuple[str, ...]] = {
        "performance_hint": _HINTS[1:],
        "num_streams": ("1", "2", "4", "8"),
    }
    layout = "NCHW"
    own_format = "xml"

    def version(self) -> str:
        """Give the version of OpenVINO."""
        return installed_version("OpenVINO", ("openvino",), _EXTRA)

    def devices(self) -> tuple[str, ...]:
        """Give the devices whose plugins are installed, and for which there is hardware."""
        self.version()
        folder = package_folder("openvino")
        plugins = {} if folder is None else _PLUGINS
        return (
            "cpu",
            *(
                name
                for name, (plugin, nodes) in plugins.items()
                if folder and any(folder.glob(f"libs/*{plugin}*")) and any(_DEVICES.glob(nodes))
            ),
        )

    def load(self, model: ModelFile, options: BackendOptions) -> OpenVinoSession:
        """Load an ONNX file, or an .xml file with its .bin."""
        # OpenVINO leaves the thread with a signal stack that it frees with the model, or
        # with the plugin that was asked for its devices.
        with kept_signal_stack():
            return self._load(model, options)

    def _load(self, model: ModelFile, options: BackendOptions) -> OpenVinoSession:
        openvino = _openvino()
        check_options(self, options, _OPTIONS)
        properties = _properties(options)
        path = checked_path(model, self.formats, self.name)
        if model.format == "xml":
            _check_beside(path)
        core = openvino.Core()
        device = _device(core, options)
        try:
            graph = core.read_model(str(path))
            _check_weights(graph, path)
            stop_at_lengths(graph, importlib.import_module(_OPERATORS), path)
            compiled = core.compile_model(graph, device, properties)
        except RuntimeError as error:
            raise BackendError(f"{path}: OpenVINO can't load it: {_reason(error)}") from error
        session = OpenVinoSession(compiled, options, openvino.__version__, device)
        hint = compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
        if device == _CPU and hint != properties["INFERENCE_PRECISION_HINT"]:
            session.close()
            raise BackendError(
                f"OpenVINO was asked for {options.precision} but runs in {_our_word(hint)} on "
                "this processor; ask for that with --number-format"
            )
        return session

    def export_versions(self) -> Mapping[str, str]:
        """Give OpenVINO's version."""
        return {"openvino": self.version()}

    def export(self, source: SourceModel, path: Path) -> None:
        """Write an .xml file with its .bin beside, from the ONNX file, in full precision."""
        with kept_signal_stack():
            self._export(source, path)

    def _export(self, source: SourceModel, path: Path) -> None:
        openvino = _openvino()
        try:
            graph = openvino.convert_model(str(source.onnx))
        except Exception as error:  # each frontend has its own errors
            raise UnsupportedModelError(
                f"{source.name}: OpenVINO can't read it: {_reason(error)}"
            ) from error
        weights = path.with_suffix(".bin")
        openvino.save_model(graph, str(path), compress_to_fp16=False)
        graph.set_rt_info(content_sha256(weights), WEIGHTS_DIGEST)
        openvino.save_model(graph, str(path), compress_to_fp16=False)


class OpenVinoSession:
    """A model compiled by OpenVINO.

    A call takes an idle inference request, or makes one: there are as many as calls that
    ever ran at once. Its outputs are copies, which later calls leave alone.
    """

    def __init__(self, compiled: Any, options: BackendOptions, version: str, device: str):
        self._compiled = compiled
        # Both ends of a deque are safe to use from several threads without a lock.
        self._idle: deque[Any] = deque()
        self.input_names = tuple(port.any_name for port in compiled.inputs)
        self.output_names = tuple(port.any_name for port in compiled.outputs)
        self.description: Mapping[str, Any] = {
            "framework": "OpenVINO",
            "version": version,
            "device": device,
            **_precisions_of(compiled),
            "threads": options.threads or "default",
            "threads_of_all_streams": _property(compiled, "INFERENCE_NUM_THREADS"),
            "streams": _property(compiled, "NUM_STREAMS"),
            "performance_hint": options.extra.get("performance_hint", _HINTS[0]),
            "inputs": [
                f"{port.any_name} {port.element_type.to_string()} {port.partial_shape}"
                for port in compiled.inputs
            ],
        }

    def __del__(self) -> None:
        """Let the model go."""
        self.close()

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Run a batch."""
        try:
            request = self._idle.pop()
        except IndexError:
            request = self._compiled.create_infer_request()
        try:
            found = request.infer(inputs, share_inputs=True, share_outputs=False)
            return list(found.values())
        finally:
            self._idle.append(request)

    def close(self) -> None:
        """Let the model go, without leaving the thread with a signal stack that is gone."""
        with kept_signal_stack():
            self._idle.clear()
            self._compiled = None


def _openvino() -> Any:
    return imported("openvino", "OpenVINO", _EXTRA)


def _properties(options: BackendOptions) -> dict[str, Any]:
    streams = number(options, "num_streams")
    hint = choice(options, "performance_hint", _HINTS)
    properties: dict[str, Any] = {
        "INFERENCE_PRECISION_HINT": _PRECISIONS[options.precision],
        "PERFORMANCE_HINT": hint.upper(),
    }
    if options.device.upper() != _CPU:
        if streams is not None:
            properties["NUM_STREAMS"] = streams
        return properties
    # The load generator and its workers move between the same cores.
    properties["ENABLE_CPU_PINNING"] = False
    if options.threads is not None:
        fitting = max(1, usable_cores() // options.threads)
        # OpenVINO counts the threads of all streams together.
        properties["INFERENCE_NUM_THREADS"] = options.threads * (streams or fitting)
        if streams is None and hint == "latency":
            streams = fitting
    if streams is not None:
        properties["NUM_STREAMS"] = streams
    return properties


def _device(core: Any, options: BackendOptions) -> str:
    """Give OpenVINO's name of a device, or of a choice of several, after looking for it."""
    device = options.device.upper()
    offered = core.available_devices
    if device not in offered and not device.startswith(_SEVERAL):
        raise BackendError(
            f"openvino has no device {options.device!r} here; it offers "
            f"{', '.join(name.lower() for name in offered)}, and auto for a choice of them"
        )
    return device


def _property(compiled: Any, name: str) -> Any:
    """Give a property of a compiled model; ``None`` where its device has no such thing."""
    try:
        return compiled.get_property(name)
    except RuntimeError:
        return None


def _check_beside(path: Path) -> None:
    weights = path.with_suffix(".bin")
    if not weights.is_file():
        raise BackendError(
            f"{path}: its weights are missing: {weights.name} has to lie beside it; copy both "
            "files, or make the model again"
        )


def _check_weights(graph: Any, path: Path) -> None:
    """Compare the .bin file with the hash of it in the .xml, if it was noted there."""
    if not graph.has_rt_info(WEIGHTS_DIGEST):
        return
    weights = path.with_suffix(".bin")
    expected = graph.get_rt_info(WEIGHTS_DIGEST).value
    found = content_sha256(weights)
    if found != expected:
        raise BackendError(
            f"{weights} is damaged or was changed: its sha256 is {found}, and {expected} was "
            f"expected by {path.name}; make the model again"
        )


def _precisions_of(compiled: Any) -> dict[str, Any]:
    """Find out what the layers that do the work compute in, the most frequent one first."""
    found: Counter[str] = Counter()
    for layer in compiled.get_runtime_model().get_ops():
        facts = layer.get_rt_info()
        if str(facts["layerType"].value) in _WORKING:
            found[_our_word(str(facts["runtimePrecision"].value))] += 1
    if not found:
        hint = compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
        return {"precision": _our_word(hint)}
    return {"precision": found.most_common(1)[0][0], "layers": dict(found.most_common())}


def _our_word(precision: str) -> str:
    """Give our name of a precision of OpenVINO's."""
    return _OUR_WORDS.get(precision.lower(), precision.lower())


def _reason(error: Exception) -> str:
    """Give what OpenVINO says without the lines about its own source code."""
    lines = [line.strip() for line in str(error).splitlines()]
    return " ".join(line for line in lines if line and not line.startswith("Exception from"))
