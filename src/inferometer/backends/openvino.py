"""OpenVINO on the CPU, in the precision that is asked for."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from inferometer.backends.alternate_stack import kept_signal_stack
from inferometer.backends.model_file import checked_path
from inferometer.backends.protocol import (
    BackendError,
    BackendOptions,
    MissingBackendError,
    ModelFile,
)
from inferometer.loadgen.cores import usable_cores

__all__ = ["WEIGHTS_DIGEST", "OpenVinoBackend"]

WEIGHTS_DIGEST = ["inferometer", "weights_sha256"]
"""Where an .xml file keeps the sha256 of the .bin file beside it, among its runtime notes."""

_INSTALL = "pip install 'inferometer[openvino]'"
_DEVICE = "CPU"
_PRECISIONS = ("f32", "bf16", "f16")
_HINTS = ("latency", "throughput")
_OPTIONS = ("performance_hint", "precision", "num_streams")


class OpenVinoBackend:
    """Runs ONNX files and OpenVINO's own .xml files, whose weights lie in a .bin file beside.

    The one device is ``cpu``. Extra options: ``precision`` (f32, which is the default
    whatever the processor prefers, bf16, f16), ``num_streams``, the number of calls that run
    at once, and ``performance_hint`` (latency, throughput). Without ``num_streams``,
    ``latency`` makes as many streams of ``threads`` threads as fit on the usable cores, and
    ``throughput`` leaves their number to OpenVINO.
    """

    name = "openvino"
    formats = ("onnx", "xml")

    def version(self) -> str:
        """Give the version of OpenVINO."""
        return str(_openvino().__version__)

    def devices(self) -> tuple[str, ...]:
        """Give the one device that this backend drives."""
        _openvino()
        return (_DEVICE,)

    def load(self, model: ModelFile, options: BackendOptions) -> OpenVinoSession:
        """Load an ONNX file, or an .xml file with its .bin."""
        openvino = _openvino()
        if options.device.upper() != _DEVICE:
            raise BackendError(
                f"openvino has no device {options.device!r} here; it offers {_DEVICE.lower()}"
            )
        properties = _properties(options)
        path = checked_path(model, self.formats, self.name)
        if model.format == "xml":
            _check_beside(path)
        core = openvino.Core()
        try:
            graph = core.read_model(str(path))
            _check_weights(graph, path)
            # OpenVINO leaves the thread with a signal stack that it frees with the model.
            with kept_signal_stack():
                compiled = core.compile_model(graph, _DEVICE, properties)
        except RuntimeError as error:
            raise BackendError(f"{path}: OpenVINO can't load it: {_reason(error)}") from error
        precision = compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
        if precision != properties["INFERENCE_PRECISION_HINT"]:
            raise BackendError(
                f"OpenVINO was asked for {properties['INFERENCE_PRECISION_HINT']} but runs in "
                f"{precision} on this processor; ask for precision={precision}"
            )
        return OpenVinoSession(compiled, options, precision, openvino.__version__)


class OpenVinoSession:
    """A model compiled by OpenVINO.

    A call takes an idle inference request, or makes one: there are as many as calls that
    ever ran at once. Its outputs are copies, which later calls leave alone.
    """

    def __init__(self, compiled: Any, options: BackendOptions, precision: str, version: str):
        self._compiled = compiled
        # Both ends of a deque are safe to use from several threads without a lock.
        self._idle: deque[Any] = deque()
        self.input_names = tuple(port.any_name for port in compiled.inputs)
        self.output_names = tuple(port.any_name for port in compiled.outputs)
        self.description: Mapping[str, Any] = {
            "framework": "OpenVINO",
            "version": version,
            "device": _DEVICE,
            "precision": precision,
            "threads": options.threads or "default",
            "threads_of_all_streams": compiled.get_property("INFERENCE_NUM_THREADS"),
            "streams": compiled.get_property("NUM_STREAMS"),
            "performance_hint": options.extra.get("performance_hint", _HINTS[0]),
            "inputs": [
                f"{port.any_name} {port.element_type.to_string()} {port.partial_shape}"
                for port in compiled.inputs
            ],
        }

    def __del__(self) -> None:
        """Let the model go without leaving the thread with a signal stack that is gone."""
        with kept_signal_stack():
            self._idle.clear()
            del self._compiled

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Run a batch."""
        try:
            request = self._idle.pop()
        except IndexError:
            request = self._compiled.create_infer_request()
        try:
            found = request.infer(inputs, share_inputs=True, share_outputs=False)
            return [found[index] for index in range(len(self.output_names))]
        finally:
            self._idle.append(request)


def _openvino() -> Any:
    try:
        import openvino  # noqa: PLC0415
    except ImportError as error:
        raise MissingBackendError(
            f"OpenVINO isn't installed; install it with: {_INSTALL}"
        ) from error
    return openvino


def _properties(options: BackendOptions) -> dict[str, Any]:
    unknown = set(options.extra) - set(_OPTIONS)
    if unknown:
        raise BackendError(
            f"openvino has no option {', '.join(sorted(unknown))}; it knows {', '.join(_OPTIONS)}"
        )
    hint = _one_of(options, "performance_hint", _HINTS)
    properties: dict[str, Any] = {
        "INFERENCE_PRECISION_HINT": _one_of(options, "precision", _PRECISIONS),
        "PERFORMANCE_HINT": hint.upper(),
        # The load generator and its workers move between the same cores.
        "ENABLE_CPU_PINNING": False,
    }
    streams = _streams(options)
    if options.threads is not None:
        fitting = max(1, usable_cores() // options.threads)
        # OpenVINO counts the threads of all streams together.
        properties["INFERENCE_NUM_THREADS"] = options.threads * (streams or fitting)
        if streams is None and hint == "latency":
            streams = fitting
    if streams is not None:
        properties["NUM_STREAMS"] = streams
    return properties


def _one_of(options: BackendOptions, name: str, known: tuple[str, ...]) -> str:
    """Give what an option is set to; the first of those known is the default."""
    value = options.extra.get(name, known[0])
    if value not in known:
        raise BackendError(f"{name} is {value!r}; it takes {', '.join(known)}")
    return value


def _streams(options: BackendOptions) -> int | None:
    text = options.extra.get("num_streams")
    if text is None:
        return None
    if not text.isdecimal() or int(text) == 0:
        raise BackendError(f"num_streams is {text!r}; it takes a whole number from 1 up")
    return int(text)


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
    found = hashlib.sha256(weights.read_bytes()).hexdigest()
    if found != expected:
        raise BackendError(
            f"{weights} is damaged or was changed: its sha256 is {found}, and {expected} was "
            f"expected by {path.name}; make the model again"
        )


def _reason(error: RuntimeError) -> str:
    """Give what OpenVINO says without the lines about its own source code."""
    lines = [line.strip() for line in str(error).splitlines()]
    return " ".join(line for line in lines if line and not line.startswith("Exception from"))
